#include "backend/plan/lower/elements.h"

#include <algorithm>

#include "ir/ranges.h"

namespace bpc::plan {

RegisterId Elements::emit(Element element, decltype(Instruction::what) what) {
  RegisterId id = values_.add_register(element);
  out_.push_back({id, std::move(what)});
  return id;
}

RegisterId Elements::element(ir::ValueId value, std::span<const Affine> indices) {
  const Definition& held = values_.definition(value);
  if (held.kind == Definition::Kind::scalar) return held.scalar;
  std::vector<Known>& known = known_[value];
  for (const Known& item : known)
    if (std::equal(indices.begin(), indices.end(), item.indices.begin(), item.indices.end())) return item.reg;
  RegisterId result = held.kind == Definition::Kind::view
                          ? emit(values_.type(value).element, Load{{held.view.buffer, compose(held.view.at, indices, axes_)}})
                          : lazy(value, indices);
  known_[value].push_back({{indices.begin(), indices.end()}, result});
  return result;
}

// An operand that is stretched to the shape of the result: aligned at the last axis; an axis of size 1 stays at index 0.
RegisterId Elements::stretched(ir::ValueId operand, std::span<const Affine> indices, const Type& result) {
  const Type& from = values_.type(operand);
  std::size_t added = result.rank() - from.rank();
  std::vector<Affine> own;
  for (std::size_t i = 0; i < from.rank(); ++i) {
    bool follows = from.size(i) == result.size(added + i);
    own.push_back(follows ? indices[added + i] : affine_constant(0, axes_));
  }
  return element(operand, own);
}

RegisterId Elements::lazy(ir::ValueId value, std::span<const Affine> indices) {
  const ir::Function& function = values_.function;
  const ir::Op& op = *function.def(value);
  const Type& type = values_.type(value);
  if (op.code == ir::Opcode::iota) return emit(type.element, Position{indices[static_cast<std::size_t>(op.attrs.integer(ir::Attr::axis))]});
  if (op.code == ir::Opcode::constant) {
    const ir::AttrValue& given = *op.attrs.find(ir::Attr::value);
    if (const auto* real = std::get_if<double>(&given)) return emit(type.element, Constant{*real, 0});
    return emit(type.element, Constant{0, std::get<std::int64_t>(given)});
  }
  if (ir::op_info(op.code).group == ir::Group::movement) return moved(value, indices);
  if (op.code == ir::Opcode::einsum) return one_product(op, indices);
  if (ir::op_info(op.code).has(ir::identity)) return element(op.operands[0], indices);
  Compute compute{ir::scalar_operator(op.code), {}, ir::order_of(op), {}};
  for (ir::ValueId operand : op.operands) compute.operands.push_back(stretched(operand, indices, type));
  if (ir::may_fail(function, op)) compute.fails = values_.add_site(function.value(value).op);
  const RegisterId result = emit(type.element, std::move(compute));
  values_.set_place(result, op);
  return result;
}

RegisterId Elements::moved(ir::ValueId value, std::span<const Affine> indices) {
  const ir::Op& op = *values_.function.def(value);
  ir::ValueId x = op.operands[0];
  if (op.code == ir::Opcode::broadcast) return stretched(x, indices, values_.type(value));
  if (op.code == ir::Opcode::slice) return element(x, slice_indices(op, values_.definition(value).starts, indices));
  if (op.code == ir::Opcode::gather) return element(x, gathered(op, 1, values_.definition(value).starts, indices));
  if (op.code == ir::Opcode::window) return element(x, window_indices(op, indices));
  std::vector<Affine> own(values_.type(x).rank());
  if (op.code == ir::Opcode::transpose) {
    const auto& perm = op.attrs.ints(ir::Attr::perm);
    for (std::size_t i = 0; i < perm.size(); ++i) own[static_cast<std::size_t>(perm[i])] = indices[i];
  } else {  // a reshape that splits axes
    auto split = split_indices(values_.sizes(x), values_.sizes(value));
    for (std::size_t i = 0; i < own.size(); ++i) own[i] = compose(split.value()[i], indices, axes_);
  }
  return element(x, own);
}

std::vector<Affine> Elements::gathered(const ir::Op& op, std::size_t first, std::span<const RegisterId> starts,
                                       std::span<const Affine> part) {
  const auto& axes = op.attrs.ints(ir::Attr::axes);
  const Type& x = values_.type(op.operands[0]);
  std::span<const Affine> of_index = part.first(values_.type(op.operands[first]).rank());
  std::size_t next_part = of_index.size(), next_index = 0;
  std::vector<Affine> result;
  for (std::size_t axis = 0; axis < x.rank(); ++axis) {
    if (!std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(axis))) {
      result.push_back(part[next_part++]);
      continue;
    }
    ir::ValueId index = op.operands[first + next_index];
    bool from_start = counts_from_start(values_.function, index);
    RegisterId start =
        starts.empty() ? emit(Element::i64, Index{element(index, of_index), from_start ? 0 : x.size(axis)}) : starts[next_index];
    ++next_index;
    result.push_back(affine_constant(0, axes_));
    result.back().terms.emplace_back(start, 1);
  }
  return result;
}

bool counts_from_start(const ir::Function& function, ir::ValueId index) {
  auto range = ir::integer_range(function, index);
  return range && range->lo >= 0;
}

std::vector<Affine> slice_indices(const ir::Op& op, std::span<const RegisterId> starts, std::span<const Affine> part) {
  const auto& first = op.attrs.ints(ir::Attr::starts);
  const auto& steps = op.attrs.ints(ir::Attr::steps);
  const auto& dynamic = op.attrs.ints(ir::Attr::dynamic);
  const auto& drop = op.attrs.ints(ir::Attr::drop);
  std::vector<Affine> result;
  std::size_t next_part = 0, next_start = 0, axes = part.empty() ? 0 : part[0].strides.size();
  for (std::size_t i = 0; i < first.size(); ++i) {
    Affine index = affine_constant(first[i], axes);
    bool dropped = std::binary_search(drop.begin(), drop.end(), static_cast<std::int64_t>(i));
    if (std::binary_search(dynamic.begin(), dynamic.end(), static_cast<std::int64_t>(i))) index.terms.emplace_back(starts[next_start++], 1);
    if (!dropped) add_scaled(index, part[next_part++], steps[i]);
    result.push_back(std::move(index));
  }
  return result;
}

std::vector<Affine> window_indices(const ir::Op& op, std::span<const Affine> of_windows) {
  std::vector<Affine> result(of_windows.begin(), of_windows.end() - 1);
  Affine& slid = result[static_cast<std::size_t>(op.attrs.integer(ir::Attr::axis))];
  Affine first = affine_constant(0, slid.strides.size());
  add_scaled(first, slid, op.attrs.integer(ir::Attr::stride));
  add_scaled(first, of_windows.back(), op.attrs.integer(ir::Attr::dilation));
  slid = std::move(first);
  return result;
}

Kernel store_kernel(Values& values, ir::ValueId value, const Sizes& space, Access to) {
  Kernel kernel;
  for (std::int64_t size : space) kernel.axes.push_back({size, false});
  RegisterId element = Elements(values, space.size(), kernel.body).element(value, identity_indices(space.size()));
  kernel.stores.push_back({element, std::move(to), {}});
  return kernel;
}

RegisterId host_element(Values& values, ir::ValueId value, std::span<const Affine> indices) {
  std::vector<Instruction> body;
  RegisterId result = Elements(values, 0, body).element(value, indices);
  for (Instruction& instruction : body) values.push({std::move(instruction)});
  return result;
}

}  // namespace bpc::plan
