// Elements in other places: views where strides can say it, else lazy values or copies.
#include "backend/plan/lower/elements.h"
#include "backend/plan/lower/groups.h"

namespace bpc::plan {

namespace {

// Windows of windows go to where they belong at once; the sums in between are not what is added.
std::vector<const ir::Op*> chain_of(Values& values, const ir::Op& op) {
  std::vector<const ir::Op*> chain{&op};
  for (const ir::Op* inner = values.function.def(op.operands[0]); inner && inner->code == ir::Opcode::window_add;
       inner = values.function.def(inner->operands[0]))
    chain.push_back(inner);
  return chain;
}

// Every element of every window is added to a tensor of zeros: the first of all windows, then the second …
void lower_window_add(Values& values, const ir::Op& op) {
  ir::ValueId y = op.results[0];
  if (const ir::Op* user = values.only_user(y); user && user->code == ir::Opcode::window_add) return values.leave(op);
  const std::vector<const ir::Op*> chain = chain_of(values, op);
  ir::ValueId windows = chain.back()->operands[0];
  BufferId zeros = values.add_buffer(values.type(y), "zeros"), buffer = values.add_buffer(y);
  Kernel clear;
  for (std::int64_t size : values.sizes(y)) clear.axes.push_back({size, false});
  RegisterId zero = Elements(values, clear.axes.size(), clear.body).emit(values.type(y).element, Constant{});
  clear.stores.push_back({zero, {zeros, dense(values.sizes(y))}, {}});
  values.push({std::move(clear)});

  // Outermost the axes that no window slides along, then those of a window, then those that it slides along.
  const std::size_t axes = values.type(windows).rank(), kept = axes - chain.size();
  std::vector<bool> slides(axes, false);
  for (const ir::Op* each : chain) slides[static_cast<std::size_t>(each->attrs.integer(ir::Attr::axis))] = true;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < kept; ++i)
    if (!slides[i]) order.push_back(i);
  for (std::size_t i = kept; i < axes; ++i) order.push_back(i);
  for (std::size_t i = 0; i < kept; ++i)
    if (slides[i]) order.push_back(i);
  Kernel kernel;
  std::vector<Affine> indices(axes);
  for (std::size_t i = 0; i < axes; ++i) {
    kernel.axes.push_back({values.type(windows).size(order[i]), false});
    indices[order[i]] = affine_axis(i, axes);
  }
  RegisterId element = Elements(values, axes, kernel.body).element(windows, indices);
  for (auto inner = chain.rbegin(); inner != chain.rend(); ++inner) indices = window_indices(**inner, indices);
  kernel.stores.push_back({element, {buffer, compose(dense(values.sizes(y)), indices, axes)}, zeros, true});
  values.push({std::move(kernel)});
  values.define_dense(y, buffer);
}

void lower_reshape(Values& values, const ir::Op& op) {
  ir::ValueId x = op.operands[0], y = op.results[0];
  if (values.type(y).is_scalar()) {
    if (values.type(x).is_scalar()) return values.define(y, values.scalar(x));
    return values.define(y, host_element(values, x, std::vector<Affine>(values.type(x).rank(), affine_constant(0, 0))));
  }
  if (values.definition(x).kind == Definition::Kind::scalar) return values.lazy_or_stored(op);
  if (values.definition(x).kind == Definition::Kind::lazy && split_indices(values.sizes(x), values.sizes(y)))
    return values.lazy_or_stored(op);
  Access from = values.view(x);
  auto strides = reshape_strides(values.sizes(x), from.at.strides, values.sizes(y));
  if (!strides) {
    from = {values.copy(x), dense(values.sizes(x))};
    strides = dense_strides(values.sizes(y));
  }
  values.define(y, Access{from.buffer, {from.at.offset, std::move(*strides), std::move(from.at.terms)}});
}

void lower_concat(Values& values, const ir::Op& op) {
  ir::ValueId y = op.results[0];
  BufferId buffer = values.add_buffer(y);
  auto axis = static_cast<std::size_t>(op.attrs.integer(ir::Attr::axis));
  Affine at = dense(values.sizes(y));
  for (ir::ValueId operand : op.operands) {
    values.push({store_kernel(values, operand, values.sizes(operand), {buffer, at})});
    at.offset += at.strides[axis] * values.type(operand).size(axis);
  }
  values.define_dense(y, buffer);
}

}  // namespace

void lower_movement(Values& values, ir::OpId id) {
  const ir::Op& op = values.function.op(id);
  if (op.code == ir::Opcode::slice) return lower_slice(values, id);
  if (op.code == ir::Opcode::gather) return lower_gather(values, id);
  if (op.code == ir::Opcode::update) return lower_update(values, id);
  if (op.code == ir::Opcode::scatter_add) return lower_scatter_add(values, id);
  if (op.code == ir::Opcode::concat) return lower_concat(values, op);
  if (op.code == ir::Opcode::reshape) return lower_reshape(values, op);
  if (op.code == ir::Opcode::window_add) return lower_window_add(values, op);
  ir::ValueId x = op.operands[0], y = op.results[0];
  if (values.type(y).is_scalar()) return values.define(y, values.scalar(x));
  if (values.definition(x).kind != Definition::Kind::view) return values.lazy_or_stored(op);
  const Access& from = values.definition(x).view;
  Access access{from.buffer, {from.at.offset, {}, from.at.terms}};
  if (op.code == ir::Opcode::window) {
    std::vector<Affine> indices = window_indices(op, identity_indices(values.type(y).rank()));
    access.at = compose(from.at, indices, values.type(y).rank());
  } else if (op.code == ir::Opcode::transpose) {
    for (std::int64_t axis : op.attrs.ints(ir::Attr::perm)) access.at.strides.push_back(from.at.strides[static_cast<std::size_t>(axis)]);
  } else {  // broadcast: an axis that is new, or of size 1, stays where it is
    std::size_t added = values.type(y).rank() - values.type(x).rank();
    for (std::size_t i = 0; i < values.type(y).rank(); ++i) {
      bool follows = i >= added && values.type(x).size(i - added) == values.type(y).size(i);
      access.at.strides.push_back(follows ? from.at.strides[i - added] : 0);
    }
  }
  values.define(y, std::move(access));
}

}  // namespace bpc::plan
