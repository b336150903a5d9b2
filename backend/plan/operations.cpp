// How each group of ops becomes registers, views, lazy values and kernels.
#include "backend/plan/planner.h"
#include "support/internal_error.h"

namespace bpc::plan {

namespace {

// An expression larger than this is stored, so that fused bodies, and the recursion that writes them, stay bounded.
constexpr std::uint32_t kMostFused = 64;
// Recomputing up to this many arithmetic operations is cheaper than a trip through memory.
constexpr std::uint32_t kCheapEnough = 3;
constexpr std::uint32_t kTranscendental = 16;

std::uint32_t own_cost(const ir::Op& op) {
  const ir::OpInfo& info = ir::op_info(op.code);
  if (info.group != ir::Group::elementwise) return 0;
  return info.has(ir::cheap) ? 1 : kTranscendental;
}

Reduction::Kind reduction_kind(ir::Opcode code) {
  using enum ir::Opcode;
  if (code == reduce_max) return Reduction::Kind::max;
  if (code == reduce_min) return Reduction::Kind::min;
  if (code == reduce_any) return Reduction::Kind::any;
  if (code == reduce_all) return Reduction::Kind::all;
  if (code == argmax) return Reduction::Kind::argmax;
  if (code == argmin) return Reduction::Kind::argmin;
  return Reduction::Kind::sum;
}

std::vector<Axis> kept_axes(const Sizes& sizes) {
  std::vector<Axis> axes;
  for (std::int64_t size : sizes) axes.push_back({size, false});
  return axes;
}

template <class T>
std::vector<std::byte> bytes_of(const auto& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  auto* out = reinterpret_cast<T*>(bytes.data());
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = static_cast<T>(values[i]);
  return bytes;
}

std::vector<std::byte> constant_bytes(const ir::Op& op, Element element) {
  switch (element) {
    case Element::f32:
      return bytes_of<float>(op.attrs.reals(ir::Attr::reals));
    case Element::f64:
      return bytes_of<double>(op.attrs.reals(ir::Attr::reals));
    case Element::i32:
      return bytes_of<std::int32_t>(op.attrs.ints(ir::Attr::ints));
    case Element::i64:
      return bytes_of<std::int64_t>(op.attrs.ints(ir::Attr::ints));
    case Element::boolean:
      return bytes_of<std::uint8_t>(op.attrs.ints(ir::Attr::ints));
  }
  return {};
}

}  // namespace

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

void Planner::lazy_or_stored(const ir::Op& op, std::vector<RegisterId> starts) {
  ir::ValueId id = op.results[0];
  Definition& held = definition(id);
  held.kind = Definition::Kind::lazy;
  held.starts = std::move(starts);
  held.cost = own_cost(op);
  held.size = 1;
  for (ir::ValueId operand : op.operands) {
    held.cost = std::min(held.cost + definition(operand).cost, 1u << 20);
    held.size += definition(operand).size;
  }
  const Use& use = uses_[id.index];
  bool used_once = use.count <= 1 && !use.stretched;
  bool fails = ir::may_fail(function_, op) && ir::op_info(op.code).group == ir::Group::elementwise;
  bool free = held.cost == 0;
  bool stored = fails || held.size > kMostFused || (!free && (use.whole || use.inner || !(used_once || held.cost <= kCheapEnough)));
  if (stored) define_dense(id, copy(id));
  if (stored) held.cost = held.size = 0;
}

RegisterId Planner::host_value(ir::ValueId id, std::span<const Affine> indices) {
  std::vector<Instruction> body;
  RegisterId result = BodyBuilder(*this, 0, body).element(id, indices);
  for (Instruction& instruction : body) {
    RegisterId made = instruction.result;
    push({std::move(instruction)});
    place(made);
  }
  return result;
}

void Planner::elementwise(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  if (!type(op.results[0]).is_scalar()) return lazy_or_stored(op);
  if (op.code == ir::Opcode::stop_grad) return define(op.results[0], scalar(op.operands[0]));
  Compute compute{op.code, {}, op.attrs.integer(ir::Attr::order), UINT32_MAX};
  for (ir::ValueId operand : op.operands) compute.operands.push_back(scalar(operand));
  if (ir::may_fail(function_, op)) compute.fails = add_site(id);
  define(op.results[0], host(type(op.results[0]).element, std::move(compute)));
}

void Planner::reduction(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  if (op.code == ir::Opcode::cumsum) return scan(op);
  ir::ValueId x = op.operands[0], y = op.results[0];
  Sizes space = sizes(x);
  Kernel kernel{kept_axes(space), false, {}, {}, {}};
  Reduction fold{reduction_kind(op.code), {}, {}, {}, affine_constant(0, space.size()), false};
  std::int64_t step = 1;
  const auto& axes = op.attrs.ints(ir::Attr::axes);
  for (std::size_t i = axes.size(); i-- > 0;) {
    auto axis = static_cast<std::size_t>(axes[i]);
    kernel.axes[axis].reduced = true;
    fold.position.strides[axis] = step;
    step *= space[axis];
  }
  fold.value = BodyBuilder(*this, space.size(), kernel.body).element(x, identity_indices(space.size()));
  if (type(y).is_scalar()) {
    fold.result = add_register(type(y).element);
    define(y, fold.result);
  } else {
    BufferId buffer = add_buffer(type(y), function_.value(y).name);
    define_dense(y, buffer);
    fold.to = {buffer, affine_constant(0, space.size())};
    std::int64_t stride = 1;
    for (std::size_t i = space.size(); i-- > 0;) {
      if (kernel.axes[i].reduced) continue;
      fold.to.at.strides[i] = stride;
      stride *= space[i];
    }
  }
  kernel.reductions.push_back(std::move(fold));
  add_kernel(std::move(kernel), true);
}

void Planner::scan(const ir::Op& op) {
  ir::ValueId x = op.operands[0], y = op.results[0];
  Sizes space = sizes(x);
  auto axis = static_cast<std::size_t>(op.attrs.integer(ir::Attr::axis));
  std::vector<Affine> indices = identity_indices(space.size());
  if (op.attrs.flag(ir::Attr::reverse)) {
    indices[axis].offset = space[axis] - 1;
    indices[axis].strides[axis] = -1;
  }
  Kernel kernel{kept_axes(space), false, {}, {}, {}};
  kernel.axes[axis].reduced = true;
  BufferId buffer = add_buffer(type(y), function_.value(y).name);
  RegisterId value = BodyBuilder(*this, space.size(), kernel.body).element(x, indices);
  Access to{buffer, compose(dense(space), indices, space.size())};
  kernel.reductions.push_back({Reduction::Kind::sum, value, {}, std::move(to), {}, true});
  define_dense(y, buffer);
  add_kernel(std::move(kernel), false);
}

void Planner::movement(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  if (op.code == ir::Opcode::slice) return slice(id);
  if (op.code == ir::Opcode::update) return update(id);
  if (op.code == ir::Opcode::concat) return concat(op);
  if (op.code == ir::Opcode::reshape) return reshape(op);
  ir::ValueId x = op.operands[0], y = op.results[0];
  if (type(y).is_scalar()) return define(y, scalar(x));
  if (definition(x).kind != Definition::Kind::view) return lazy_or_stored(op);
  const Access& from = definition(x).view;
  Access access{from.buffer, {from.at.offset, {}, from.at.terms}};
  if (op.code == ir::Opcode::transpose) {
    for (std::int64_t axis : op.attrs.ints(ir::Attr::perm)) access.at.strides.push_back(from.at.strides[static_cast<std::size_t>(axis)]);
  } else {  // broadcast: an axis that is new, or of size 1, stays where it is
    std::size_t added = type(y).rank() - type(x).rank();
    for (std::size_t i = 0; i < type(y).rank(); ++i) {
      bool follows = i >= added && type(x).size(i - added) == type(y).size(i);
      access.at.strides.push_back(follows ? from.at.strides[i - added] : 0);
    }
  }
  define(y, std::move(access));
}

void Planner::reshape(const ir::Op& op) {
  ir::ValueId x = op.operands[0], y = op.results[0];
  if (type(y).is_scalar()) {
    if (type(x).is_scalar()) return define(y, scalar(x));
    return define(y, host_value(x, std::vector<Affine>(type(x).rank(), affine_constant(0, 0))));
  }
  if (definition(x).kind == Definition::Kind::scalar) return lazy_or_stored(op);
  if (definition(x).kind == Definition::Kind::lazy && split_indices(sizes(x), sizes(y))) return lazy_or_stored(op);
  Access from = view(x);
  auto strides = reshape_strides(sizes(x), from.at.strides, sizes(y));
  if (!strides) {
    from = {copy(x), dense(sizes(x))};
    strides = dense_strides(sizes(y));
  }
  define(y, Access{from.buffer, {from.at.offset, std::move(*strides), std::move(from.at.terms)}});
}

std::vector<RegisterId> Planner::checked_starts(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  const auto& dynamic = op.attrs.ints(ir::Attr::dynamic);
  std::size_t first = op.operands.size() - dynamic.size();
  std::vector<RegisterId> result;
  for (std::size_t i = 0; i < dynamic.size(); ++i) {
    auto axis = static_cast<std::size_t>(dynamic[i]);
    std::int64_t size = op.attrs.ints(ir::Attr::sizes)[axis];
    std::int64_t span = size == 0 ? 0 : (size - 1) * op.attrs.ints(ir::Attr::steps)[axis];
    RegisterId start = add_register(Element::i64);
    push({CheckIndex{scalar(op.operands[first + i]), start, type(op.operands[0]).size(axis), span, add_site(id),
                     static_cast<std::uint32_t>(i), size == 0}});
    place(start);
    result.push_back(start);
  }
  return result;
}

void Planner::slice(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  ir::ValueId x = op.operands[0], y = op.results[0];
  std::vector<RegisterId> starts = checked_starts(id);
  std::size_t rank = type(y).rank();
  if (type(x).is_scalar()) return define(y, scalar(x));
  if (rank == 0) return define(y, host_value(x, slice_indices(op, starts, {})));
  if (definition(x).kind == Definition::Kind::lazy) return lazy_or_stored(op, std::move(starts));
  const Access& from = definition(x).view;
  define(y, Access{from.buffer, compose(from.at, slice_indices(op, starts, identity_indices(rank)), rank)});
}

void Planner::update(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  ir::ValueId x = op.operands[0], v = op.operands[1], y = op.results[0];
  std::vector<RegisterId> starts = checked_starts(id);
  if (type(x).is_scalar()) return define(y, scalar(v));
  BufferId base = whole(x);
  BufferId buffer = add_buffer(type(y), function_.value(y).name);
  Sizes space = sizes(v);
  Affine at = compose(dense(sizes(x)), slice_indices(op, starts, identity_indices(space.size())), space.size());
  auto reads_elsewhere = [&](const Kernel& kernel) {
    for (const Instruction& instruction : kernel.body)
      if (const auto* load = std::get_if<Load>(&instruction.what))
        if (load->from.buffer == base && load->from.at != at) return true;
    return false;
  };
  Kernel kernel = store_kernel(v, space, {buffer, at});
  // What v reads of x elsewhere is read first, so that x can be updated in place.
  if (reads_elsewhere(kernel)) {
    BufferId part = copy(v);
    kernel.body.clear();
    kernel.stores[0].value = BodyBuilder(*this, space.size(), kernel.body).emit(type(v).element, Load{{part, dense(space)}});
  }
  kernel.stores[0].base = base;
  define_dense(y, buffer);
  add_kernel(std::move(kernel), false);
}

void Planner::concat(const ir::Op& op) {
  ir::ValueId y = op.results[0];
  BufferId buffer = add_buffer(type(y), function_.value(y).name);
  auto axis = static_cast<std::size_t>(op.attrs.integer(ir::Attr::axis));
  Affine at = dense(sizes(y));
  for (ir::ValueId operand : op.operands) {
    add_kernel(store_kernel(operand, sizes(operand), {buffer, at}), false);
    at.offset += at.strides[axis] * type(operand).size(axis);
  }
  define_dense(y, buffer);
}

void Planner::source(const ir::Op& op) {
  ir::ValueId y = op.results[0];
  const Type& type = this->type(y);
  if (op.code == ir::Opcode::iota) return lazy_or_stored(op);
  if (op.attrs.find(ir::Attr::value)) {
    if (!type.is_scalar()) return lazy_or_stored(op);
    return define(y, host_value(y, {}));
  }
  BufferId buffer = add_buffer(type, function_.value(y).name);
  std::vector<std::byte> bytes = constant_bytes(op, type.element);
  plan_.buffers[buffer.index].storage = static_cast<std::uint32_t>(plan_.storages.size());
  plan_.storages.push_back({Storage::Kind::constant, plan_.constants.size(), 0, bytes.size()});
  plan_.constants.push_back(std::move(bytes));
  if (type.is_scalar()) return define(y, host(type.element, Load{{buffer, {}}}));
  define_dense(y, buffer);
}

void Planner::random(const ir::Op& op) {
  ir::ValueId y = op.results[0];
  BufferId buffer = add_buffer(type(y), function_.value(y).name);
  RegisterId turn = op.operands.empty() ? RegisterId{} : scalar(op.operands[0]);
  push({Random{buffer, op.code == ir::Opcode::random_normal, static_cast<std::uint64_t>(op.attrs.integer(ir::Attr::seed)),
               static_cast<std::uint64_t>(op.attrs.integer(ir::Attr::stream)), turn}});
  place(buffer);
  if (type(y).is_scalar()) return define(y, host(type(y).element, Load{{buffer, {}}}));
  define_dense(y, buffer);
}

void Planner::effect(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  std::vector<Shown> operands;
  for (ir::ValueId operand : op.operands) operands.push_back(shown(operand));
  SiteId site = add_site(id);
  if (op.code == ir::Opcode::print) {
    push({Print{site, std::move(operands)}});
  } else {
    operands.erase(operands.begin());
    push({Assert{scalar(op.operands[0]), site, std::move(operands)}});
  }
}

}  // namespace bpc::plan
