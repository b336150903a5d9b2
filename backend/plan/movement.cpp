// Elements in other places: views where strides can say it, else lazy values or copies.
#include "backend/plan/planner.h"

namespace bpc::plan {

void Planner::movement(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  if (op.code == ir::Opcode::slice) return slice(id);
  if (op.code == ir::Opcode::gather) return gather(id);
  if (op.code == ir::Opcode::update) return update(id);
  if (op.code == ir::Opcode::scatter_add) return scatter_add(id);
  if (op.code == ir::Opcode::concat) return concat(op);
  if (op.code == ir::Opcode::reshape) return reshape(op);
  if (op.code == ir::Opcode::window_add) return window_add(op);
  ir::ValueId x = op.operands[0], y = op.results[0];
  if (type(y).is_scalar()) return define(y, scalar(x));
  if (definition(x).kind != Definition::Kind::view) return lazy_or_stored(op);
  const Access& from = definition(x).view;
  Access access{from.buffer, {from.at.offset, {}, from.at.terms}};
  if (op.code == ir::Opcode::window) {
    std::vector<Affine> indices = window_indices(op, identity_indices(type(y).rank()));
    access.at = compose(from.at, indices, type(y).rank());
  } else if (op.code == ir::Opcode::transpose) {
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

std::vector<Affine> window_indices(const ir::Op& op, std::span<const Affine> of_windows) {
  std::vector<Affine> result(of_windows.begin(), of_windows.end() - 1);
  Affine& slid = result[static_cast<std::size_t>(op.attrs.integer(ir::Attr::axis))];
  Affine first = affine_constant(0, slid.strides.size());
  add_scaled(first, slid, op.attrs.integer(ir::Attr::stride));
  add_scaled(first, of_windows.back(), op.attrs.integer(ir::Attr::dilation));
  slid = std::move(first);
  return result;
}

// Every element of every window is added to a tensor of zeros, window by window.
void Planner::window_add(const ir::Op& op) {
  ir::ValueId windows = op.operands[0], y = op.results[0];
  BufferId zeros = add_buffer(type(y), "zeros"), buffer = add_buffer(type(y), function_.value(y).name);
  Kernel clear;
  for (std::int64_t size : sizes(y)) clear.axes.push_back({size, false});
  RegisterId zero = BodyBuilder(*this, clear.axes.size(), clear.body).emit(type(y).element, Constant{});
  clear.stores.push_back({zero, {zeros, dense(sizes(y))}, {}});
  push({std::move(clear)});
  std::size_t axes = type(windows).rank();
  Affine at = compose(dense(sizes(y)), window_indices(op, identity_indices(axes)), axes);
  Kernel kernel = store_kernel(windows, sizes(windows), {buffer, std::move(at)});
  kernel.stores[0].base = zeros;
  kernel.stores[0].adds = true;
  push({std::move(kernel)});
  define_dense(y, buffer);
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

void Planner::concat(const ir::Op& op) {
  ir::ValueId y = op.results[0];
  BufferId buffer = add_buffer(type(y), function_.value(y).name);
  auto axis = static_cast<std::size_t>(op.attrs.integer(ir::Attr::axis));
  Affine at = dense(sizes(y));
  for (ir::ValueId operand : op.operands) {
    push({store_kernel(operand, sizes(operand), {buffer, at})});
    at.offset += at.strides[axis] * type(operand).size(axis);
  }
  define_dense(y, buffer);
}

}  // namespace bpc::plan
