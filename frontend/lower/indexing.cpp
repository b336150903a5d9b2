#include <fmt/format.h>
#include <algorithm>
#include <map>

#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/numbers.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Attr;
using ir::ValueId;

// An index expression as a sum of integer multiples of sub-expressions, so that `(i+1)*B - i*B` is seen to be B. A sub-expression is told
// by its text: the same text at the same place means the same value.
struct Linear {
  std::map<std::string, std::int64_t> terms;
  std::int64_t constant = 0;

  bool is_constant() const { return terms.empty(); }
};

constexpr int kDeepestLinear = 64;

Linear scaled(Linear x, std::int64_t factor) {
  x.constant *= factor;
  for (auto& [text, times] : x.terms) times *= factor;
  std::erase_if(x.terms, [](const auto& term) { return term.second == 0; });
  return x;
}

Linear sum(Linear x, const Linear& y) {
  x.constant += y.constant;
  for (const auto& [text, times] : y.terms)
    if ((x.terms[text] += times) == 0) x.terms.erase(text);
  return x;
}

// Sizes and indices are small; a factor past this is no index, and the product above could overflow.
bool is_modest(const Linear& x) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 20;
  bool modest = std::abs(x.constant) < (kLimit << 20);
  for (const auto& [text, times] : x.terms) modest &= std::abs(times) < kLimit;
  return modest;
}

Linear atom(Context& c, ExprId id) {
  std::string text = c.sources.text(c.expr(id).span);
  std::erase_if(text, [](char ch) { return ch == ' ' || ch == '\t' || ch == '\n'; });
  return {{{text, 1}}, 0};
}

Linear linear(Context& c, ExprId id, int depth = 0) {
  const Expr& e = c.expr(id);
  if (depth > kDeepestLinear) return atom(c, id);
  if (const auto* number = std::get_if<NumberExpr>(&e.node); number && number->integer && std::abs(*number->integer) < (1ll << 40))
    return {{}, *number->integer};
  if (const auto* name = std::get_if<NameExpr>(&e.node)) {
    const Binding* binding = c.find(name->name);
    const Number* known = binding ? binding->item.as<Number>() : nullptr;
    if (known && known->is_integer() && std::abs(known->integer()) < (1ll << 40)) return {{}, known->integer()};
    return {{{name->name, 1}}, 0};
  }
  if (const auto* minus = std::get_if<UnaryExpr>(&e.node); minus && minus->spelling == "-")
    return scaled(linear(c, minus->operand, depth + 1), -1);
  if (const auto* op = std::get_if<BinaryExpr>(&e.node)) {
    bool plus = op->spelling == "+", minus = op->spelling == "-", times = op->spelling == "*";
    if (!plus && !minus && !times) return atom(c, id);
    Linear a = linear(c, op->left, depth + 1), b = linear(c, op->right, depth + 1);
    if (!is_modest(a) || !is_modest(b)) return atom(c, id);
    if (plus || minus) return sum(std::move(a), scaled(std::move(b), plus ? 1 : -1));
    if (a.is_constant() && std::abs(a.constant) < (1 << 20)) return scaled(std::move(b), a.constant);
    if (b.is_constant() && std::abs(b.constant) < (1 << 20)) return scaled(std::move(a), b.constant);
  }
  return atom(c, id);
}

// One axis of the index.
struct AxisPart {
  std::int64_t start = 0, size = 0, step = 1;
  std::optional<Item> dynamic;  // the start, when it is only known at run time
  bool drop = false;
};

std::optional<AxisPart> out_of_range(Context& c, const Item& at, std::int64_t index, std::int64_t n, const Item& base, std::size_t axis) {
  c.report(error_at(Code::E0401, at.span,
                    fmt::format("index {} is outside {}..{} for a size {} (axis {} of {})", index, -n, n - 1, n, axis, c.described(base))));
  return std::nullopt;
}

// A start known at run time only must be a scalar integer.
std::optional<Item> dynamic_start(Context& c, const Item& item) {
  auto start = to_value(c, item);
  if (!start) return std::nullopt;
  const Type& type = c.type(*start->as<ValueId>());
  if (!is_integer(type.element)) {
    std::string help = type.element == Element::boolean ? "" : fmt::format("`i32({})` truncates", c.text_of(item.span));
    c.error(Code::E0203, item.span, fmt::format("an index must be an integer, and `{}` is {}", c.text_of(item.span), type_text(type)),
            help);
    return std::nullopt;
  }
  if (!type.is_scalar()) {
    c.not_implemented(item.span, "indexing by a tensor");
    return std::nullopt;
  }
  return start;
}

std::optional<AxisPart> single(Context& c, const Item& item, std::int64_t n, const Item& base, std::size_t axis) {
  AxisPart part{0, 1, 1, std::nullopt, true};
  if (!item.holds<Number>()) {
    part.dynamic = dynamic_start(c, item);
    return part.dynamic ? std::optional(part) : std::nullopt;
  }
  auto at = to_integer(c, item, "an index");
  if (!at) return std::nullopt;
  if (*at < -n || *at >= n) return out_of_range(c, item, *at, n, base, axis);
  part.start = *at < 0 ? *at + n : *at;
  return part;
}

// A bound of a range: -n..n, negative counts from the end.
std::optional<std::int64_t> bound(Context& c, const Item& item, std::int64_t n, const Item& base, std::size_t axis) {
  auto at = to_integer(c, item, "a bound");
  if (!at) return std::nullopt;
  if (*at < -n || *at > n) {
    c.error(Code::E0401, item.span,
            fmt::format("bound {} is outside {}..{} for a size {} (axis {} of {})", *at, -n, n, n, axis, c.described(base)));
    return std::nullopt;
  }
  return *at < 0 ? *at + n : *at;
}

std::int64_t length(std::int64_t lo, std::int64_t hi, std::int64_t step) {
  std::int64_t reach = step > 0 ? hi - lo : lo - hi, stride = step > 0 ? step : (step == INT64_MIN ? INT64_MAX : -step);
  return reach <= 0 ? 0 : (reach - 1) / stride + 1;
}

std::optional<AxisPart> range(Context& c, const RangeExpr& e, Span span, std::int64_t n, const Item& base, std::size_t axis) {
  AxisPart part;
  if (e.step.valid()) {
    auto item = expression(c, e.step);
    auto step = item ? to_integer(c, *item, "a step") : std::nullopt;
    if (!step) return std::nullopt;
    if (*step == 0) {
      c.error(Code::E0407, item->span, "the step is 0, and the range would never end");
      return std::nullopt;
    }
    part.step = *step;
  }
  if (e.lo.valid() && e.hi.valid()) {
    Linear lo = linear(c, e.lo), distance = sum(linear(c, e.hi), scaled(linear(c, e.lo), -1));
    if (!lo.is_constant() && distance.is_constant()) {
      auto start = expression(c, e.lo);
      if (!start) return std::nullopt;
      if (!start->holds<Number>()) {
        part.size = length(0, distance.constant, part.step);
        if (part.size > n) {
          c.error(Code::E0401, span,
                  fmt::format("{} elements are asked for, and axis {} of {} has {}", part.size, axis, c.described(base), n));
          return std::nullopt;
        }
        part.dynamic = dynamic_start(c, *start);
        return part.dynamic ? std::optional(part) : std::nullopt;
      }
    }
  }
  std::int64_t lo = part.step > 0 ? 0 : n - 1, hi = part.step > 0 ? n : -1;
  for (auto [id, at] : {std::pair{e.lo, &lo}, std::pair{e.hi, &hi}}) {
    if (!id.valid()) continue;
    auto item = expression(c, id);
    if (!item) return std::nullopt;
    if (!item->holds<Number>() && !item->failed()) {
      c.error(Code::E0205, span, fmt::format("the length of `{}` is not known at compile time", c.text_of(span)),
              "`x[i..i+3]` is: the bounds differ by a compile-time number");
      return std::nullopt;
    }
    auto position = bound(c, *item, n, base, axis);
    if (!position) return std::nullopt;
    *at = *position;
  }
  part.size = length(lo, hi, part.step);
  part.start = part.size == 0 ? 0 : lo;
  if (part.size > 0 && lo >= n) return out_of_range(c, Item{None{}, span}, lo, n, base, axis);  // downwards from past the end
  return part;
}

}  // namespace

std::optional<Part> resolve_index(Context& c, const Item& base, const std::vector<ExprId>& items, Span span) {
  const Type type = c.type(*base.as<ValueId>());
  if (items.size() > type.rank()) {
    std::string has = type.is_scalar() ? "is a scalar" : fmt::format("has {} {}", type.rank(), type.rank() == 1 ? "axis" : "axes");
    c.error(Code::E0204, span, fmt::format("{} {}, and the index names {}", c.described(base), has, items.size()));
    return std::nullopt;
  }
  Part part;
  std::vector<std::int64_t> starts, sizes, steps, dynamic, drop;
  bool ok = true;
  for (std::size_t axis = 0; axis < type.rank(); ++axis) {
    AxisPart one{0, type.size(axis), 1, std::nullopt, false};
    if (axis < items.size()) {
      const Expr& e = c.expr(items[axis]);
      std::optional<AxisPart> resolved;
      if (const auto* r = std::get_if<RangeExpr>(&e.node)) {
        resolved = range(c, *r, e.span, type.size(axis), base, axis);
      } else if (auto item = expression(c, items[axis])) {
        resolved = single(c, *item, type.size(axis), base, axis);
      }
      ok &= resolved.has_value();
      if (!resolved) continue;
      one = std::move(*resolved);
    }
    starts.push_back(one.start);
    sizes.push_back(one.size);
    steps.push_back(one.step);
    if (one.drop) drop.push_back(static_cast<std::int64_t>(axis));
    if (one.dynamic) {
      dynamic.push_back(static_cast<std::int64_t>(axis));
      part.starts.push_back(std::move(*one.dynamic));
    }
  }
  part.attrs = {{Attr::starts, starts}, {Attr::sizes, sizes}, {Attr::steps, steps}, {Attr::dynamic, dynamic}, {Attr::drop, drop}};
  return ok ? std::optional(std::move(part)) : std::nullopt;
}

std::optional<Item> read_part(Context& c, Span span, const Item& base, const Part& part) {
  std::vector<Item> operands{base};
  operands.insert(operands.end(), part.starts.begin(), part.starts.end());
  return c.emit(span, ir::Opcode::slice, operands, part.attrs);
}

std::optional<Item> write_part(Context& c, Span span, const Item& base, const Part& part, const Item& v) {
  const Type whole = c.type(*base.as<ValueId>());
  Type place(whole.element);
  const auto& drop = part.attrs.ints(Attr::drop);
  for (std::size_t axis = 0; axis < whole.rank(); ++axis)
    if (!std::binary_search(drop.begin(), drop.end(), static_cast<std::int64_t>(axis)))
      place.dims.push_back({part.attrs.ints(Attr::sizes)[axis], {}});
  auto value = to_value(c, v, whole.element);
  if (!value) return std::nullopt;
  const Type given = c.type(*value->as<ValueId>());
  if (!widens(given.element, whole.element)) {
    c.error(Code::E0206, v.span,
            fmt::format("{} holds {}, and this is {}", c.described(base), element_name(whole.element), type_text(given)),
            fmt::format("`{}({})` converts", element_name(whole.element), c.text_of(v.span)));
    return std::nullopt;
  }
  value = cast_to(c, *value, whole.element, v.span);
  const Type both[] = {place, given};
  auto met = ir::broadcast_dims(both, false);
  if (!met || !same_shape(Type(place.element, *met), place)) {
    c.report(error_at(Code::E0201, v.span,
                      fmt::format("cannot put {} in a place of {}, which is {}", c.described(*value), c.described(base),
                                  place.is_scalar() ? "a scalar" : shape_text(place.dims)))
                 .label(v.span, given.is_scalar() ? "a scalar" : shape_text(given.dims)));
    return std::nullopt;
  }
  if (value && !same_shape(given, place)) value = c.emit(v.span, ir::Opcode::broadcast, {*value}, {}, &place);
  if (!value) return std::nullopt;
  std::vector<Item> operands{base, *value};
  operands.insert(operands.end(), part.starts.begin(), part.starts.end());
  return c.emit(span, ir::Opcode::update, operands, part.attrs);
}

}  // namespace bpc::frontend::lowering
