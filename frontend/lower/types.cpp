#include "frontend/lower/types.h"

#include <fmt/format.h>
#include <algorithm>
#include <numeric>

#include "frontend/lower/expressions.h"
#include "frontend/lower/numbers.h"

namespace bpc::frontend::lowering {

std::optional<Element> to_element(Context& c, const TypeExpr& type) {
  if (type.element.empty() || type.element == "real") return c.module.real;
  return element_from_name(type.element);
}

std::optional<Dim> to_size(Context& c, const Item& item) {
  auto size = to_integer(c, item, "a size");
  if (!size) return std::nullopt;
  if (*size < 0 || *size > kMostElements) {
    c.error(Code::E0210, item.span, fmt::format("a size cannot be {}", *size));
    return std::nullopt;
  }
  return Dim{*size, item.as<Number>()->dim};
}

bool check_shape(Context& c, Span span, const std::vector<Dim>& dims) {
  const std::string problem = shape_problem(dims);
  if (problem.empty()) return true;
  const bool long_shape = dims.size() > kMostAxes;
  c.error(long_shape ? Code::E0204 : Code::E0210, span,
          fmt::format("`{}` would have {}{}", c.text_of(span), problem, long_shape ? "" : ": " + shape_text(dims)));
  return false;
}

std::optional<std::vector<Dim>> to_shape(Context& c, const Item& item) {
  const List* list = item.as<List>();
  std::vector<Dim> dims;
  bool ok = true;
  for (const Item& size : list ? list->items : std::vector<Item>{item})
    if (auto dim = to_size(c, size))
      dims.push_back(std::move(*dim));
    else
      ok = false;
  return ok && check_shape(c, item.span, dims) ? std::optional(std::move(dims)) : std::nullopt;
}

std::optional<Type> to_type(Context& c, const TypeExpr& type) {
  auto element = to_element(c, type);
  std::vector<Dim> dims;
  bool ok = element.has_value();
  for (ExprId id : type.sizes) {
    auto item = expression(c, id);
    auto dim = item ? to_size(c, *item) : std::nullopt;
    if (dim) dims.push_back(std::move(*dim));
    ok &= dim.has_value();
  }
  return ok && check_shape(c, type.span, dims) ? std::optional(Type(*element, std::move(dims))) : std::nullopt;
}

std::optional<std::int64_t> to_axis(Context& c, const Item& axis, const Item& value, std::int64_t extra) {
  auto number = to_integer(c, axis, "an axis");
  if (!number) return std::nullopt;
  auto rank = static_cast<std::int64_t>(c.type(value).rank()) + extra;
  if (*number >= -rank && *number < rank) return *number < 0 ? *number + rank : *number;
  std::string text = rank == 0   ? fmt::format("`{}` is a scalar and has no axes", c.text_of(value.span))
                     : rank == 1 ? fmt::format("axis {} is outside: {} has axis 0", *number, c.described(value))
                                 : fmt::format("axis {} is outside: {} has axes 0 to {}", *number, c.described(value), rank - 1);
  c.error(Code::E0204, axis.span, text);
  return std::nullopt;
}

std::optional<std::vector<std::int64_t>> to_axes(Context& c, const Item& axes, const Item& value) {
  std::vector<std::int64_t> result;
  if (axes.holds<None>()) {
    result.resize(c.type(value).rank());
    std::iota(result.begin(), result.end(), 0);
    return result;
  }
  const List* list = axes.as<List>();
  for (const Item& item : list ? list->items : std::vector<Item>{axes}) {
    auto axis = to_axis(c, item, value);
    if (!axis) return std::nullopt;
    if (std::find(result.begin(), result.end(), *axis) != result.end()) {
      c.error(Code::E0204, item.span, fmt::format("axis {} is named twice", *axis));
      return std::nullopt;
    }
    result.push_back(*axis);
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace bpc::frontend::lowering
