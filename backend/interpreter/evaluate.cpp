#include "backend/interpreter/evaluate.h"

#include <array>
#include <tuple>

#include "backend/failure/failure.h"
#include "backend/interpreter/strided.h"
#include "runtime/random.h"
#include "scalar/dispatch.h"
#include "support/element.h"

namespace bpc::interpreter {

namespace {

using ir::Attr;
using ir::Op;
using ir::Opcode;
using runtime::Tensor;

// An operand whose elements stand as in a result of this type, or a single value.
Tensor stretched(const Tensor& x, const Type& type) {
  return x.count() == type.count() || x.count() == 1 ? x : broadcast(x, type.with_element(x.type().element));
}

// result[i] = f(operands[i]...), operands stretched to the result.
template <class Out, class... In, std::size_t... k, class F>
Tensor map(const Type& type, Operands operands, F f, std::index_sequence<k...>) {
  const std::array<const Tensor, sizeof...(In)> stretched_operands{stretched(*operands[k], type)...};
  const std::tuple<const In*...> in{stretched_operands[k].template data<In>()...};
  const std::array<std::int64_t, sizeof...(In)> step{stretched_operands[k].count() == 1 ? 0 : 1 ...};
  Tensor result(type);
  Out* out = result.data<Out>();
  for (std::int64_t i = 0; i < result.count(); ++i) out[i] = f(std::get<k>(in)[i * step[k]]...);
  return result;
}

template <class Out, class... In, class F>
Tensor map(const Type& type, Operands operands, F f) {
  return map<Out, In...>(type, operands, f, std::index_sequence_for<In...>{});
}

// f for operands of the type that the last one has; the condition of `select` is a bool.
template <class F>
Tensor pointwise(const Type& type, Operands operands, F f) {
  return with_element(operands.back()->type().element, [&]<class T>(T) -> Tensor {
    if constexpr (std::invocable<F, T>)
      return map<std::invoke_result_t<F, T>, T>(type, operands, f);
    else if constexpr (std::invocable<F, T, T>)
      return map<std::invoke_result_t<F, T, T>, T, T>(type, operands, f);
    else if constexpr (std::invocable<F, bool, T, T>)
      return map<T, bool, T, T>(type, operands, f);
    else
      throw InternalError("interpret", "an operand of type " + type_text(operands.back()->type()));
  });
}

void check_divisor(const ir::Function& function, const Op& op, const Type& type, const Tensor& divisor) {
  if (!is_integer(type.element) || type.count() == 0) return;
  for (std::int64_t i = 0; i < divisor.count(); ++i)
    if (divisor.int_at(i) == 0) throw Stop{backend::division_failure(backend::site_of(function, op))};
}

Tensor elementwise(const ir::Function& function, const Op& op, Operands operands, const Type& type) {
  if (op.code == Opcode::cast)
    return with_element(type.element, [&]<class To>(To) { return pointwise(type, operands, [](auto x) { return scalar::cast<To>(x); }); });
  if (op.code == Opcode::floordiv || op.code == Opcode::mod) check_divisor(function, op, type, *operands[1]);
  const scalar::Operator what = ir::scalar_operator(op.code);
  if (scalar::source_of(what) != scalar::Source::ordered)
    return scalar::with_function(what, [&](auto f) { return pointwise(type, operands, f); });
  return scalar::with_function(what, [&]<class F>(F f) {
    auto of_order = [f, n = ir::order_of(op)]<class T>(T x)
      requires std::invocable<F, std::int64_t, T>
    { return f(n, x); };
    return pointwise(type, operands, of_order);
  });
}

Tensor constant(const Op& op, const Type& type) {
  const ir::AttrValue* value = op.attrs.find(Attr::value);
  if (!value)
    return is_real(type.element) ? Tensor::from_reals(type, op.attrs.reals(Attr::reals))
                                 : Tensor::from_ints(type, op.attrs.ints(Attr::ints));
  Tensor result(type);
  with_element(type.element, [&]<class T>(T) {
    T* out = result.data<T>();
    const T element = std::holds_alternative<double>(*value) ? scalar::cast<T>(std::get<double>(*value))
                                                             : scalar::cast<T>(std::get<std::int64_t>(*value));
    std::fill_n(out, result.count(), element);
  });
  return result;
}

Tensor iota(const Op& op, const Type& type) {
  Tensor result(type);
  Strides strides(type.rank(), 0);
  strides[static_cast<std::size_t>(op.attrs.integer(Attr::axis))] = 1;
  with_element(type.element, [&]<class T>(T) {
    T* out = result.data<T>();
    walk<1>(type.sizes(), {strides}, {0}, [&](const auto& at) { *out++ = scalar::cast<T>(at[0]); });
  });
  return result;
}

// The elements of a turn, one turn after the other.
Tensor random(const Op& op, Operands operands, const Type& type) {
  Tensor result(type);
  const std::int64_t turns = operands.empty() ? 1 : operands[0]->count(), count = turns == 0 ? 0 : result.count() / turns;
  runtime::RandomDraw draw{static_cast<std::uint64_t>(op.attrs.integer(Attr::seed)),
                           static_cast<std::uint64_t>(op.attrs.integer(Attr::stream)), 0};
  const auto fill = [&]<class T>(T* out) {
    for (std::int64_t i = 0; i < turns; ++i) {
      if (!operands.empty()) draw.turn = static_cast<std::uint64_t>(operands[0]->int_at(i));
      const std::span<T> elements(out + i * count, static_cast<std::size_t>(count));
      if (op.code == Opcode::random_uniform)
        runtime::fill_uniform(draw, 0, elements);
      else
        runtime::fill_normal(draw, 0, elements);
    }
  };
  if (type.element == Element::f32)
    fill(result.data<float>());
  else
    fill(result.data<double>());
  return result;
}

}  // namespace

Tensor evaluate(const ir::Function& function, const Op& op, Operands operands, bool first_dies) {
  const Type& type = function.type(op.results.at(0));
  switch (op.code) {
#define BPC_SCALAR(id, ...) case Opcode::id:
#include "scalar/operators.def"
    return elementwise(function, op, operands, type);

    case Opcode::reduce_sum:
    case Opcode::reduce_max:
    case Opcode::reduce_min:
    case Opcode::reduce_any:
    case Opcode::reduce_all:
      return reduce(op, *operands[0], type);
    case Opcode::argmax:
    case Opcode::argmin:
      return arg_reduce(op, *operands[0], type);
    case Opcode::cumsum:
      return cumulative_sum(op, *operands[0], type);
    case Opcode::einsum:
      return einsum(op, *operands[0], *operands[1], type);

    case Opcode::reshape: {
      Tensor result = *operands[0];  // shares the buffer
      result.set_type(type);
      return result;
    }
    case Opcode::transpose:
      return transpose(*operands[0], op.attrs.ints(Attr::perm), type);
    case Opcode::broadcast:
      return broadcast(*operands[0], type);
    case Opcode::slice:
      return slice(function, op, operands, type);
    case Opcode::update:
      return update(function, op, first_dies ? std::move(*operands[0]) : *operands[0], operands);
    case Opcode::gather:
      return gather(function, op, operands, type);
    case Opcode::scatter_add:
      return scatter_add(function, op, first_dies ? std::move(*operands[0]) : *operands[0], operands);
    case Opcode::concat:
      return concat(op, operands, type);
    case Opcode::window:
      return window(op, *operands[0], type);
    case Opcode::window_add:
      return window_add(op, *operands[0], type);

#define BPC_LIBRARY(id, ...) case Opcode::id:
#include "scalar/library.def"
      return library(function, op, operands, type);

    case Opcode::constant:
      return constant(op, type);
    case Opcode::iota:
      return iota(op, type);
    case Opcode::random_uniform:
    case Opcode::random_normal:
      return random(op, operands, type);

#define BPC_OP(id, ...) case Opcode::id:
#include "ir/structure.def"
#undef BPC_OP
      break;
  }
  throw InternalError("interpret", std::string(ir::op_info(op.code).name) + " is not evaluated on its own",
                      function.origin(op.origin).span);
}

}  // namespace bpc::interpreter
