// Functions that make tensors: constant fills and ranges.
#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "frontend/lower/builtin_functions.h"
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
  auto type = type_to_fill(c, call, call.arguments[0], c.module.real);
  if (!type) return std::nullopt;
  if (type->element == Element::boolean) return constant(c, call.span, typed(value, Element::boolean), *type);
  return constant(c, call.span, weak(value), *type);
}

std::optional<Item> zeros(Context& c, const BuiltinCall& call) {
  return filled(c, call, 0);
}
std::optional<Item> ones(Context& c, const BuiltinCall& call) {
  return filled(c, call, 1);
}

std::optional<Item> full(Context& c, const BuiltinCall& call) {
  auto dims = to_shape(c, call.arguments[0]);
  auto value = to_value(c, call.arguments[1]);
  if (!dims || !value) return std::nullopt;
  Type type(c.type(*value).element, std::move(*dims));
  return c.emit(call.span, Opcode::broadcast, {*value}, {}, &type);
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

std::optional<Item> eye(Context& c, const BuiltinCall& call) {
  if (call.arguments[0].holds<None>()) {
    auto type = type_to_fill(c, call, call.arguments[0], c.module.real);
    if (type && type->rank() != 2) {
      c.error(Code::E0204, call.span, fmt::format("`eye` makes a matrix, and the declared type is {}", type_text(*type)));
      return std::nullopt;
    }
    return type ? identity(c, call.span, *type) : std::nullopt;
  }
  auto n = to_size(c, call.arguments[0]);
  auto m = call.arguments[1].holds<None>() ? n : to_size(c, call.arguments[1]);
  return n && m ? identity(c, call.span, Type(c.module.real, {*n, *m})) : std::nullopt;
}

std::optional<Item> iota(Context& c, const BuiltinCall& call) {
  auto dims = to_shape(c, call.arguments[0]);
  auto axis = to_integer(c, call.arguments[1], "an axis");
  if (!dims || !axis) return std::nullopt;
  auto rank = static_cast<std::int64_t>(dims->size());
  if (*axis < -rank || *axis >= rank) {
    c.error(Code::E0204, call.arguments[1].span, fmt::format("axis {} is outside: the shape has {} axes", *axis, rank));
    return std::nullopt;
  }
  return index_along(c, call.span, *dims, *axis < 0 ? *axis + rank : *axis, Element::i32);
}

// arange(n), arange(lo, hi), arange(lo, hi, by): real unless an argument is an integer with a type (a dim, a size).
std::optional<Item> arange(Context& c, const BuiltinCall& call) {
  bool from_zero = call.arguments[1].holds<None>();
  Item lo = from_zero ? Item{weak(std::int64_t{0}), call.span} : call.arguments[0];
  Item hi = from_zero ? call.arguments[0] : call.arguments[1];
  const Item& by = call.arguments[2];
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
std::optional<Item> linspace(Context& c, const BuiltinCall& call) {
  auto n = to_size(c, call.arguments[2]);
  auto index = n ? index_along(c, call.span, {*n}, 0, c.module.real) : std::nullopt;
  if (!index) return std::nullopt;
  auto op = [&](const char* sign, const std::optional<Item>& a, const std::optional<Item>& b) {
    return a && b ? binary(c, call.span, {}, sign, *a, *b) : std::nullopt;
  };
  auto t = op("/", index, Item{weak(std::max<std::int64_t>(n->size - 1, 1)), call.span});
  return op("+", op("*", call.arguments[0], op("-", Item{weak(std::int64_t{1}), call.span}, t)), op("*", call.arguments[1], t));
}

constexpr Builtin kBuiltins[] = {
    {"zeros",
     {{"shape", ir::nothing}},
     zeros,
     {"0 everywhere; in an initialiser, of the declared shape", "the one given", "none: a constant", "zeros([2, 2])"}},
    {"ones",
     {{"shape", ir::nothing}},
     ones,
     {"1 everywhere; in an initialiser, of the declared shape", "the one given", "none: a constant", "ones([3])"}},
    {"full", {"shape", "value"}, full, {"one value everywhere", "the one given", "dvalue = sum(dy)", "full([3], 7)"}},
    {"eye",
     {{"n", ir::nothing}, {"m", ir::nothing}},
     eye,
     {"1 on the diagonal and 0 elsewhere, n by m (m is n unless given)", "[n, m]", "none: a constant", "eye(2)"}},
    {"iota", {"shape", "axis"}, iota, {"the index along an axis, i32", "the one given", "none: integers have none", "iota([2, 3], 1)"}},
    {"arange",
     {"lo", {"hi", ir::nothing}, {"by", 1}},
     arange,
     {"lo, lo + by … below hi; of one argument, 0, 1 … below it. Real unless its arguments are dims or sizes",
      "[(hi - lo) / by, rounded up]", "none: a constant", "arange(1, 2, 0.25)"}},
    {"linspace",
     {"lo", "hi", "n"},
     linspace,
     {"n numbers from lo to hi, both included", "[n]", "dlo and dhi: how much of each is in every number, times dy, summed",
      "linspace(0, 1, 5)"}},
};

}  // namespace

std::span<const Builtin> fill_builtins() {
  return kBuiltins;
}

}  // namespace bpc::frontend::lowering
