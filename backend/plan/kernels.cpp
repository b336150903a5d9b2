// Fused loop nests: their bodies, and which values share one.
#include "backend/plan/planner.h"

namespace bpc::plan {

namespace {

constexpr std::size_t kLargestBody = 256;  // instructions of one kernel
constexpr std::size_t kOpenKernels = 4;    // kernels that a new one may join

std::int64_t iterations(const Kernel& kernel) {
  std::int64_t count = 1;
  for (const Axis& axis : kernel.axes) count *= axis.size;
  return count;
}

bool same_space(const Kernel& a, const Kernel& b) {
  for (std::size_t i = 0; i < a.axes.size(); ++i) {
    if (a.axes[i].size != b.axes[i].size) return false;
    if (!a.reductions.empty() && !b.reductions.empty() && a.axes[i].reduced != b.axes[i].reduced) return false;
  }
  return true;
}

const Store* store_to(const Kernel& kernel, BufferId buffer) {
  for (const Store& store : kernel.stores)
    if (store.to.buffer == buffer) return &store;
  return nullptr;
}

bool reads(const Kernel& kernel, BufferId buffer) {
  for (const Instruction& instruction : kernel.body)
    if (const auto* load = std::get_if<Load>(&instruction.what); load && load->from.buffer == buffer) return true;
  return false;
}

}  // namespace

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
  Compute compute{ir::scalar_operator(op.code), {}, op.attrs.integer(ir::Attr::order), UINT32_MAX};
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
  Kernel kernel = store_kernel(value, sizes(value), {buffer, dense(sizes(value))});
  bool fails = std::any_of(kernel.body.begin(), kernel.body.end(), [](const Instruction& instruction) {
    const auto* compute = std::get_if<Compute>(&instruction.what);
    return compute && compute->fails != UINT32_MAX;
  });
  add_kernel(std::move(kernel), !fails);
}

void Planner::add_kernel(Kernel kernel, bool joinable) {
  if (joinable)
    for (std::size_t i = scope_.open.size(); i-- > 0;)
      if (try_join(scope_.open[i], kernel)) return;
  std::vector<BufferId> buffers;
  std::vector<RegisterId> registers;
  for (const Store& store : kernel.stores) buffers.push_back(store.to.buffer);
  for (const Reduction& fold : kernel.reductions) {
    if (fold.result.valid())
      registers.push_back(fold.result);
    else
      buffers.push_back(fold.to.buffer);
  }
  std::size_t position = push({std::move(kernel)});
  for (BufferId id : buffers) place(id);
  for (RegisterId id : registers) place(id);
  if (!joinable) return;
  if (scope_.open.size() == kOpenKernels) scope_.open.erase(scope_.open.begin());
  scope_.open.push_back(position);
}

// Legal when all that `kernel` reads is there before `position`, or is an element that the earlier kernel stores at the same turn; worth it
// when they share what they read.
bool Planner::try_join(std::size_t position, Kernel& kernel) {
  Kernel& earlier = std::get<Kernel>((*scope_.steps)[position].what);
  if (earlier.axes.size() != kernel.axes.size() || !same_space(earlier, kernel)) return false;
  if (earlier.body.size() + kernel.body.size() > kLargestBody) return false;
  auto before = [&](auto id) { return ready(id) < static_cast<std::int64_t>(position); };
  bool shares = iterations(kernel) <= 1024;
  std::map<RegisterId, RegisterId> forwarded;
  auto affine_before = [&](const Affine& at) {
    return std::all_of(at.terms.begin(), at.terms.end(), [&](const auto& term) { return before(term.first); });
  };
  for (const Instruction& instruction : kernel.body) {
    if (const auto* load = std::get_if<Load>(&instruction.what)) {
      if (const Store* store = store_to(earlier, load->from.buffer)) {
        if (store->to.at != load->from.at) return false;
        forwarded[instruction.result] = store->value;
        shares = true;
      } else if (!before(load->from.buffer) || !affine_before(load->from.at)) {
        return false;
      } else {
        shares |= reads(earlier, load->from.buffer);
      }
    } else if (const auto* compute = std::get_if<Compute>(&instruction.what)) {
      if (!std::all_of(compute->operands.begin(), compute->operands.end(), before)) return false;
    } else if (const auto* position = std::get_if<Position>(&instruction.what)) {
      if (!affine_before(position->at)) return false;
    } else if (const auto* index = std::get_if<Index>(&instruction.what)) {
      if (!before(index->from)) return false;
    }
  }
  for (const Store& store : kernel.stores)
    if (!before(store.value)) return false;
  for (const Reduction& fold : kernel.reductions)
    if (!before(fold.value)) return false;
  if (!shares) return false;

  auto renamed = [&](RegisterId id) {
    auto found = forwarded.find(id);
    return found == forwarded.end() ? id : found->second;
  };
  auto position_here = Place{scope_.id, static_cast<std::int64_t>(position)};
  for (Instruction& instruction : kernel.body) {
    if (forwarded.contains(instruction.result)) continue;
    if (auto* compute = std::get_if<Compute>(&instruction.what))
      for (RegisterId& operand : compute->operands) operand = renamed(operand);
    if (auto* index = std::get_if<Index>(&instruction.what)) index->from = renamed(index->from);
    earlier.body.push_back(std::move(instruction));
  }
  for (Store& store : kernel.stores) {
    store.value = renamed(store.value);
    buffer_places_[store.to.buffer.index] = position_here;
    earlier.stores.push_back(std::move(store));
  }
  if (!kernel.reductions.empty() && earlier.reductions.empty()) earlier.axes = kernel.axes;
  for (Reduction& fold : kernel.reductions) {
    fold.value = renamed(fold.value);
    if (fold.result.valid())
      register_places_[fold.result.index] = position_here;
    else
      buffer_places_[fold.to.buffer.index] = position_here;
    earlier.reductions.push_back(std::move(fold));
  }
  return true;
}

}  // namespace bpc::plan
