// Random draws, and the initialisers that are made of them.
#include <fmt/format.h>
#include <algorithm>
#include <cmath>

#include "frontend/lower/builtins.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/draws.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/initialisers.h"
#include "frontend/lower/misfit.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/types.h"
#include "ir/static_facts.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Attr;
using ir::Opcode;
using ir::ValueId;

// Draws of their place in the script, or of the stream and turn that the author names.
std::optional<Item> draws(Context& c, const BuiltinCall& call, Opcode code, const Type& type, const Item& stream, const Item& turn) {
  if (!is_real(type.element)) {
    c.error(Code::E0203, call.span, fmt::format("`{}` draws reals, and the declared type is {}", c.spoken(call.name), type_text(type)));
    return std::nullopt;
  }
  auto number = stream.holds<None>() ? next_stream(c) : to_integer(c, stream, "`stream`");
  if (!number) return std::nullopt;
  std::vector<Item> turns;
  if (!turn.holds<None>()) {
    auto given = to_value(c, turn, Element::i64);
    if (given && is_integer(c.type(*given).element)) given = cast_to(c, *given, Element::i64, turn.span);
    if (!given) return std::nullopt;
    turns.push_back(std::move(*given));
  } else if (auto here = stream.holds<None>() ? turn_here(c, call.span) : std::nullopt) {
    turns.push_back(std::move(*here));
  }
  return c.emit(call.span, code, turns, {{Attr::stream, *number}, {Attr::seed, static_cast<std::int64_t>(c.module.seed)}}, &type);
}

std::optional<Item> draws(Context& c, const BuiltinCall& call, Opcode code, const Type& type) {
  return draws(c, call, code, type, Item{None{}, call.span}, Item{None{}, call.span});
}

// The number, where the item is one everywhere.
std::optional<double> known(Context& c, const Item& item) {
  if (const Number* number = item.as<Number>()) return number->real();
  const ValueId* id = item.as<ValueId>();
  return id && c.type(*id).is_scalar() ? ir::constant_value(c.function(), *id) : std::nullopt;
}

// shift + scale * x, leaving out what changes nothing.
std::optional<Item> scaled(Context& c, Span span, std::optional<Item> x, const Item& shift, const std::optional<Item>& scale) {
  if (x && scale && known(c, *scale) != 1) x = binary(c, span, {}, "*", *scale, *x);
  if (x && scale && known(c, shift) != 0) x = binary(c, span, {}, "+", shift, *x);
  return scale ? x : std::nullopt;
}

// What normal and uniform draw: of the float type that their first two arguments have, where they have one.
std::optional<Type> drawn_type(Context& c, const BuiltinCall& call) {
  std::optional<Element> given;
  for (std::size_t i = 0; i < 2; ++i)
    if (const ValueId* id = call.arguments[i].as<ValueId>(); id && is_real(c.type(*id).element))
      given = given ? std::max(*given, c.type(*id).element) : c.type(*id).element;
  static_assert(Element::f32 < Element::f64);
  return type_to_fill(c, call, call["shape"], given.value_or(c.module.real));
}

// A number, or a tensor that stretches to what is drawn.
std::optional<Item> placed(Context& c, const Item& item, const Type& drawn, const std::string& what) {
  const ValueId* id = item.as<ValueId>();
  bool is_number = item.holds<Number>() || (id && c.type(*id).is_scalar() && c.type(*id).element != Element::boolean);
  return is_number ? std::optional(item) : to_fit(c, item, drawn, what);
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
  auto type = type_to_fill(c, call, call["shape"], c.module.real);
  auto z = type ? draws(c, call, Opcode::random_normal, *type) : std::nullopt;
  if (!z) return std::nullopt;
  return scaled(c, call.span, z, Item{weak(0.0), call.span}, Item{weak(std::sqrt(variance_times_fan_in / fans(*type).in)), call.span});
}

// The call with the sizes that the assignment declares, or with some.
std::string shape_help(Context& c, const BuiltinCall& call) {
  const Span span = c.frame->authors_call ? c.frame->authors_call->span : call.span;
  const std::string text = c.sources.text(span);
  const bool is_square = call.name == "eye", is_empty = text.ends_with("()");
  const auto with = [&](const std::string& sizes) {
    return fmt::format(fmt::runtime(is_square ? "{}{}{})" : "{}{}[{}])"), text.substr(0, text.size() - 1), is_empty ? "" : ", ", sizes);
  };
  if (c.frame->declared) {
    const std::string type = c.sources.text(c.frame->declared->span);
    const std::size_t open = type.find('[');
    const std::string code = with(open == std::string::npos ? "" : type.substr(open + 1, type.size() - open - 2));
    if (lowers(c, code)) return fmt::format("write `{}`", code);
  }
  const std::string code = with(is_square ? "3" : "2, 3");
  return lowers(c, code) ? fmt::format("write the size{}, as in `{}`", is_square ? "" : "s", code) : "";
}

}  // namespace

std::optional<Item> builtins::normal(Context& c, const BuiltinCall& call) {
  const Item &mean = call["mean"], &deviation = call["std"];
  if (auto number = known(c, deviation); number && *number < 0) {
    c.error(Code::E0210, deviation.span, fmt::format("a standard deviation is not negative, and this is {}", *number));
    return std::nullopt;
  }
  auto type = drawn_type(c, call);
  auto shift = type ? placed(c, mean, *type, "the mean of `normal`") : std::nullopt;
  auto scale = type ? placed(c, deviation, *type, "the standard deviation of `normal`") : std::nullopt;
  if (!shift || !scale) return std::nullopt;
  auto z = draws(c, call, Opcode::random_normal, *type, call["stream"], call["turn"]);
  return scaled(c, call.span, z, *shift, scale);
}

std::optional<Item> builtins::uniform(Context& c, const BuiltinCall& call) {
  const Item &lo = call["lo"], &hi = call["hi"];
  auto type = drawn_type(c, call);
  auto from = type ? placed(c, lo, *type, "the lower bound of `uniform`") : std::nullopt;
  auto to = type ? placed(c, hi, *type, "the upper bound of `uniform`") : std::nullopt;
  if (!from || !to) return std::nullopt;
  auto u = draws(c, call, Opcode::random_uniform, *type, call["stream"], call["turn"]);
  return scaled(c, call.span, u, *from, known(c, *from) == 0 ? to : binary(c, call.span, {}, "-", *to, *from));
}

// Whether the program learns: what `dropout` asks.
std::optional<Item> builtins::training(Context& c, const BuiltinCall& call) {
  return Item{c.options.entry == Entry::run || learns(c.options.entry), call.span};
}

std::optional<Item> builtins::fitted(Context& c, const BuiltinCall& call) {
  auto value = to_value(c, call["e"]);
  return value && !c.is_in_init() ? fitted_value(c, *value, call.span) : value;
}

// Glorot & Bengio 2010: uniform in ±sqrt(6 / (in + out)).
std::optional<Item> builtins::glorot(Context& c, const BuiltinCall& call) {
  auto type = type_to_fill(c, call, call["shape"], c.module.real);
  auto u = type ? draws(c, call, Opcode::random_uniform, *type) : std::nullopt;
  if (!u) return std::nullopt;
  double reach = std::sqrt(6 / (fans(*type).in + fans(*type).out));
  return scaled(c, call.span, u, Item{weak(-reach), call.span}, Item{weak(2 * reach), call.span});
}

// He et al. 2015: normal of variance 2 / in.
std::optional<Item> builtins::he(Context& c, const BuiltinCall& call) {
  return scaled_normal(c, call, 2);
}

// LeCun et al. 1998: normal of variance 1 / in.
std::optional<Item> builtins::lecun(Context& c, const BuiltinCall& call) {
  return scaled_normal(c, call, 1);
}

std::optional<Type> type_to_fill(Context& c, const BuiltinCall& call, const Item& shape, Element element) {
  if (!shape.holds<None>()) {
    auto dims = to_shape(c, shape);
    return dims ? std::optional(Type(element, std::move(*dims))) : std::nullopt;
  }
  if (c.initialiser && c.initialiser->type) return *c.initialiser->type;
  const std::string spoken(c.spoken(call.name));
  if (c.initialiser) {
    const std::string name = c.initialiser->path.substr(c.initialiser->path.rfind('.') + 1);
    c.error(Code::E0205, call.span, fmt::format("`{}` needs a shape, and `{}` is declared without a type", spoken, c.initialiser->path),
            fmt::format("give `{}` one, as in `{} : [3, 4] = {}`", name, name, c.text_of(call.span)));
  } else {
    c.error(Code::E0105, call.span, fmt::format("`{}` needs a shape, which only a `param` or an `input` gives it", spoken),
            shape_help(c, call));
  }
  return std::nullopt;
}

}  // namespace bpc::frontend::lowering
