// The forms of derivative: each is made of the ops grad, vjp and jvp, which are expanded after lowering.
#include <fmt/format.h>
#include <algorithm>
#include <functional>
#include <numeric>

#include "frontend/lower/builtins.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/regions.h"
#include "ir/text.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Attr;
using ir::Opcode;
using ir::ValueId;

// What is differentiated; E0303 when it has no derivative.
std::optional<Item> real_value(Context& c, const Item& item) {
  if (is_function(item)) {
    const std::string name = c.text_of(item.span);
    c.error(Code::E0209, item.span, fmt::format("a value is differentiated, and `{}` is a function", name),
            fmt::format("call it: `grad({}(x), x)`", name));
    return std::nullopt;
  }
  auto value = to_value(c, item);
  if (!value) return std::nullopt;
  const Type type = c.type(*value);
  if (is_real(type.element) && !type.tape) return value;
  c.error(Code::E0303, item.span,
          fmt::format("`{}` is {}, which has no derivative", c.text_of(item.span), type.tape ? "a tape" : element_name(type.element)));
  return std::nullopt;
}

// The text of `w` in `w[i]`, if the item is what such an argument has just made.
std::string indexed_name(Context& c, const Item& item) {
  const ValueId* id = item.as<ValueId>();
  const ir::Op* made = id ? c.function().def(*id) : nullptr;
  if (!made || (made->code != Opcode::slice && made->code != Opcode::gather) || c.function().origin(made->origin).span != item.span)
    return {};
  const std::string text = c.text_of(item.span);
  return text.ends_with("]") ? text.substr(0, text.find('[')) : std::string{};
}

// What it is differentiated by. E0301 for a part of a tensor or a list of several, which y was not computed from.
std::optional<Item> variable(Context& c, std::string_view form, const Item& y, const Item& item) {
  const std::string of = c.text_of(y.span), by = c.text_of(item.span);
  auto made_here = [&](std::string help) {
    c.error(Code::E0301, item.span, fmt::format("`{}` is made here, after `{}` was computed", by, of), std::move(help));
    return std::nullopt;
  };
  if (const List* list = item.as<List>(); list && by.starts_with("[")) {
    std::vector<std::string> parts;
    for (const Item& part : list->items) parts.push_back(c.text_of(part.span));
    if (!std::all_of(parts.begin(), parts.end(), ir::is_identifier))
      return made_here(fmt::format("give it a name before, `x = {}`, compute from x, and differentiate by x", by));
    return made_here(form == "grad" ? fmt::format("write `grad({}, {})`", of, fmt::join(parts, ", "))
                                    : fmt::format("`{}` takes one at a time, or the tensor that they are parts of", form));
  }
  if (std::string whole = indexed_name(c, item); !whole.empty())
    return made_here(form == "grad" ? fmt::format("write `grad({}, {}){}`", of, whole, by.substr(whole.size()))
                                    : fmt::format("differentiate by `{}` and take the part of the result", whole));
  if (!is_compile_time(item)) return real_value(c, item);
  if (const Text* name = item.as<Text>())
    c.error(Code::E0301, item.span, "what to differentiate by is a value, not a text", fmt::format("write `{}`", name->text));
  else
    c.error(Code::E0301, item.span, fmt::format("`{}` is a compile-time number, and nothing varies with it", by));
  return std::nullopt;
}

std::optional<Item> scalar(Context& c, std::string_view form, const Item& item) {
  auto y = real_value(c, item);
  if (!y || c.type(*y).is_scalar()) return y;
  c.report(error_at(Code::E0302, y->span, fmt::format("`{}` needs a scalar, and {} is a tensor", form, c.described(*y)),
                    fmt::format("take `sum({0})` or `mean({0})`", c.text_of(y->span)))
               .label(y->span, shape_text(c.type(*y).dims)));
  return std::nullopt;
}

// The i-th unit vector of a shape, at an index for each axis.
std::optional<Item> unit(Context& c, Span span, const Type& type, const std::vector<Item>& indices) {
  auto one = constant(c, span, weak(std::int64_t{1}), Type(type.element));
  if (type.is_scalar() || !one) return one;
  auto zero = constant(c, span, weak(std::int64_t{0}), type);
  if (!zero) return std::nullopt;
  std::vector<std::int64_t> ones(type.rank(), 1), axes(type.rank());
  std::iota(axes.begin(), axes.end(), 0);
  std::vector<Item> operands{*zero, *one};
  operands.insert(operands.end(), indices.begin(), indices.end());
  return c.emit(span, Opcode::update, operands,
                {{Attr::starts, std::vector<std::int64_t>(type.rank(), 0)},
                 {Attr::sizes, ones},
                 {Attr::steps, ones},
                 {Attr::dynamic, axes},
                 {Attr::drop, axes},
                 {Attr::add, true}});  // added to zeros, it can be done for all indices at once
}

// `derivative` in the direction of each unit vector of a type: the axes of that type first.
std::optional<Item> in_each_direction(Context& c, Span span, Type type,
                                      const std::function<std::optional<Item>(const Item& direction)>& derivative) {
  if (type.is_scalar()) {
    auto direction = unit(c, span, type, {});
    return direction ? derivative(*direction) : std::nullopt;
  }
  ir::BlockId block = c.function().add_block({});
  std::vector<Item> indices;
  for (std::size_t i = 0; i < type.rank(); ++i) {
    Item index{c.function().add_argument(block, Type(Element::i32), fmt::format("i{}", i)), span};
    indices.push_back(index);
  }
  std::optional<Item> element;
  in_block(c, block, {}, [&] {
    auto direction = unit(c, span, type, indices);
    element = direction ? derivative(*direction) : std::nullopt;
  });
  return element ? map_op(c, span, block, type.dims, *element) : std::nullopt;
}

}  // namespace

std::optional<Item> builtins::vjp(Context& c, const BuiltinCall& call) {
  auto y = real_value(c, call["y"]), x = variable(c, call.name, call["y"], call["x"]);
  auto v = y && x ? to_fit(c, call["v"], c.type(*y), "the cotangent of `vjp`") : std::nullopt;
  return v ? c.emit(call.span, Opcode::vjp, {*y, *v, *x}) : std::nullopt;
}

std::optional<Item> builtins::jvp(Context& c, const BuiltinCall& call) {
  auto y = real_value(c, call["y"]), x = variable(c, call.name, call["y"], call["x"]);
  auto v = y && x ? to_fit(c, call["v"], c.type(*x), "the direction of `jvp`") : std::nullopt;
  return v ? c.emit(call.span, Opcode::jvp, {*y, *x, *v}) : std::nullopt;
}

std::optional<Item> builtins::hvp(Context& c, const BuiltinCall& call) {
  auto y = scalar(c, call.name, call["J"]), w = y ? variable(c, call.name, call["J"], call["w"]) : std::nullopt;
  auto v = y && w ? to_fit(c, call["v"], c.type(*w), "the direction of `hvp`") : std::nullopt;
  auto g = v ? c.emit(call.span, Opcode::grad, {*y, *w}) : std::nullopt;
  return g ? c.emit(call.span, Opcode::jvp, {*g, *w, *v}) : std::nullopt;
}

std::optional<Item> builtins::hessian(Context& c, const BuiltinCall& call) {
  auto y = scalar(c, call.name, call["J"]), w = y ? variable(c, call.name, call["J"], call["w"]) : std::nullopt;
  auto g = y && w ? c.emit(call.span, Opcode::grad, {*y, *w}) : std::nullopt;
  if (!g) return std::nullopt;
  return in_each_direction(c, call.span, c.type(*w), [&](const Item& v) { return c.emit(call.span, Opcode::jvp, {*g, *w, v}); });
}

// By rows (reverse mode) or by columns (forward mode), whichever are fewer.
std::optional<Item> builtins::jacobian(Context& c, const BuiltinCall& call) {
  auto y = real_value(c, call["y"]), x = variable(c, call.name, call["y"], call["x"]);
  if (!y || !x) return std::nullopt;
  const Type of = c.type(*y), by = c.type(*x);
  if (of.count() <= by.count())
    return in_each_direction(c, call.span, of, [&](const Item& v) { return c.emit(call.span, Opcode::vjp, {*y, v, *x}); });
  auto columns = in_each_direction(c, call.span, by, [&](const Item& v) { return c.emit(call.span, Opcode::jvp, {*y, *x, v}); });
  if (!columns || by.is_scalar()) return columns;
  std::vector<std::int64_t> perm(of.rank() + by.rank());
  std::iota(perm.begin(), perm.end(), 0);
  std::rotate(perm.begin(), perm.begin() + static_cast<std::ptrdiff_t>(by.rank()), perm.end());
  return c.emit(call.span, Opcode::transpose, {*columns}, {{Attr::perm, perm}});
}

std::optional<Item> builtins::grad(Context& c, const BuiltinCall& call) {
  const std::vector<Item>& given = call.arguments;
  if (given.size() < 2) {
    c.error(Code::E0105, call.span, "`grad` takes a scalar and what to differentiate it by", "write `grad(J, w)` or `grad(J, w, b)`");
    return std::nullopt;
  }
  std::vector<ValueId> ids;
  std::vector<Type> types;
  for (std::size_t i = 0; i < given.size(); ++i) {
    auto value = i == 0 ? scalar(c, call.name, given[0]) : variable(c, call.name, given[0], given[i]);
    if (!value) return std::nullopt;
    ids.push_back(*value->as<ValueId>());
    types.push_back(c.type(ids.back()));
  }
  c.set_origin(call.span);
  ir::OpId op = c.builder->emit_op(Opcode::grad, ids, {}, std::span(types).subspan(1));
  const auto& results = c.function().op(op).results;
  if (results.size() == 1) return Item{results[0], call.span};
  Tuple tuple;
  for (ValueId id : results) tuple.items.push_back({id, call.span});
  return Item{std::move(tuple), call.span};
}

}  // namespace bpc::frontend::lowering
