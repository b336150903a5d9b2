// Functions that make tensors: constant fills and ranges.
#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "frontend/lower/builtins.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/types.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Attr;
using ir::Opcode;
using ir::ValueId;

std::optional<Item> filled(Context& c, const BuiltinCall& call, std::int64_t value) {
  auto type = type_to_fill(c, call, call["shape"], c.module.real);
  if (!type) return std::nullopt;
  if (type->element == Element::boolean) return constant(c, call.span, typed(value, Element::boolean), *type);
  return constant(c, call.span, weak(value), *type);
}

std::optional<Item> index_along(Context& c, Span span, const std::vector<Dim>& dims, std::int64_t axis, Element element) {
  Type type(element, dims);
  return c.emit(span, Opcode::iota, {}, {{Attr::axis, axis}}, &type);
}

// 1 where the indices along the last two axes agree.
std::optional<Item> identity(Context& c, Span span, const Type& type) {
  auto rows = index_along(c, span, type.dims, 0, Element::i32), columns = index_along(c, span, type.dims, 1, Element::i32);
  auto equal = rows && columns ? c.emit(span, Opcode::eq, {*rows, *columns}) : std::nullopt;
  return equal ? cast_to(c, *equal, type.element, span) : std::nullopt;
}

}  // namespace

std::optional<Item> builtins::zeros(Context& c, const BuiltinCall& call) {
  return filled(c, call, 0);
}

std::optional<Item> builtins::ones(Context& c, const BuiltinCall& call) {
  return filled(c, call, 1);
}

std::optional<Item> builtins::full(Context& c, const BuiltinCall& call) {
  auto dims = to_shape(c, call["shape"]);
  auto value = to_value(c, call["value"]);
  if (!dims || !value) return std::nullopt;
  Type type(c.type(*value).element, std::move(*dims));
  return c.emit(call.span, Opcode::broadcast, {*value}, {}, &type);
}

std::optional<Item> builtins::eye(Context& c, const BuiltinCall& call) {
  if (call["n"].holds<None>()) {
    auto type = type_to_fill(c, call, call["n"], c.module.real);
    if (type && type->rank() != 2) {
      c.error(Code::E0204, call.span, fmt::format("`eye` makes a matrix, and the declared type is {}", type_text(*type)));
      return std::nullopt;
    }
    return type ? identity(c, call.span, *type) : std::nullopt;
  }
  auto n = to_size(c, call["n"]);
  auto m = call["m"].holds<None>() ? n : to_size(c, call["m"]);
  return n && m ? identity(c, call.span, Type(c.module.real, {*n, *m})) : std::nullopt;
}

std::optional<Item> builtins::iota(Context& c, const BuiltinCall& call) {
  auto dims = to_shape(c, call["shape"]);
  auto axis = to_integer(c, call["axis"], "an axis");
  if (!dims || !axis) return std::nullopt;
  auto rank = static_cast<std::int64_t>(dims->size());
  if (*axis < -rank || *axis >= rank) {
    c.error(Code::E0204, call["axis"].span, fmt::format("axis {} is outside: the shape has {} axes", *axis, rank));
    return std::nullopt;
  }
  return index_along(c, call.span, *dims, *axis < 0 ? *axis + rank : *axis, Element::i32);
}

// arange(n), arange(lo, hi), arange(lo, hi, by): real unless an argument is an integer with a type (a dim, a size).
std::optional<Item> builtins::arange(Context& c, const BuiltinCall& call) {
  bool from_zero = call["hi"].holds<None>();
  Item lo = from_zero ? Item{weak(std::int64_t{0}), call.span} : call["lo"];
  Item hi = from_zero ? call["lo"] : call["hi"];
  const Item& by = call["by"];
  bool any_typed = false, all_whole = true;
  for (const Item* item : std::initializer_list<const Item*>{&lo, &hi, &by}) {
    const Number* number = item->as<Number>();
    if (!number) {
      to_integer(c, *item, "a bound of `arange`");  // reports it
      return std::nullopt;
    }
    any_typed |= number->element.has_value();
    all_whole &= number->is_integer();
  }
  double first = lo.as<Number>()->real(), step = by.as<Number>()->real();
  if (step == 0) {
    c.error(Code::E0407, by.span, "the step of `arange` is 0");
    return std::nullopt;
  }
  double count = std::max(0.0, std::ceil((hi.as<Number>()->real() - first) / step));
  if (!(count < 0x1p40)) {
    c.error(Code::E0210, call.span, "`arange` would have more than 2^40 elements");
    return std::nullopt;
  }
  Dim dim{static_cast<std::int64_t>(count), {}};
  if (from_zero && step == 1) dim.name = hi.as<Number>()->dim;
  auto index = index_along(c, call.span, {dim}, 0, any_typed && all_whole ? Element::i32 : c.module.real);
  if (index && step != 1) index = binary(c, call.span, {}, "*", *index, by);
  if (index && first != 0) index = binary(c, call.span, {}, "+", *index, lo);
  return index;
}

// lo (1 - t) + hi t with t = i / (n - 1): both ends are exact.
std::optional<Item> builtins::linspace(Context& c, const BuiltinCall& call) {
  auto n = to_size(c, call["n"]);
  auto index = n ? index_along(c, call.span, {*n}, 0, c.module.real) : std::nullopt;
  if (!index) return std::nullopt;
  auto op = [&](const char* sign, const std::optional<Item>& a, const std::optional<Item>& b) {
    return a && b ? binary(c, call.span, {}, sign, *a, *b) : std::nullopt;
  };
  auto t = op("/", index, Item{weak(std::max<std::int64_t>(n->size - 1, 1)), call.span});
  return op("+", op("*", call["lo"], op("-", Item{weak(std::int64_t{1}), call.span}, t)), op("*", call["hi"], t));
}

}  // namespace bpc::frontend::lowering
