// Loop nests and their bodies.
#include "backend/plan/planner.h"

namespace bpc::plan {

RegisterId BodyBuilder::emit(Element element, decltype(Instruction::what) what) {
  RegisterId id = planner_.add_register(element);
  out_.push_back({id, std::move(what)});
  return id;
}

RegisterId BodyBuilder::element(ir::ValueId value, std::span<const Affine> indices) {
  const Planner::Definition& held = planner_.definition(value);
  if (held.kind == Planner::Definition::Kind::scalar) return held.scalar;
  std::vector<Known>& known = known_[value];
  for (const Known& item : known)
    if (std::equal(indices.begin(), indices.end(), item.indices.begin(), item.indices.end())) return item.reg;
  RegisterId result = held.kind == Planner::Definition::Kind::view
                          ? emit(planner_.type(value).element, Load{{held.view.buffer, compose(held.view.at, indices, axes_)}})
                          : lazy(value, indices);
  known_[value].push_back({{indices.begin(), indices.end()}, result});
  return result;
}

// An operand that is stretched to the shape of the result: aligned at the last axis; an axis of size 1 stays at index 0.
RegisterId BodyBuilder::stretched(ir::ValueId operand, std::span<const Affine> indices, const Type& result) {
  const Type& from = planner_.type(operand);
  std::size_t added = result.rank() - from.rank();
  std::vector<Affine> own;
  for (std::size_t i = 0; i < from.rank(); ++i) {
    bool follows = from.size(i) == result.size(added + i);
    own.push_back(follows ? indices[added + i] : affine_constant(0, axes_));
  }
  return element(operand, own);
}

RegisterId BodyBuilder::lazy(ir::ValueId value, std::span<const Affine> indices) {
  const ir::Function& function = planner_.function_;
  const ir::Op& op = *function.def(value);
  const Type& type = planner_.type(value);
  if (op.code == ir::Opcode::iota) return emit(type.element, Position{indices[static_cast<std::size_t>(op.attrs.integer(ir::Attr::axis))]});
  if (op.code == ir::Opcode::constant) {
    const ir::AttrValue& given = *op.attrs.find(ir::Attr::value);
    if (const auto* real = std::get_if<double>(&given)) return emit(type.element, Constant{*real, 0});
    return emit(type.element, Constant{0, std::get<std::int64_t>(given)});
  }
  if (ir::op_info(op.code).group == ir::Group::movement) return moved(value, indices);
  if (ir::op_info(op.code).has(ir::identity)) return element(op.operands[0], indices);
  Compute compute{ir::scalar_operator(op.code), {}, ir::order_of(op), {}};
  for (ir::ValueId operand : op.operands) compute.operands.push_back(stretched(operand, indices, type));
  if (ir::may_fail(function, op)) compute.fails = planner_.add_site(function.value(value).op);
  return emit(type.element, std::move(compute));
}

RegisterId BodyBuilder::moved(ir::ValueId value, std::span<const Affine> indices) {
  const ir::Op& op = *planner_.function_.def(value);
  ir::ValueId x = op.operands[0];
  if (op.code == ir::Opcode::broadcast) return stretched(x, indices, planner_.type(value));
  if (op.code == ir::Opcode::slice) return element(x, slice_indices(op, planner_.definition(value).starts, indices));
  if (op.code == ir::Opcode::gather) return element(x, gathered(op, 1, planner_.definition(value).starts, indices));
  if (op.code == ir::Opcode::window) return element(x, window_indices(op, indices));
  std::vector<Affine> own(planner_.type(x).rank());
  if (op.code == ir::Opcode::transpose) {
    const auto& perm = op.attrs.ints(ir::Attr::perm);
    for (std::size_t i = 0; i < perm.size(); ++i) own[static_cast<std::size_t>(perm[i])] = indices[i];
  } else {  // a reshape that splits axes
    auto split = split_indices(planner_.sizes(x), planner_.sizes(value));
    for (std::size_t i = 0; i < own.size(); ++i) own[i] = compose(split.value()[i], indices, axes_);
  }
  return element(x, own);
}

Kernel Planner::store_kernel(ir::ValueId value, const Sizes& space, Access to) {
  Kernel kernel;
  for (std::int64_t size : space) kernel.axes.push_back({size, false});
  RegisterId element = BodyBuilder(*this, space.size(), kernel.body).element(value, identity_indices(space.size()));
  kernel.stores.push_back({element, std::move(to), {}});
  return kernel;
}

void Planner::store(ir::ValueId value, BufferId buffer) {
  push({store_kernel(value, sizes(value), {buffer, dense(sizes(value))})});
}

}  // namespace bpc::plan
