// How each group of ops becomes registers, views, lazy values and kernels.
#include "backend/plan/planner.h"
#include "ir/kernel_sizes.h"

namespace bpc::plan {

namespace {

// An expression larger than this is stored, so that fused bodies, and the recursion that writes them, stay bounded.
constexpr std::uint32_t kMostFused = 64;
// Recomputing up to this many arithmetic operations is cheaper than a trip through memory.
constexpr std::uint32_t kCheapEnough = 3;
constexpr std::uint32_t kTranscendental = 16;

constexpr std::uint32_t kGather = 4;

std::uint32_t own_cost(const ir::Op& op) {
  const ir::OpInfo& info = ir::op_info(op.code);
  if (op.code == ir::Opcode::gather) return kGather;
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
    if (definition(operand).kind == Definition::Kind::view) readers_[definition(operand).view.buffer.index].push_back(id);
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
  for (Instruction& instruction : body) push({std::move(instruction)});
  return result;
}

void Planner::elementwise(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  if (!type(op.results[0]).is_scalar()) return lazy_or_stored(op);
  if (ir::op_info(op.code).has(ir::identity)) return define(op.results[0], scalar(op.operands[0]));
  Compute compute{ir::scalar_operator(op.code), {}, ir::order_of(op), {}};
  for (ir::ValueId operand : op.operands) compute.operands.push_back(scalar(operand));
  if (ir::may_fail(function_, op)) compute.fails = add_site(id);
  define(op.results[0], host(type(op.results[0]).element, std::move(compute)));
}

void Planner::reduction(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  if (op.code == ir::Opcode::cumsum) return scan(op);
  ir::ValueId x = op.operands[0], y = op.results[0];
  Sizes space = sizes(x);
  Kernel kernel;
  kernel.axes = kept_axes(space);
  Reduction fold{reduction_kind(op.code), {}, {}, affine_constant(0, space.size())};
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
    const RegisterId result = add_register(type(y).element);
    fold.to = result;
    define(y, result);
  } else {
    BufferId buffer = add_buffer(type(y), function_.value(y).name);
    define_dense(y, buffer);
    Affine to = affine_constant(0, space.size());
    std::int64_t stride = 1;
    for (std::size_t i = space.size(); i-- > 0;) {
      if (kernel.axes[i].reduced) continue;
      to.strides[i] = stride;
      stride *= space[i];
    }
    fold.to = Access{buffer, std::move(to)};
  }
  kernel.reductions.push_back(std::move(fold));
  push({std::move(kernel)});
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
  Kernel kernel;
  kernel.axes = kept_axes(space);
  kernel.axes[axis].reduced = true;
  BufferId buffer = add_buffer(type(y), function_.value(y).name);
  RegisterId value = BodyBuilder(*this, space.size(), kernel.body).element(x, indices);
  Access to{buffer, compose(dense(space), indices, space.size())};
  kernel.reductions.push_back({Reduction::Kind::sum, value, std::move(to), {}, true});
  define_dense(y, buffer);
  push({std::move(kernel)});
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
  plan_.buffers[buffer.index].storage = plan_.add(Storage{Storage::Kind::constant, plan_.constants.size(), 0, bytes.size()});
  plan_.constants.push_back(std::move(bytes));
  if (type.is_scalar()) return define(y, host(type.element, Load{{buffer, {}}}));
  define_dense(y, buffer);
}

void Planner::random(const ir::Op& op) {
  ir::ValueId y = op.results[0];
  BufferId buffer = add_buffer(type(y), function_.value(y).name);
  std::optional<Datum> turns;
  if (!op.operands.empty()) turns = datum(op.operands[0]);
  push({Random{buffer, op.code == ir::Opcode::random_normal, static_cast<std::uint64_t>(op.attrs.integer(ir::Attr::seed)),
               static_cast<std::uint64_t>(op.attrs.integer(ir::Attr::stream)), turns}});
  if (type(y).is_scalar()) return define(y, host(type(y).element, Load{{buffer, {}}}));
  define_dense(y, buffer);
}

void Planner::library(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  ir::ValueId y = op.results[0];
  const ir::KernelSizes kernel = ir::kernel_sizes(function_, op);
  std::string element(element_name(type(op.operands[0]).element));
  Library call{std::string(ir::op_info(op.code).name) + "_" + element,
               {},
               add_buffer(type(y), function_.value(y).name),
               add_buffer(kernel.work, "work"),
               kernel.sizes};
  for (ir::ValueId operand : op.operands) call.inputs.push_back(whole(operand));
  if (ir::may_fail(function_, op)) call.site = add_site(id);
  BufferId buffer = call.output;
  push({std::move(call)});
  if (type(y).is_scalar()) return define(y, host(type(y).element, Load{{buffer, {}}}));
  define_dense(y, buffer);
}

void Planner::effect(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  std::vector<Datum> operands;
  for (ir::ValueId operand : op.operands) operands.push_back(datum(operand));
  SiteId site = add_site(id);
  if (op.code == ir::Opcode::print) {
    push({Print{site, std::move(operands)}});
  } else {
    operands.erase(operands.begin());
    push({Assert{scalar(op.operands[0]), site, std::move(operands)}});
  }
}

}  // namespace bpc::plan
