// How each group of ops becomes registers, views, lazy values and kernels.
#include "backend/plan/lower/elements.h"
#include "backend/plan/lower/groups.h"
#include "ir/kernel_sizes.h"

namespace bpc::plan {

namespace {

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

void lower_scan(Values& values, const ir::Op& op) {
  ir::ValueId x = op.operands[0], y = op.results[0];
  Sizes space = values.sizes(x);
  auto axis = static_cast<std::size_t>(op.attrs.integer(ir::Attr::axis));
  std::vector<Affine> indices = identity_indices(space.size());
  if (op.attrs.flag(ir::Attr::reverse)) {
    indices[axis].offset = space[axis] - 1;
    indices[axis].strides[axis] = -1;
  }
  Kernel kernel;
  kernel.axes = kept_axes(space);
  kernel.axes[axis].reduced = true;
  BufferId buffer = values.add_buffer(y);
  RegisterId value = Elements(values, space.size(), kernel.body).element(x, indices);
  Access to{buffer, compose(dense(space), indices, space.size())};
  kernel.reductions.push_back({Reduction::Kind::sum, value, std::move(to), {}, true});
  values.define_dense(y, buffer);
  values.push({std::move(kernel)});
}

}  // namespace

void lower_elementwise(Values& values, ir::OpId id) {
  const ir::Op& op = values.function.op(id);
  if (!values.type(op.results[0]).is_scalar()) return values.lazy_or_stored(op);
  if (ir::op_info(op.code).has(ir::identity)) return values.define(op.results[0], values.scalar(op.operands[0]));
  Compute compute{ir::scalar_operator(op.code), {}, ir::order_of(op), {}};
  for (ir::ValueId operand : op.operands) compute.operands.push_back(values.scalar(operand));
  if (ir::may_fail(values.function, op)) compute.fails = values.add_site(id);
  values.define(op.results[0], values.host(values.type(op.results[0]).element, std::move(compute)));
}

void lower_reduction(Values& values, ir::OpId id) {
  const ir::Op& op = values.function.op(id);
  if (op.code == ir::Opcode::cumsum) return lower_scan(values, op);
  ir::ValueId x = op.operands[0], y = op.results[0];
  Sizes space = values.sizes(x);
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
  fold.value = Elements(values, space.size(), kernel.body).element(x, identity_indices(space.size()));
  if (values.type(y).is_scalar()) {
    const RegisterId result = values.add_register(values.type(y).element);
    fold.to = result;
    values.define(y, result);
  } else {
    BufferId buffer = values.add_buffer(y);
    values.define_dense(y, buffer);
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
  values.push({std::move(kernel)});
}

void lower_source(Values& values, ir::OpId id) {
  const ir::Op& op = values.function.op(id);
  ir::ValueId y = op.results[0];
  const Type& type = values.type(y);
  if (op.code == ir::Opcode::iota) return values.lazy_or_stored(op);
  if (op.attrs.find(ir::Attr::value)) {
    if (!type.is_scalar()) return values.lazy_or_stored(op);
    return values.define(y, host_element(values, y, {}));
  }
  BufferId buffer = values.add_buffer(type, values.name(y));
  std::vector<std::byte> bytes = constant_bytes(op, type.element);
  values.plan.buffers[buffer.index].storage =
      values.plan.add(Storage{Storage::Kind::constant, values.plan.constants.size(), 0, bytes.size()});
  values.plan.constants.push_back(std::move(bytes));
  if (type.is_scalar()) return values.define(y, values.host(type.element, Load{{buffer, {}}}));
  values.define_dense(y, buffer);
}

void lower_random(Values& values, ir::OpId id) {
  const ir::Op& op = values.function.op(id);
  ir::ValueId y = op.results[0];
  BufferId buffer = values.add_buffer(y);
  std::optional<Datum> turns;
  if (!op.operands.empty()) turns = values.datum(op.operands[0]);
  values.push({Random{buffer, op.code == ir::Opcode::random_normal, static_cast<std::uint64_t>(op.attrs.integer(ir::Attr::seed)),
                      static_cast<std::uint64_t>(op.attrs.integer(ir::Attr::stream)), turns}});
  if (values.type(y).is_scalar()) return values.define(y, values.host(values.type(y).element, Load{{buffer, {}}}));
  values.define_dense(y, buffer);
}

void lower_library(Values& values, ir::OpId id) {
  const ir::Op& op = values.function.op(id);
  ir::ValueId y = op.results[0];
  const ir::KernelSizes kernel = ir::kernel_sizes(values.function, op);
  std::string element(element_name(values.type(op.operands[0]).element));
  Library call{std::string(ir::op_info(op.code).name) + "_" + element,
               {},
               values.add_buffer(y),
               values.add_buffer(kernel.work, "work"),
               kernel.sizes};
  for (ir::ValueId operand : op.operands) call.inputs.push_back(values.whole(operand));
  if (ir::may_fail(values.function, op)) call.site = values.add_site(id);
  BufferId buffer = call.output;
  values.push({std::move(call)});
  if (values.type(y).is_scalar()) return values.define(y, values.host(values.type(y).element, Load{{buffer, {}}}));
  values.define_dense(y, buffer);
}

void lower_effect(Values& values, ir::OpId id) {
  const ir::Op& op = values.function.op(id);
  std::vector<Datum> operands;
  for (ir::ValueId operand : op.operands) operands.push_back(values.datum(operand));
  SiteId site = values.add_site(id);
  if (op.code == ir::Opcode::print) {
    values.push({Print{site, std::move(operands)}});
  } else {
    operands.erase(operands.begin());
    values.push({Assert{values.scalar(op.operands[0]), site, std::move(operands)}});
  }
}

}  // namespace bpc::plan
