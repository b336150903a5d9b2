#include <algorithm>

#include "backend/failure/failure.h"
#include "backend/interpreter/evaluate.h"
#include "backend/interpreter/strided.h"
#include "scalar/functions.h"
#include "support/element.h"

namespace bpc::interpreter {

namespace {

using ir::Attr;
using runtime::Tensor;

// The parts of x that tensors of indices name: where each starts, in row-major order of the indices, and how to walk through one.
struct Parts {
  std::vector<std::int64_t> starts;  // in elements
  std::vector<std::int64_t> sizes;
  Strides strides;
};

// `indices` holds one tensor for each axis that the op indexes.
Parts parts_of(const ir::Function& function, const ir::Op& op, const Type& x, Operands indices) {
  const auto& axes = op.attrs.ints(Attr::axes);
  const Strides own = dense_strides(x.sizes());
  Parts parts;
  parts.starts.assign(static_cast<std::size_t>(indices[0]->count()), 0);
  for (std::size_t position = 0; position < axes.size(); ++position) {
    const auto axis = static_cast<std::size_t>(axes[position]);
    const std::int64_t n = x.size(axis);
    for (std::size_t i = 0; i < parts.starts.size(); ++i) {
      const std::int64_t index = indices[position]->int_at(static_cast<std::int64_t>(i));
      if (index < -n || index >= n) throw Stop{backend::index_failure(backend::site_of(function, op), position, *indices[position])};
      parts.starts[i] += (index < 0 ? index + n : index) * own[axis];
    }
  }
  for (std::size_t axis = 0; axis < x.rank(); ++axis) {
    if (std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(axis))) continue;
    parts.sizes.push_back(x.size(axis));
    parts.strides.push_back(own[axis]);
  }
  return parts;
}

}  // namespace

Tensor gather(const ir::Function& function, const ir::Op& op, Operands operands, const Type& type) {
  const Tensor& x = *operands[0];
  const Parts parts = parts_of(function, op, x.type(), operands.subspan(1));
  Tensor result(type);
  with_element(type.element, [&]<class T>(T) {
    const T* in = x.data<T>();
    T* out = result.data<T>();
    for (std::int64_t start : parts.starts) walk<1>(parts.sizes, {parts.strides}, {start}, [&](const auto& at) { *out++ = in[at[0]]; });
  });
  return result;
}

Tensor scatter_add(const ir::Function& function, const ir::Op& op, Tensor x, Operands operands) {
  const Tensor& v = *operands[1];
  const Parts parts = parts_of(function, op, x.type(), operands.subspan(2));
  with_element(x.type().element, [&]<class T>(T) {
    if constexpr (scalar::Number<T>) {
      const T* in = v.data<T>();
      T* out = x.data<T>();
      for (std::int64_t start : parts.starts)
        walk<1>(parts.sizes, {parts.strides}, {start}, [&](const auto& at) { out[at[0]] = scalar::add(out[at[0]], *in++); });
    } else {
      throw InternalError("interpret", "a scatter_add to a " + type_text(x.type()));
    }
  });
  return x;
}

}  // namespace bpc::interpreter
