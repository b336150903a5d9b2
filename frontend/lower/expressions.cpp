#include "frontend/lower/expressions.h"

#include <fmt/format.h>

#include "frontend/lower/calls.h"
#include "frontend/lower/comprehensions.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/numbers.h"

namespace bpc::frontend::lowering {

namespace {

using ir::ValueId;

std::optional<Item> number(const NumberExpr& e, Span span) {
  return e.integer ? Item{weak(*e.integer), span} : Item{weak(e.value), span};
}

// `a + b + c + …` leans to the left and may be thousands long: its left spine is walked, not recursed into.
std::optional<Item> binary_chain(Context& c, ExprId id) {
  std::vector<ExprId> spine;
  while (const auto* e = std::get_if<BinaryExpr>(&c.expr(id).node)) {
    spine.push_back(id);
    id = e->left;
  }
  auto left = expression(c, id);
  for (auto it = spine.rbegin(); it != spine.rend(); ++it) {
    const Expr& outer = c.expr(*it);
    const auto& e = std::get<BinaryExpr>(outer.node);
    // A compile-time left side decides `and` and `or`, so that `axis != none and …` guards its right side.
    const bool* decided = left ? left->as<bool>() : nullptr;
    if (decided && ((e.spelling == "and" && !*decided) || (e.spelling == "or" && *decided))) {
      left->span = outer.span;
      continue;
    }
    auto right = expression(c, e.right);
    left = left && right ? binary(c, outer.span, e.spelling_span, e.spelling, *left, *right) : std::nullopt;
  }
  return left;
}

std::optional<Item> list(Context& c, const ListExpr& e, Span span) {
  List result;
  bool ok = true;
  for (ExprId id : e.items) {
    auto item = expression(c, id);
    ok &= item && is_no_function(c, *item);
    if (item) result.items.push_back(std::move(*item));
  }
  return ok ? std::optional(Item{std::move(result), span}) : std::nullopt;
}

std::optional<Item> transposition(Context& c, const TransposeExpr& e, Span span) {
  auto x = value(c, e.operand);
  if (!x || !reject_tape(c, *x, "`.T`")) return std::nullopt;
  std::size_t rank = c.type(*x).rank();
  if (rank < 2) {
    c.error(Code::E0204, span, fmt::format("`.T` swaps the last two axes, and {} has {}", c.described(*x), rank == 0 ? "none" : "one"),
            rank == 1 ? fmt::format("`expand_dims({}, 1)` makes a column of it", c.text_of(x->span)) : "");
    return std::nullopt;
  }
  std::vector<std::int64_t> perm;
  for (std::size_t i = 0; i < rank; ++i) perm.push_back(static_cast<std::int64_t>(i));
  std::swap(perm[rank - 1], perm[rank - 2]);
  return c.emit(span, ir::Opcode::transpose, {*x}, {{ir::Attr::perm, std::move(perm)}});
}

// An item of a compile-time list, such as shape(x)[0].
std::optional<Item> list_item(Context& c, const List& items, ExprId index, Span span) {
  auto item = expression(c, index);
  auto at = item ? to_integer(c, *item, "the index of a list") : std::nullopt;
  if (!at) return std::nullopt;
  auto n = static_cast<std::int64_t>(items.items.size());
  if (*at < -n || *at >= n) {
    c.error(Code::E0401, item->span, fmt::format("index {} is outside {}..{} for a size {}", *at, -n, n - 1, n));
    return std::nullopt;
  }
  Item result = items.items[static_cast<std::size_t>(*at < 0 ? *at + n : *at)];
  result.span = c.place_of(result, span);
  return result;
}

// A part of a list of numbers, such as shape(x)[1..], is known as well, if it lies within the list.
std::optional<Item> list_part(Context& c, const List& items, const RangeExpr& range, Span span) {
  const auto n = static_cast<std::int64_t>(items.items.size());
  auto bound = [&](ExprId id, std::int64_t absent) -> std::optional<std::int64_t> {
    if (!id.valid()) return absent;
    auto item = expression(c, id);
    const Number* number = item ? item->as<Number>() : nullptr;
    if (!number || !number->is_integer()) return std::nullopt;
    return number->integer() < 0 ? number->integer() + n : number->integer();
  };
  const auto lo = bound(range.lo, 0), hi = bound(range.hi, n);
  if (range.step.valid() || !lo || !hi || *lo < 0 || *hi < *lo || *hi > n) return std::nullopt;
  return Item{List{{items.items.begin() + *lo, items.items.begin() + *hi}}, span};
}

std::optional<Item> index(Context& c, const IndexExpr& e, Span span) {
  auto base = expression(c, e.base);
  if (!base) return std::nullopt;
  const RangeExpr* range = e.items.size() == 1 ? std::get_if<RangeExpr>(&c.expr(e.items[0]).node) : nullptr;
  const List* items = e.items.size() == 1 ? base->as<List>() : nullptr;
  if (items && range && is_shape(*items))
    if (auto part = list_part(c, *items, *range, span)) return part;
  if (items && !range) {
    auto at = expression(c, e.items[0]);
    if (!at) return std::nullopt;
    if (at->holds<Number>()) return list_item(c, *items, e.items[0], span);
  }
  auto x = to_value(c, *base);
  if (x && std::holds_alternative<ListExpr>(c.expr(e.base).node) && e.items.size() > c.type(*x).rank()) {
    c.error(Code::E0204, span, fmt::format("{} is indexed here, by {} indices", c.text_of(x->span), e.items.size()),
            "between two lists stands a comma");
    return std::nullopt;
  }
  auto part = x ? resolve_index(c, *x, e.items, span) : std::nullopt;
  return part ? read_part(c, span, *x, *part) : std::nullopt;
}

struct Visit {
  Context& c;
  ExprId id;
  Span span;

  std::optional<Item> operator()(const NumberExpr& e) { return number(e, span); }
  std::optional<Item> operator()(const BoolExpr& e) { return Item{e.value, span}; }
  std::optional<Item> operator()(const StringExpr& e) { return Item{Text{e.value}, span}; }
  std::optional<Item> operator()(const NameExpr&) {
    auto item = c.lookup(c.meaning(id), span);
    if (item) c.note_type(span, *item);
    return item;
  }
  std::optional<Item> operator()(const UnaryExpr& e) {
    auto x = expression(c, e.operand);
    return x ? unary(c, span, e.spelling, *x) : std::nullopt;
  }
  std::optional<Item> operator()(const BinaryExpr&) { return std::nullopt; }  // see binary_chain
  std::optional<Item> operator()(const ConditionalExpr& e) { return conditional(c, span, e); }
  std::optional<Item> operator()(const RangeExpr&) {
    c.error(Code::E0209, span, "a range stands in a `for` or an index, and is not a value", "`arange(a, b)` is a tensor");
    return std::nullopt;
  }
  std::optional<Item> operator()(const ListExpr& e) { return list(c, e, span); }
  std::optional<Item> operator()(const CallExpr& e) {
    auto item = call(c, c.meaning(id), e, span);
    if (item) c.note_type(e.callee.span, *item);
    return item;
  }
  std::optional<Item> operator()(const IndexExpr& e) { return index(c, e, span); }
  std::optional<Item> operator()(const TransposeExpr& e) { return transposition(c, e, span); }
  std::optional<Item> operator()(const ComprehensionExpr& e) { return comprehension(c, e, span); }
  std::optional<Item> operator()(const FunctionExpr& e) {
    const Definition* function = c.meaning(e.fn.name);
    if (!function) return std::nullopt;
    return Item{Callable{c.frame->ast, c.frame->names, function, &e.fn, c.frame}, span};
  }
};

}  // namespace

std::optional<Item> expression(Context& c, ExprId id) {
  const Expr& e = c.expr(id);
  const Nesting nesting(c, e.span);
  return std::holds_alternative<BinaryExpr>(e.node) ? binary_chain(c, id) : std::visit(Visit{c, id, e.span}, e.node);
}

std::optional<Item> value(Context& c, ExprId id) {
  auto item = expression(c, id);
  return item ? to_value(c, *item) : std::nullopt;
}

}  // namespace bpc::frontend::lowering
