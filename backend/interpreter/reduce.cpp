#include <limits>
#include <memory>

#include "backend/interpreter/evaluate.h"
#include "backend/interpreter/long_sum.h"
#include "backend/interpreter/strided.h"
#include "scalar/functions.h"
#include "support/element.h"

namespace bpc::interpreter {

namespace {

using ir::Attr;
using ir::Opcode;
using runtime::Tensor;

// Strides through the result of a reduction of x: reduced axes do not move.
Strides result_strides(const Type& x, const std::vector<std::int64_t>& axes) {
  std::vector<std::int64_t> kept = x.sizes();
  for (std::int64_t axis : axes) kept[static_cast<std::size_t>(axis)] = 1;
  Strides strides = dense_strides(kept);
  for (std::int64_t axis : axes) strides[static_cast<std::size_t>(axis)] = 0;
  return strides;
}

// Folds the elements of each group, in row-major order, from `init`.
template <class T, class A, class F>
Tensor fold(const ir::Op& op, const Tensor& x, const Type& type, A init, F combine) {
  Tensor result(type);
  const auto accumulators = std::make_unique<A[]>(static_cast<std::size_t>(result.count()));
  std::fill_n(accumulators.get(), result.count(), init);
  const T* in = x.data<T>();
  walk<1>(x.type().sizes(), {result_strides(x.type(), op.attrs.ints(Attr::axes))}, {0},
          [&, i = std::int64_t{0}](const auto& at) mutable { accumulators[at[0]] = combine(accumulators[at[0]], in[i++]); });
  T* out = result.data<T>();
  for (std::int64_t i = 0; i < result.count(); ++i) out[i] = static_cast<T>(accumulators[i]);
  return result;
}

template <class T>
T lowest() {
  return scalar::Real<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
}
template <class T>
T highest() {
  return scalar::Real<T> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
}

template <class T>
bool is_nan(T x) {
  return x != x;
}

}  // namespace

Tensor reduce(const ir::Op& op, const Tensor& x, const Type& type) {
  return with_element(type.element, [&]<class T>(T) {
    if constexpr (std::same_as<T, bool>) {
      if (op.code == Opcode::reduce_any) return fold<T>(op, x, type, false, [](bool a, bool b) { return a || b; });
      return fold<T>(op, x, type, true, [](bool a, bool b) { return a && b; });
    } else {
      if (op.code == Opcode::reduce_sum) return fold<T>(op, x, type, Sum<T>{}, [](Sum<T> a, T b) { return a += static_cast<Term<T>>(b); });
      if (op.code == Opcode::reduce_max) return fold<T>(op, x, type, lowest<T>(), [](T a, T b) { return scalar::maximum(a, b); });
      return fold<T>(op, x, type, highest<T>(), [](T a, T b) { return scalar::minimum(a, b); });
    }
  });
}

Tensor arg_reduce(const ir::Op& op, const Tensor& x, const Type& type) {
  Tensor result = Tensor::zeros(type);
  auto* out = result.data<std::int32_t>();
  const auto cells = static_cast<std::size_t>(result.count());
  const bool want_max = op.code == Opcode::argmax;
  with_element(x.type().element, [&]<class T>(T) {
    const T* in = x.data<T>();
    const auto best = std::make_unique<T[]>(cells);
    std::vector<std::int32_t> seen(cells, 0);  // the walk is row-major, so that the n-th visit of a cell is its element n
    walk<1>(x.type().sizes(), {result_strides(x.type(), op.attrs.ints(Attr::axes))}, {0}, [&, i = std::int64_t{0}](const auto& at) mutable {
      const T value = in[i++];
      const auto cell = static_cast<std::size_t>(at[0]);
      const bool better = want_max ? value > best[cell] : value < best[cell];
      if (seen[cell] == 0 || (!is_nan(best[cell]) && (better || is_nan(value)))) {
        best[cell] = value;
        out[cell] = seen[cell];
      }
      ++seen[cell];
    });
  });
  return result;
}

Tensor cumulative_sum(const ir::Op& op, const Tensor& x, const Type& type) {
  Tensor result(type);
  const auto axis = static_cast<std::size_t>(op.attrs.integer(Attr::axis));
  const bool reverse = op.attrs.flag(Attr::reverse);
  const std::int64_t size = type.size(axis), stride = dense_strides(type.sizes())[axis];
  std::vector<std::int64_t> starts = type.sizes();
  starts[axis] = 1;
  with_element(type.element, [&]<class T>(T) {
    const T* in = x.data<T>();
    T* out = result.data<T>();
    walk<1>(starts, {dense_strides(type.sizes())}, {0}, [&](const auto& at) {
      Sum<T> sum{};
      for (std::int64_t k = 0; k < size; ++k) {
        const std::int64_t i = at[0] + (reverse ? size - 1 - k : k) * stride;
        sum += static_cast<Term<T>>(in[i]);
        out[i] = static_cast<T>(sum);
      }
    });
  });
  return result;
}

}  // namespace bpc::interpreter
