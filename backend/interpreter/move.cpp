#include "backend/failure/failure.h"
#include "backend/interpreter/evaluate.h"
#include "backend/interpreter/strided.h"
#include "scalar/functions.h"
#include "support/element.h"

namespace bpc::interpreter {

namespace {

using ir::Attr;
using runtime::Tensor;

// result[i] = x[start + i . strides]
Tensor strided_copy(const Tensor& x, const Type& type, const std::vector<std::int64_t>& sizes, const Strides& strides, std::int64_t start) {
  Tensor result(type);
  with_element(type.element, [&]<class T>(T) {
    const T* in = x.data<T>();
    T* out = result.data<T>();
    walk<1>(sizes, {strides}, {start}, [&](const auto& at) { *out++ = in[at[0]]; });
  });
  return result;
}

// The part of x that a slice or update names: element offset and stride per axis.
struct Part {
  std::int64_t start = 0;
  Strides strides;
};

// `starts` are the operands that hold the dynamic starts.
Part part_of(const ir::Function& function, const ir::Op& op, const Type& x, Operands starts) {
  std::vector<std::int64_t> first = op.attrs.ints(Attr::starts);
  const auto &sizes = op.attrs.ints(Attr::sizes), &steps = op.attrs.ints(Attr::steps), &dynamic = op.attrs.ints(Attr::dynamic);
  for (std::size_t position = 0; position < dynamic.size(); ++position) {
    const auto axis = static_cast<std::size_t>(dynamic[position]);
    const std::int64_t given = starts[position]->int_at(0), n = x.size(axis), size = sizes[axis];
    const std::int64_t start = given < 0 ? given + n : given;
    const bool fits = start >= 0 && (size == 0 ? start <= n : start < n);
    const std::int64_t end = fits && size > 0 ? start + (size - 1) * steps[axis] : 0;
    if (!fits || (size > 0 && (end < 0 || end >= n))) throw Stop{backend::index_failure(backend::site_of(function, op), position, given)};
    first[axis] = start;
  }
  const Strides own = dense_strides(x.sizes());
  Part part;
  for (std::size_t axis = 0; axis < own.size(); ++axis) {
    part.start += first[axis] * own[axis];
    part.strides.push_back(steps[axis] * own[axis]);
  }
  return part;
}

// How the windows of x walk through its elements.
Strides window_strides(const ir::Op& op, const Type& x) {
  Strides strides = dense_strides(x.sizes());
  std::int64_t& slid = strides[static_cast<std::size_t>(op.attrs.integer(Attr::axis))];
  const std::int64_t along = slid;
  slid *= op.attrs.integer(Attr::stride);
  strides.push_back(along * op.attrs.integer(Attr::dilation));
  return strides;
}

}  // namespace

Tensor transpose(const Tensor& x, const std::vector<std::int64_t>& perm, const Type& type) {
  const Strides own = dense_strides(x.type().sizes());
  Strides strides;
  for (std::int64_t axis : perm) strides.push_back(own[static_cast<std::size_t>(axis)]);
  return strided_copy(x, type, type.sizes(), strides, 0);
}

Tensor broadcast(const Tensor& x, const Type& type) {
  return strided_copy(x, type, type.sizes(), stretched_strides(x.type(), type), 0);
}

Tensor slice(const ir::Function& function, const ir::Op& op, Operands operands, const Type& type) {
  const Tensor& x = *operands[0];
  const Part part = part_of(function, op, x.type(), operands.subspan(1));
  return strided_copy(x, type, op.attrs.ints(Attr::sizes), part.strides, part.start);
}

Tensor update(const ir::Function& function, const ir::Op& op, Tensor x, Operands operands) {
  const Tensor& v = *operands[1];
  const Part part = part_of(function, op, x.type(), operands.subspan(2));
  const auto& sizes = op.attrs.ints(Attr::sizes);
  with_element(x.type().element, [&]<class T>(T) {
    const T* in = v.data<T>();
    T* out = x.data<T>();
    if (!op.attrs.flag(Attr::add))
      walk<1>(sizes, {part.strides}, {part.start}, [&](const auto& at) { out[at[0]] = *in++; });
    else if constexpr (scalar::Number<T>)
      walk<1>(sizes, {part.strides}, {part.start}, [&](const auto& at) { out[at[0]] = scalar::add(out[at[0]], *in++); });
    else
      throw InternalError("interpret", "an update that adds to a " + type_text(x.type()));
  });
  return x;
}

Tensor concat(const ir::Op& op, Operands operands, const Type& type) {
  Tensor result(type);
  const auto axis = static_cast<std::size_t>(op.attrs.integer(Attr::axis));
  const Strides strides = dense_strides(type.sizes());
  std::int64_t start = 0;
  for (const Tensor* operand : operands) {
    with_element(type.element, [&]<class T>(T) {
      const T* in = operand->data<T>();
      T* out = result.data<T>();
      walk<1>(operand->type().sizes(), {strides}, {start}, [&](const auto& at) { out[at[0]] = *in++; });
    });
    start += operand->type().size(axis) * strides[axis];
  }
  return result;
}

Tensor window(const ir::Op& op, const Tensor& x, const Type& type) {
  return strided_copy(x, type, type.sizes(), window_strides(op, x.type()), 0);
}

Tensor window_add(const ir::Op& op, const Tensor& y, const Type& type) {
  Tensor result = Tensor::zeros(type);
  with_element(type.element, [&]<class T>(T) {
    if constexpr (scalar::Number<T>) {
      const T* in = y.data<T>();
      T* out = result.data<T>();
      walk<1>(y.type().sizes(), {window_strides(op, type)}, {0}, [&](const auto& at) { out[at[0]] = scalar::add(out[at[0]], *in++); });
    } else {
      throw InternalError("interpret", "a window_add of a " + type_text(type));
    }
  });
  return result;
}

}  // namespace bpc::interpreter
