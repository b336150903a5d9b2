#include <fmt/format.h>
#include <algorithm>

#include "frontend/lower/advice.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/range_length.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Attr;
using ir::ValueId;

// One axis of the index.
struct AxisPart {
  std::int64_t start = 0, size = 0, step = 1;
  std::optional<Item> dynamic;  // the start, when it is only known at run time
  bool drop = false;
  std::optional<Item> tensor;  // of indices, instead
};

// `what` is an index or a bound that reaches past the axis, whose last one is `last`.
std::nullopt_t past_axis(Context& c, const char* what, const Item& at, std::int64_t value, std::int64_t last, const Item& base,
                         std::size_t axis) {
  const Dim& dim = c.type(base).dims[axis];
  const Number* number = at.as<Number>();
  const std::string place = fmt::format("axis {} of {}", axis, c.described(base));
  c.error(Code::E0401, at.span,
          fmt::format("{} {} is outside {}", what, number ? number_text(*number) : std::to_string(value),
                      dim.name.is_open ? place : fmt::format("{}..{} for a size {} ({})", -dim.size, last, dim.size, place)));
  return std::nullopt;
}
std::nullopt_t out_of_range(Context& c, const Item& at, std::int64_t index, std::int64_t n, const Item& base, std::size_t axis) {
  return past_axis(c, "index", at, index, n - 1, base, axis);
}

// Whether an index of an empty axis is left to the run: in a body that may never run.
bool is_checked_later(const Context& c, std::int64_t n) {
  return n == 0 && !c.counters.empty();
}

// An index as a value of integers.
std::optional<Item> integer_value(Context& c, const Item& item) {
  auto index = to_value(c, item, Element::i32);
  if (!index) return std::nullopt;
  const Type& type = c.type(*index);
  if (is_integer(type.element) && !type.tape) return index;
  std::string text = c.text_of(item.span), help;
  if (type.element != Element::boolean)
    help = whole_help(c, item.span);
  else if (!type.is_scalar())
    help = fmt::format("how many are true is only known at run time; `where({}, …, 0)` keeps the shape", text);
  c.error(Code::E0203, item.span, fmt::format("an index must be an integer, and `{}` is {}", text, type_text(type)), type.tape ? "" : help);
  return std::nullopt;
}

std::optional<AxisPart> single(Context& c, const Item& item, std::int64_t n, const Item& base, std::size_t axis) {
  AxisPart part{0, 1, 1, std::nullopt, true, std::nullopt};
  if (!item.holds<Number>()) {
    auto index = index_value(c, item, base, axis);
    if (!index) return std::nullopt;
    if (c.type(*index).is_scalar())
      part.dynamic = std::move(index);
    else
      part = {0, n, 1, std::nullopt, false, std::move(index)};
    return part;
  }
  auto at = to_integer(c, item, "an index");
  if (!at) return std::nullopt;
  if (is_checked_later(c, n)) {
    part.dynamic = integer_value(c, item);
    return part.dynamic ? std::optional(part) : std::nullopt;
  }
  if (*at < -n || *at >= n) return out_of_range(c, item, *at, n, base, axis);
  part.start = *at < 0 ? *at + n : *at;
  return part;
}

std::optional<Item> scalar_start(Context& c, const Item& item) {
  auto start = integer_value(c, item);
  if (!start || c.type(*start).is_scalar()) return start;
  c.error(Code::E0208, item.span, fmt::format("a bound is a single integer, and {} is a tensor", c.described(*start)));
  return std::nullopt;
}

// A bound of a range: -n..n, negative counts from the end.
std::optional<std::int64_t> bound(Context& c, const Item& item, std::int64_t n, const Item& base, std::size_t axis) {
  auto at = to_integer(c, item, "a bound");
  if (!at || is_checked_later(c, n)) return at;
  if (*at < -n || *at > n) return past_axis(c, "bound", item, *at, n, base, axis);
  return *at < 0 ? *at + n : *at;
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
  if (auto distance = e.lo.valid() && e.hi.valid() ? known_distance(c, e.lo, e.hi) : std::nullopt) {
    auto start = expression(c, e.lo);
    if (!start) return std::nullopt;
    if (!start->holds<Number>()) {
      part.size = range_length(0, *distance, part.step);
      if (part.size > n && !is_checked_later(c, n)) {
        c.error(Code::E0401, span,
                fmt::format("{} elements are asked for, and axis {} of {} has {}", part.size, axis, c.described(base),
                            size_text(c.type(base).dims[axis])));
        return std::nullopt;
      }
      part.dynamic = scalar_start(c, *start);
      return part.dynamic ? std::optional(part) : std::nullopt;
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
  part.size = range_length(lo, hi, part.step);
  part.start = part.size == 0 ? 0 : lo;
  if (part.size > 0 && is_checked_later(c, n)) {
    part.dynamic = constant(c, span, weak(lo), Type(Element::i64));
    return part.dynamic ? std::optional(part) : std::nullopt;
  }
  if (part.size > 0 && lo >= n) return out_of_range(c, Item{None{}, span}, lo, n, base, axis);  // downwards from past the end
  return part;
}

// The slice of the parts.
void set_slice(Part& part, const std::vector<AxisPart>& axes) {
  std::vector<std::int64_t> starts, sizes, steps, dynamic, drop;
  part.starts.clear();
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    const AxisPart& one = axes[axis];
    starts.push_back(one.start);
    sizes.push_back(one.size);
    steps.push_back(one.step);
    if (one.drop) drop.push_back(static_cast<std::int64_t>(axis));
    if (one.dynamic) dynamic.push_back(static_cast<std::int64_t>(axis));
    if (one.dynamic) part.starts.push_back(*one.dynamic);
  }
  part.attrs = {{Attr::starts, starts}, {Attr::sizes, sizes}, {Attr::steps, steps}, {Attr::dynamic, dynamic}, {Attr::drop, drop}};
}

// Beside tensors of indices a single index is one of them, the same everywhere.
bool gather_singles(Context& c, std::vector<AxisPart>& axes, const Type& base, const Item& first, Span span) {
  const Type shape = c.type(first);
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    AxisPart& one = axes[axis];
    if (one.tensor) {
      const Type type = c.type(*one.tensor);
      if (same_shape(type, shape)) continue;
      c.report(error_at(Code::E0201, span,
                        fmt::format("the indices {} and {} differ in shape", c.described(first), c.described(*one.tensor)),
                        "tensors of indices go together, element by element")
                   .label(first.span, shape_text(shape.dims))
                   .label(one.tensor->span, shape_text(type.dims)));
      return false;
    }
    if (!one.drop) continue;
    Type wide = one.dynamic ? shape.with_element(c.type(*one.dynamic).element) : shape.with_element(Element::i32);
    auto index = one.dynamic ? c.emit(span, ir::Opcode::broadcast, {*one.dynamic}, {}, &wide) : constant(c, span, weak(one.start), wide);
    if (!index) return false;
    one = {0, base.size(axis), 1, std::nullopt, false, std::move(index)};
  }
  return true;
}

}  // namespace

std::optional<Item> index_value(Context& c, const Item& item, const Item& base, std::size_t axis) {
  auto index = integer_value(c, item);
  const ir::Op* op = index ? c.function().def(*index->as<ValueId>()) : nullptr;
  if (!op || op->code != ir::Opcode::constant || c.type(*index).count() == 0) return index;
  const ir::AttrValue* value = op->attrs.find(Attr::value);
  const std::vector<std::int64_t> given = value ? std::vector{std::get<std::int64_t>(*value)} : op->attrs.ints(Attr::ints);
  std::int64_t n = c.type(base).size(axis);
  auto wrong = std::find_if(given.begin(), given.end(), [&](std::int64_t at) { return at < -n || at >= n; });
  if (wrong == given.end() || is_checked_later(c, n)) return index;
  out_of_range(c, *index, *wrong, n, base, axis);
  return std::nullopt;
}

std::optional<Part> resolve_index(Context& c, const Item& base, const std::vector<ExprId>& items, Span span) {
  if (!reject_tape(c, base, "an index")) return std::nullopt;
  const Type type = c.type(base);
  if (items.size() > type.rank()) {
    std::string has = type.is_scalar() ? "is a scalar" : fmt::format("has {} {}", type.rank(), type.rank() == 1 ? "axis" : "axes");
    c.error(Code::E0204, span, fmt::format("{} {}, and the index names {}", c.described(base), has, items.size()));
    return std::nullopt;
  }
  std::vector<AxisPart> axes;
  std::optional<std::size_t> first;  // axis that a tensor indexes
  bool ok = true;
  for (std::size_t axis = 0; axis < type.rank(); ++axis) {
    AxisPart one{0, type.size(axis), 1, std::nullopt, false, std::nullopt};
    if (axis < items.size()) {
      const Expr& e = c.expr(items[axis]);
      std::optional<AxisPart> resolved;
      if (const auto* r = std::get_if<RangeExpr>(&e.node)) {
        resolved = range(c, *r, e.span, type.size(axis), base, axis);
      } else if (auto item = expression(c, items[axis])) {
        resolved = single(c, *item, type.size(axis), base, axis);
      }
      ok &= resolved.has_value();
      if (resolved) one = std::move(*resolved);
    }
    if (one.tensor && !first) first = axis;
    axes.push_back(std::move(one));
  }
  if (!ok) return std::nullopt;
  Part part;
  if (first) {
    for (std::size_t axis = 0; axis < *first; ++axis) part.place += !axes[axis].drop;
    if (!gather_singles(c, axes, type, Item(*axes[*first].tensor), span)) return std::nullopt;
    for (std::size_t axis = 0; axis < axes.size(); ++axis)
      if (axes[axis].tensor) {
        part.axes.push_back(static_cast<std::int64_t>(axis));
        part.indices.push_back(*axes[axis].tensor);
      }
  }
  set_slice(part, axes);
  part.is_whole = part.starts.empty() && part.attrs.ints(Attr::sizes) == type.sizes() &&
                  std::all_of(axes.begin(), axes.end(), [](const AxisPart& one) { return one.step == 1 && !one.drop; });
  return part;
}

}  // namespace bpc::frontend::lowering
