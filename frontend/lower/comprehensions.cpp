#include "frontend/lower/comprehensions.h"
#include "frontend/lower/advice.h"

#include <fmt/format.h>
#include <algorithm>

#include "frontend/lower/calls.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/draws.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/range_length.h"
#include "frontend/lower/regions.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Attr;
using ir::BlockId;
using ir::Opcode;
using ir::ValueId;

constexpr std::string_view kReductions[] = {"sum",    "mean",   "prod", "max", "min",  "any",      "all",
                                            "argmax", "argmin", "var",  "std", "norm", "logsumexp"};

// A generator's range: how long it is, and where it starts and by what it steps, which the index is made of.
struct Steps {
  Dim size;
  Item lo, step;
};

// A scalar integer; E0203.
std::optional<Item> bound(Context& c, ExprId id) {
  auto item = expression(c, id);
  if (!item) return std::nullopt;
  if (const Number* number = item->as<Number>(); number && number->is_integer()) return item;
  auto value = to_value(c, *item, Element::i32);
  if (!value) return std::nullopt;
  const Type& type = c.type(*value);
  if (is_integer(type.element) && type.is_scalar()) return value;
  c.error(Code::E0203, item->span,
          fmt::format("the bounds of a range are integers, and `{}` is {}", c.text_of(item->span), type_text(type)),
          bound_help(c, *item, type));
  return std::nullopt;
}

std::optional<Steps> steps_of(Context& c, const RangeExpr& e, Span span) {
  if (!e.lo.valid() || !e.hi.valid()) {
    c.error(Code::E0209, span, "a comprehension runs over a range with both bounds", "write `for i in 0..n`");
    return std::nullopt;
  }
  auto lo = bound(c, e.lo);
  auto step = e.step.valid() ? expression(c, e.step) : Item{weak(std::int64_t{1}), span};
  auto by = step ? to_integer(c, *step, "the step of a comprehension") : std::nullopt;
  if (!lo || !by) return std::nullopt;
  if (*by == 0) {
    c.error(Code::E0407, step->span, "the step is 0, and the range would never end");
    return std::nullopt;
  }
  auto distance = known_distance(c, e.lo, e.hi);
  Dim size;
  if (!distance) {
    auto hi = bound(c, e.hi);
    if (!hi) return std::nullopt;
    const Number *from = lo->as<Number>(), *to = hi->as<Number>();
    std::int64_t reach = 0;
    if (!from || !to || __builtin_sub_overflow(to->integer(), from->integer(), &reach)) {
      c.error(Code::E0205, span, fmt::format("the length of `{}` is not known at compile time", c.text_of(span)),
              "a comprehension makes a tensor, whose shape is known; where it is not, write a loop");
      return std::nullopt;
    }
    distance = reach;
  }
  const Number* from = lo->as<Number>();
  const auto* named = std::get_if<NameExpr>(&c.expr(e.hi).node);
  const Binding* end = named && from && from->integer() == 0 && *by == 1 ? c.find(c.meaning(e.hi)) : nullptr;
  if (const Number* to = end ? end->item.as<Number>() : nullptr) size.name = to->dim;
  size.size = range_length(0, *distance, *by);
  if (size.size > INT32_MAX) {
    c.error(Code::E0210, span, fmt::format("`{}` has {} steps, more than indices count", c.text_of(span), size.size));
    return std::nullopt;
  }
  return Steps{std::move(size), std::move(*lo), std::move(*step)};
}

// lo + step * i, leaving out what changes nothing.
std::optional<Item> stepped(Context& c, Span span, const Item& index, const Steps& steps) {
  auto is = [](const Item& item, std::int64_t value) {
    const Number* number = item.as<Number>();
    return number && number->integer() == value;
  };
  std::optional<Item> at = index;
  if (!is(steps.step, 1)) at = binary(c, span, {}, "*", *at, steps.step);
  if (at && !is(steps.lo, 0)) at = binary(c, span, {}, "+", *at, steps.lo);
  return at;
}

// Binds the variables of the generators in the current scope, that of the map's block, and returns the sizes of their axes.
std::optional<std::vector<Dim>> bind_generators(Context& c, const std::vector<Generator>& generators, BlockId block) {
  std::vector<Dim> sizes;
  bool ok = true;
  for (const Generator& generator : generators) {
    const Expr& range = c.expr(generator.range);
    auto steps = steps_of(c, std::get<RangeExpr>(range.node), range.span);
    Item index{c.function().add_argument(block, Type(Element::i32), {}), generator.variable.span};
    c.counters.back().values.push_back(*index.as<ValueId>());
    auto at = steps ? stepped(c, generator.variable.span, index, *steps) : std::nullopt;
    ok &= at.has_value();
    if (at) {
      sizes.push_back(steps->size);
      c.function().value(*at->as<ValueId>()).name = generator.variable.text;
    }
    c.bind(generator.variable, at ? *at : Item{Poison{}, generator.variable.span}, generator.variable.span);
  }
  return ok ? std::optional(std::move(sizes)) : std::nullopt;
}

// ---- reductions ----

bool is_reduction(std::string_view name) {
  return std::find(std::begin(kReductions), std::end(kReductions), name) != std::end(kReductions);
}

// The axes of the generators, as an argument `axis`; `none` when the tensor has no others.
Item generator_axes(Context& c, std::size_t generators, const Item& tensor) {
  if (c.type(tensor).rank() == generators) return {None{}, tensor.span};
  if (generators == 1) return {weak(std::int64_t{0}), tensor.span};
  List axes;
  for (std::size_t i = 0; i < generators; ++i) axes.items.push_back({weak(static_cast<std::int64_t>(i)), tensor.span});
  return {std::move(axes), tensor.span};
}

// lo, hi and step of a range whose length is only known at run time, as values of one integer type; empty when it is known. nullopt when an
// error was reported.
std::optional<std::vector<Item>> run_time_bounds(Context& c, const RangeExpr& e) {
  std::vector<Item> bounds;
  if (!e.lo.valid() || !e.hi.valid() || known_distance(c, e.lo, e.hi)) return bounds;
  auto lo = bound(c, e.lo), hi = bound(c, e.hi), step = e.step.valid() ? bound(c, e.step) : Item{weak(std::int64_t{1}), {}};
  if (!lo || !hi || !step) return std::nullopt;
  if (lo->holds<Number>() && hi->holds<Number>()) return bounds;
  if (const Number* by = step->as<Number>(); by && by->integer() == 0) {
    c.error(Code::E0407, step->span, "the step is 0, and the range would never end");
    return std::nullopt;
  }
  std::vector<Item> values;
  Element element = Element::i32;
  for (const Item& item : {*lo, *hi, *step}) {
    auto value = to_value(c, item, Element::i32);
    if (!value) return std::nullopt;
    if (c.type(*value).element == Element::i64) element = Element::i64;
    values.push_back(std::move(*value));
  }
  for (const Item& value : values) {
    auto converted = cast_to(c, value, element, value.span);
    if (!converted) return std::nullopt;
    bounds.push_back(std::move(*converted));
  }
  return bounds;
}

// A loop that adds the terms up.
std::optional<Item> add_up(Context& c, const ComprehensionExpr& e, const std::vector<Item>& bounds, Span span) {
  std::vector<ValueId> operands;
  for (const Item& item : bounds) operands.push_back(*item.as<ValueId>());
  const Name& variable = e.generators[0].variable;
  BlockId block = c.function().add_block({});
  std::optional<Item> sum;
  ValueId index = c.function().add_argument(block, c.type(operands[0]), variable.text);
  const Counted counted(c, {{}, {index}});
  in_block(c, block, {}, [&] {
    c.bind(variable, {index, variable.span}, variable.span);
    auto term = value(c, e.body);
    if (!term) return;
    Item before{c.function().add_argument(block, c.type(*term), {}), term->span};
    sum = c.emit(span, Opcode::add, {before, *term});
  });
  const Type type = sum ? c.type(*sum) : Type();
  auto zero = sum ? constant(c, span, weak(std::int64_t{0}), type) : std::nullopt;
  if (!zero) return std::nullopt;
  c.function().block(block).yields = {*sum->as<ValueId>()};
  operands.push_back(*zero->as<ValueId>());
  return Item{region_op(c, span, Opcode::for_loop, operands, {type}, {block})[0], span};
}

}  // namespace

std::optional<Item> comprehension(Context& c, const ComprehensionExpr& e, Span span) {
  BlockId block = c.function().add_block({});
  std::optional<std::vector<Dim>> sizes;
  std::optional<Item> element;
  const Counted counted(c, {});
  in_block(c, block, {}, [&] {
    sizes = bind_generators(c, e.generators, block);
    element = value(c, e.body);
  });
  return sizes && element ? map_op(c, span, block, *sizes, *element) : std::nullopt;
}

const ComprehensionExpr* bare_comprehension(Context& c, const CallExpr& call) {
  for (const Argument& argument : call.arguments)
    if (const auto* e = std::get_if<ComprehensionExpr>(&c.expr(argument.value).node); e && !e->bracketed) return e;
  return nullptr;
}

std::optional<Item> reduce_comprehension(Context& c, const Definition& function, const CallExpr& call, const ComprehensionExpr& e,
                                         Span span) {
  const std::string& name = call.callee.text;
  Span at = c.expr(call.arguments[0].value).span;
  auto is_operand = [](const Argument& argument) { return !argument.name || argument.name->text == "x"; };
  bool alone = std::count_if(call.arguments.begin(), call.arguments.end(), is_operand) == 1 &&
               std::get_if<ComprehensionExpr>(&c.expr(call.arguments[0].value).node) == &e;
  const bool is_library = function.kind == Definition::Kind::builtin || function.kind == Definition::Kind::library;
  if (!alone || !is_reduction(name) || !is_library) {
    c.error(Code::E0209, at, fmt::format("`{}` does not reduce a comprehension", name),
            fmt::format("`{}([… for …])` gives it the tensor", name));
    return std::nullopt;
  }
  if (name == "sum" && e.generators.size() == 1 && call.arguments.size() == 1) {
    auto bounds = run_time_bounds(c, std::get<RangeExpr>(c.expr(e.generators[0].range).node));
    if (!bounds) return std::nullopt;
    if (!bounds->empty()) return add_up(c, e, *bounds, span);
  }
  auto tensor = comprehension(c, e, at);
  if (!tensor) return std::nullopt;
  tensor->span = c.expr(e.body).span;
  std::vector<Given> given{{std::nullopt, *tensor}};
  bool has_axis = false;
  for (std::size_t i = 1; i < call.arguments.size(); ++i) {
    auto item = expression(c, call.arguments[i].value);
    if (!item) return std::nullopt;
    has_axis |= call.arguments[i].name->text == "axis";
    given.push_back({call.arguments[i].name, std::move(*item)});
  }
  if (!has_axis) given.push_back({Name{"axis", at}, generator_axes(c, e.generators.size(), *tensor)});
  return call_library(c, function, call.callee, given, span);
}

}  // namespace bpc::frontend::lowering
