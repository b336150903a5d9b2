// Functions that make tensors: constant fills, ranges, random draws and initialisers.
#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "frontend/lower/builtin_functions.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/initialisers.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/types.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Attr;
using ir::Opcode;
using ir::ValueId;

// The type to fill: the shape that is given, or the declared type of the initialiser under way.
std::optional<Type> type_to_fill(Context& c, const BuiltinCall& call, const Item& shape) {
  if (!shape.holds<None>()) {
    auto dims = to_shape(c, shape);
    return dims ? std::optional(Type(c.module.real, std::move(*dims))) : std::nullopt;
  }
  if (c.initialiser && c.initialiser->type) return *c.initialiser->type;
  if (c.initialiser)
    c.error(Code::E0205, call.span, fmt::format("`{}` needs a shape, and `{}` is declared without a type", call.name, c.initialiser->path),
            "declare it, as in `param W : [3, 4] = …`");
  else
    c.error(Code::E0105, call.span, fmt::format("`{}` needs its argument `shape`", call.name),
            "only an initialiser takes the declared shape");
  return std::nullopt;
}

std::optional<Item> filled(Context& c, const BuiltinCall& call, std::int64_t value) {
  auto type = type_to_fill(c, call, call.arguments[0]);
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
  Type type(c.type(*value->as<ValueId>()).element, std::move(*dims));
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
    auto type = type_to_fill(c, call, call.arguments[0]);
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

// ---- random ----

std::optional<std::int64_t> stream_of(Context& c, const BuiltinCall& call, const Item& stream) {
  if (!stream.holds<None>()) return to_integer(c, stream, "`stream`");
  if (c.initialiser && c.builder->block() != c.function().body()) {
    c.not_implemented(call.span, fmt::format("`{}` without `stream=` in a loop, branch or comprehension of an initialiser", call.name));
    return std::nullopt;
  }
  if (c.initialiser) return next_stream(*c.initialiser);
  c.not_implemented(call.span, fmt::format("`{}` without `stream=` outside an initialiser", call.name));
  return std::nullopt;
}

std::optional<Item> draws(Context& c, const BuiltinCall& call, Opcode code, const Type& type, const Item& stream) {
  if (!is_real(type.element)) {
    c.error(Code::E0203, call.span, fmt::format("`{}` draws reals, and the declared type is {}", call.name, type_text(type)));
    return std::nullopt;
  }
  auto number = stream_of(c, call, stream);
  if (!number) return std::nullopt;
  return c.emit(call.span, code, {}, {{Attr::stream, *number}, {Attr::seed, static_cast<std::int64_t>(c.module.seed)}}, &type);
}

// shift + scale * x, leaving out what changes nothing.
std::optional<Item> scaled(Context& c, Span span, std::optional<Item> x, const Item& shift, const std::optional<Item>& scale) {
  auto is = [](const Item& item, double value) {
    const Number* number = item.as<Number>();
    return number && number->real() == value;
  };
  if (x && scale && !is(*scale, 1)) x = binary(c, span, {}, "*", *scale, *x);
  if (x && scale && !is(shift, 0)) x = binary(c, span, {}, "+", shift, *x);
  return scale ? x : std::nullopt;
}

std::optional<Item> normal(Context& c, const BuiltinCall& call) {
  auto type = type_to_fill(c, call, call.arguments[2]);
  auto z = type ? draws(c, call, Opcode::random_normal, *type, call.arguments[3]) : std::nullopt;
  return scaled(c, call.span, z, call.arguments[0], call.arguments[1]);
}

std::optional<Item> uniform(Context& c, const BuiltinCall& call) {
  auto type = type_to_fill(c, call, call.arguments[2]);
  auto u = type ? draws(c, call, Opcode::random_uniform, *type, call.arguments[3]) : std::nullopt;
  return scaled(c, call.span, u, call.arguments[0], binary(c, call.span, {}, "-", call.arguments[1], call.arguments[0]));
}

// Inputs and outputs of one unit: [I, O] of a dense layer, [O, C, kernel…] of a convolution; a vector or scalar counts as both.
struct Fans {
  double in, out;
};
Fans fans(const Type& type) {
  auto count = static_cast<double>(std::max<std::int64_t>(type.count(), 1));
  if (type.rank() < 2) return {count, count};
  auto first = static_cast<double>(std::max<std::int64_t>(type.size(0), 1)),
       second = static_cast<double>(std::max<std::int64_t>(type.size(1), 1));
  return type.rank() == 2 ? Fans{first, second} : Fans{count / first, count / second};
}

std::optional<Item> scaled_normal(Context& c, const BuiltinCall& call, double variance_times_fan_in) {
  auto type = type_to_fill(c, call, call.arguments[0]);
  auto z = type ? draws(c, call, Opcode::random_normal, *type, Item{None{}, call.span}) : std::nullopt;
  if (!z) return std::nullopt;
  return scaled(c, call.span, z, Item{weak(0.0), call.span}, Item{weak(std::sqrt(variance_times_fan_in / fans(*type).in)), call.span});
}

// Glorot & Bengio 2010: uniform in ±sqrt(6 / (in + out)).
std::optional<Item> glorot(Context& c, const BuiltinCall& call) {
  auto type = type_to_fill(c, call, call.arguments[0]);
  auto u = type ? draws(c, call, Opcode::random_uniform, *type, Item{None{}, call.span}) : std::nullopt;
  if (!u) return std::nullopt;
  double reach = std::sqrt(6 / (fans(*type).in + fans(*type).out));
  return scaled(c, call.span, u, Item{weak(-reach), call.span}, Item{weak(2 * reach), call.span});
}
// He et al. 2015: normal of variance 2 / in.
std::optional<Item> he(Context& c, const BuiltinCall& call) {
  return scaled_normal(c, call, 2);
}
// LeCun et al. 1998: normal of variance 1 / in.
std::optional<Item> lecun(Context& c, const BuiltinCall& call) {
  return scaled_normal(c, call, 1);
}

constexpr Builtin kBuiltins[] = {
    {"zeros", "shape = none", zeros},
    {"ones", "shape = none", ones},
    {"full", "shape, value", full},
    {"eye", "n = none, m = none", eye},
    {"iota", "shape, axis", iota},
    {"arange", "lo, hi = none, by = 1", arange},
    {"linspace", "lo, hi, n", linspace},
    {"normal", "mean, std, shape = none, stream = none", normal},
    {"uniform", "lo, hi, shape = none, stream = none", uniform},
    {"glorot", "shape = none", glorot},
    {"he", "shape = none", he},
    {"lecun", "shape = none", lecun},
};

}  // namespace

std::span<const Builtin> fill_builtins() {
  return kBuiltins;
}

}  // namespace bpc::frontend::lowering
