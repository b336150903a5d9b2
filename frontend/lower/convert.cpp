#include "frontend/lower/convert.h"

#include <fmt/format.h>
#include <cmath>
#include <limits>

#include "frontend/lower/advice.h"
#include "frontend/lower/numbers.h"

namespace bpc::frontend::lowering {

using ir::Attr;
using ir::Opcode;
using ir::ValueId;

namespace {

Element join(Element a, Element b) {
  if (a == b) return a;
  if (is_real(a) || is_real(b)) return a == Element::f64 || b == Element::f64 ? Element::f64 : Element::f32;
  return Element::i64;
}

// A nested list of compile-time numbers, row by row; nullopt when something in it is only known at run time or the rows differ.
struct Dense {
  std::vector<Dim> dims;
  std::vector<Number> numbers;
};

bool append_dense(const Item& item, std::size_t depth, Dense& dense) {
  if (const Number* number = item.as<Number>()) {
    dense.numbers.push_back(*number);
    return depth == dense.dims.size();
  }
  if (const bool* truth = item.as<bool>()) {
    dense.numbers.push_back(typed(*truth, Element::boolean));
    return depth == dense.dims.size();
  }
  const List* list = item.as<List>();
  if (!list) return false;
  auto size = static_cast<std::int64_t>(list->items.size());
  if (depth == dense.dims.size() && dense.numbers.empty())
    dense.dims.push_back({size, {}});
  else if (depth >= dense.dims.size() || dense.dims[depth].size != size)
    return false;
  for (const Item& inner : list->items)
    if (!append_dense(inner, depth + 1, dense)) return false;
  return true;
}

bool fits(std::int64_t value, Element element) {
  return element != Element::i32 ||
         (value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max());
}

// The number as it is stored in a constant of the element type; E0210 when it does not fit.
std::optional<ir::AttrValue> stored(Context& c, Span span, const Number& number, Element element) {
  auto does_not_fit = [&] {
    c.error(Code::E0210, span, fmt::format("{} does not fit {}", number_text(number), element_name(element)));
    return std::nullopt;
  };
  if (!is_real(element)) {
    if (!number.is_integer() || !fits(number.integer(), element)) return does_not_fit();
    return number.integer();
  }
  double value = number.real();
  if (element == Element::f64) return value;
  auto rounded = static_cast<double>(static_cast<float>(value));
  if (std::isinf(rounded) && !std::isinf(value)) return does_not_fit();
  return rounded;
}

std::optional<Item> dense_constant(Context& c, Span span, const Dense& dense, Element element) {
  std::vector<std::int64_t> ints;
  std::vector<double> reals;
  for (const Number& number : dense.numbers) {
    auto value = stored(c, span, number, element);
    if (!value) return std::nullopt;
    if (is_real(element))
      reals.push_back(std::get<double>(*value));
    else
      ints.push_back(std::get<std::int64_t>(*value));
  }
  ir::Attributes attrs;
  if (is_real(element))
    attrs.set(Attr::reals, std::move(reals));
  else
    attrs.set(Attr::ints, std::move(ints));
  Type type(element, dense.dims);
  return c.emit(span, Opcode::constant, {}, std::move(attrs), &type);
}

std::optional<Item> list_value(Context& c, const Item& item, std::optional<Element> weak) {
  if (!reject_tape(c, item, "a list")) return std::nullopt;
  const List& list = *item.as<List>();
  auto own = strength(c, item);
  if (!own) return std::nullopt;
  Element element = own->kind == Strength::Kind::typed                                  ? own->element
                    : own->kind == Strength::Kind::weak_real && weak && !is_real(*weak) ? c.module.real
                                                                                        : weak.value_or(c.module.real);
  Dense dense;
  if (append_dense(item, 0, dense)) return dense_constant(c, item.span, dense, element);
  std::vector<Item> values;
  for (const Item& inner : list.items) {
    auto value = to_value(c, inner, element);
    if (value) value = cast_to(c, *value, element, inner.span);
    if (!value) return std::nullopt;
    values.push_back(std::move(*value));
  }
  return stack(c, item.span, values, 0);
}

void adopt_names(Context& c, ValueId id, const std::vector<Dim>& names) {
  ir::Value& value = c.function().value(id);
  if (!value.name.empty() || !value.op.valid()) return;  // an alias keeps its own
  for (std::size_t i = 0; i < names.size(); ++i)
    if (value.type.dims[i].name.empty()) value.type.dims[i].name = names[i].name;
}

// Which flag gave a dim the size that does not fit, if one did: after this no value from outside need say so, too.
std::string flag_that_sized(Context& c, const Type& declared, const Type& given) {
  for (std::size_t i = 0; given.rank() == declared.rank() && i < given.rank(); ++i) {
    const auto source = std::ranges::find(c.dim_sources, declared.dims[i].name.text, [](const auto& entry) { return entry.first->name; });
    if (declared.size(i) == given.size(i) || source == c.dim_sources.end() || source->second.from != DimSize::From::flag) continue;
    source->second.is_contradicted = true;
    return fmt::format("{} is {} from `{}`", source->first->name, declared.size(i), source->second.text);
  }
  return {};
}

}  // namespace

std::optional<Element> common_element(const Context& c, const std::vector<Strength>& operands, ir::Domain domain) {
  std::optional<Element> element;
  bool weak_real = false, weak = false;
  for (const Strength& operand : operands) {
    if (operand.kind != Strength::Kind::typed) {
      weak = true;
      weak_real |= operand.kind == Strength::Kind::weak_real;
    } else if (element && (*element == Element::boolean) != (operand.element == Element::boolean)) {
      return std::nullopt;
    } else {
      element = element ? join(*element, operand.element) : operand.element;
    }
  }
  if (!element) return c.module.real;
  if (*element == Element::boolean) return weak ? std::nullopt : element;
  bool to_real = is_integer(*element) && (weak_real || domain == ir::Domain::real);
  return to_real ? c.module.real : *element;
}

std::optional<Strength> strength(Context& c, const Item& item) {
  using Kind = Strength::Kind;
  if (const ValueId* id = item.as<ValueId>()) return Strength{Kind::typed, c.type(*id).element};
  if (item.holds<bool>()) return Strength{Kind::typed, Element::boolean};
  if (const Number* number = item.as<Number>())
    return number->element ? Strength{Kind::typed, *number->element}
                           : Strength{number->is_integer() ? Kind::weak_integer : Kind::weak_real};
  if (const List* list = item.as<List>()) {
    std::vector<Strength> items;
    bool any_typed = false, any_real = false;
    for (const Item& inner : list->items) {
      auto one = strength(c, inner);
      if (!one) return std::nullopt;
      any_typed |= one->kind == Kind::typed;
      any_real |= one->kind == Kind::weak_real;
      items.push_back(*one);
    }
    if (!any_typed) return Strength{any_real ? Kind::weak_real : Kind::weak_integer};
    if (auto element = common_element(c, items, ir::Domain::any)) return Strength{Kind::typed, *element};
    c.error(Code::E0203, item.span, "a list holds bools or numbers, not both");
    return std::nullopt;
  }
  if (item.failed()) return std::nullopt;
  std::string text = c.text_of(item.span);
  if (const Tuple* tuple = item.as<Tuple>())
    c.error(Code::E0209, item.span, fmt::format("`{}` gives {} values where one is needed", text, tuple->items.size()),
            names_help(text, tuple->items.size()));
  else if (item.holds<Text>())
    c.error(Code::E0209, item.span, "a string is not a value",
            "texts are file names, column names, messages, and items of `print`, as in `print \"x =\", x`");
  else if (item.holds<None>())
    c.error(Code::E0209, item.span, "`none` is not a value");
  else
    c.error(Code::E0209, item.span, fmt::format("`{}` is a function, not a value", text), fmt::format("call it: `{}(…)`", text));
  return std::nullopt;
}

bool is_no_function(Context& c, const Item& item) {
  return !is_function(item) || strength(c, item);
}

std::optional<Item> to_value(Context& c, const Item& item, std::optional<Element> weak) {
  if (item.holds<ValueId>()) return item;
  auto own = strength(c, item);
  if (!own) return std::nullopt;
  if (item.holds<List>()) return list_value(c, item, weak);
  if (const bool* truth = item.as<bool>()) return constant(c, item.span, typed(*truth, Element::boolean), Type(Element::boolean));
  const Number& number = *item.as<Number>();
  Element element = number.element ? *number.element : weak.value_or(c.module.real);
  if (!number.element && !number.is_integer() && !is_real(element)) element = c.module.real;
  if (element == Element::boolean) element = c.module.real;  // a number never becomes a bool by itself
  return constant(c, item.span, number, Type(element));
}

std::optional<std::vector<Item>> to_common(Context& c, const std::vector<Item>& items, ir::Domain domain) {
  std::vector<Strength> strengths;
  for (const Item& item : items) {
    auto one = strength(c, item);
    if (!one) return std::nullopt;
    strengths.push_back(*one);
  }
  auto element = common_element(c, strengths, domain);
  std::vector<Item> values;
  for (const Item& item : items) {
    std::optional<Item> value;
    if (const Number* number = item.as<Number>(); number && element && is_real(*element))
      value = constant(c, item.span, *number, Type(*element));
    else
      value = to_value(c, item, element);
    if (value && element && domain != ir::Domain::boolean) value = cast_to(c, *value, *element, item.span);
    if (!value) return std::nullopt;
    values.push_back(std::move(*value));
  }
  return values;
}

std::optional<Item> cast_to(Context& c, const Item& value, Element element, Span span) {
  Type to = c.type(value).with_element(element);
  if (c.type(value).element == element) return value;
  return c.emit(span, Opcode::cast, {value}, {}, &to);
}

bool widens(Element from, Element to) {
  if (from == to) return true;
  if (is_real(to)) return is_integer(from) || (from == Element::f32 && to == Element::f64);
  return from == Element::i32 && to == Element::i64;
}

std::optional<Item> to_declared(Context& c, const Item& item, const Type& declared, const std::string& what, bool stretch) {
  if (const Number* number = item.as<Number>()) {
    if (declared.element == Element::boolean || (!is_real(declared.element) && !number->is_integer() &&
                                                 (number->real() != std::floor(number->real()) || std::fabs(number->real()) > 9e15))) {
      c.error(Code::E0206, item.span,
              fmt::format("{} is declared {}, and {} is {}", what, type_text(declared), number_text(*number),
                          declared.element == Element::boolean ? "a number" : "not an integer"));
      return std::nullopt;
    }
    Number exact = !is_real(declared.element) && !number->is_integer() ? weak(static_cast<std::int64_t>(number->real())) : *number;
    if (declared.is_scalar() || stretch) return constant(c, item.span, exact, declared);
  }
  auto value = to_value(c, item, declared.element);
  if (!value) return std::nullopt;
  Type given = c.type(*value);
  if (given.tape || !widens(given.element, declared.element)) {
    std::string help = declared.element == Element::boolean || given.element == Element::boolean || given.tape
                           ? std::string{}
                           : conversion_help(c, item, declared, what);
    c.error(Code::E0206, item.span, fmt::format("{} is declared {}, and this is {}", what, type_text(declared), type_text(given)), help);
    return std::nullopt;
  }
  value = cast_to(c, *value, declared.element, item.span);
  if (value && stretch && given.is_scalar() && !declared.is_scalar()) return c.emit(item.span, Opcode::broadcast, {*value}, {}, &declared);
  if (!value) return std::nullopt;
  if (!same_shape(given, declared)) {
    c.report(error_at(Code::E0206, item.span, fmt::format("{} is declared {}, and this is {}", what, type_text(declared), type_text(given)),
                      flag_that_sized(c, declared, given))
                 .label(item.span, given.is_scalar() ? "a scalar" : shape_text(given.dims)));
    return std::nullopt;
  }
  for (std::size_t i = 0; i < given.rank(); ++i)
    if (!given.dims[i].name.empty() && !declared.dims[i].name.empty() && given.dims[i].name != declared.dims[i].name) {
      c.error(Code::E0202, item.span,
              fmt::format("{} is declared {}, and this is {}: the dims have different names", what, type_text(declared), type_text(given)),
              "if the match is meant, rename with `reshape(v, […])`");
      return std::nullopt;
    }
  adopt_names(c, *value->as<ValueId>(), declared.dims);
  return value;
}

std::optional<Item> to_fit(Context& c, const Item& item, Type type, const std::string& what) {
  auto value = to_value(c, item, type.element);
  if (!value) return std::nullopt;
  const Type given = c.type(*value);
  auto misfit = [&](Code code, const char* why) {
    c.error(code, item.span,
            fmt::format("{} must be {}, and `{}` is {}{}", what, type_text(type), c.text_of(item.span), type_text(given), why));
    return std::nullopt;
  };
  if (given.tape || !widens(given.element, type.element)) return misfit(Code::E0203, "");
  const Type both[] = {type, given};
  auto stretches = [&](bool strict_names) {
    auto met = ir::broadcast_dims(both, strict_names);
    return met && same_shape(Type(type.element, *met), type);
  };
  if (!stretches(false)) return misfit(Code::E0201, "");
  if (!stretches(true)) return misfit(Code::E0202, ": the dims have different names");
  value = cast_to(c, *value, type.element, item.span);
  return !value || same_shape(given, type) ? value : c.emit(item.span, Opcode::broadcast, {*value}, {}, &type);
}

std::optional<Item> whole_number(Context& c, Span span, std::int64_t value, Element element) {
  if (fits(value, element)) return Item{typed(value, element), span};
  c.error(Code::E0210, span, fmt::format("{} does not fit {}", value, element_name(element)));
  return std::nullopt;
}

std::optional<Item> constant(Context& c, Span span, const Number& number, const Type& type) {
  auto value = stored(c, span, number, type.element);
  return value ? c.emit(span, Opcode::constant, {}, {{Attr::value, *value}}, &type) : std::nullopt;
}

std::optional<Item> stack(Context& c, Span span, const std::vector<Item>& items, std::int64_t axis) {
  std::vector<Item> layers;
  const Type first = c.type(items[0]);
  for (const Item& item : items) {
    const Type& type = c.type(item);
    if (!same_shape(type, first)) {
      c.report(error_at(Code::E0201, span, fmt::format("cannot stack {} and {}", c.described(items[0]), c.described(item)),
                        "the items of a list are scalars, or tensors of one shape")
                   .label(items[0].span, first.is_scalar() ? "a scalar" : shape_text(first.dims))
                   .label(item.span, type.is_scalar() ? "a scalar" : shape_text(type.dims)));
      return std::nullopt;
    }
    std::vector<Dim> dims = type.dims;
    dims.insert(dims.begin() + axis, Dim{1, {}});
    auto layer = reshape(c, item.span, item, std::move(dims));
    if (!layer) return std::nullopt;
    layers.push_back(std::move(*layer));
  }
  return concatenate(c, span, layers, axis);
}

std::optional<Item> concatenate(Context& c, Span span, const std::vector<Item>& items, std::int64_t axis) {
  return items.size() == 1 ? items[0] : c.emit(span, Opcode::concat, items, {{Attr::axis, axis}});
}

std::optional<Item> reshape(Context& c, Span span, const Item& value, std::vector<Dim> dims) {
  const Type& from = c.type(value);
  Type to(from.element, std::move(dims));
  bool same = same_shape(from, to);
  for (std::size_t i = 0; same && i < to.rank(); ++i) same = from.dims[i].name == to.dims[i].name;
  return same ? value : c.emit(span, Opcode::reshape, {value}, {}, &to);
}

std::optional<Item> part(Context& c, Span span, const Item& value, std::size_t axis, std::int64_t start, std::int64_t size) {
  const Type& type = c.type(value);
  if (start == 0 && size == type.size(axis)) return value;
  std::vector<std::int64_t> starts(type.rank(), 0), steps(type.rank(), 1), sizes = type.sizes();
  starts[axis] = start;
  sizes[axis] = size;
  return c.emit(span, Opcode::slice, {value},
                {{Attr::starts, starts},
                 {Attr::sizes, sizes},
                 {Attr::steps, steps},
                 {Attr::dynamic, std::vector<std::int64_t>{}},
                 {Attr::drop, std::vector<std::int64_t>{}}});
}

}  // namespace bpc::frontend::lowering
