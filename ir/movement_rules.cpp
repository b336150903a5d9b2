// Shape rules of the operators that move elements.
#include <fmt/format.h>
#include <algorithm>
#include <numeric>

#include "ir/shape_rule.h"

namespace bpc::ir {

namespace shape_rule {

namespace {

// The type of the part of x that an index names.
Result indexed(const ShapeQuery& query, std::size_t first_start) {
  const Type& x = query.operands[0];
  const auto& starts = query.attrs.ints(Attr::starts);
  const auto& sizes = query.attrs.ints(Attr::sizes);
  const auto& steps = query.attrs.ints(Attr::steps);
  const auto& dynamic = query.attrs.ints(Attr::dynamic);
  const auto& drop = query.attrs.ints(Attr::drop);
  if (starts.size() != x.rank() || sizes.size() != x.rank() || steps.size() != x.rank() || !valid_axes(dynamic, x.rank()) ||
      !valid_axes(drop, x.rank()) || query.operands.size() != first_start + dynamic.size())
    return error(Code::E0204, "the index does not fit {0}");
  for (std::size_t i = first_start; i < query.operands.size(); ++i)
    if (!query.operands[i].is_scalar() || !is_integer(query.operands[i].element))
      return error(Code::E0203, fmt::format("an index must be an integer, and {{{}}} is {}", i, type_text(query.operands[i])));
  std::vector<Dim> dims;
  for (std::size_t i = 0; i < x.rank(); ++i) {
    auto axis = static_cast<std::int64_t>(i);
    bool is_dynamic = std::binary_search(dynamic.begin(), dynamic.end(), axis);
    // The reach |step|·(size - 1) must not overflow on hostile IR text, hence the divisions.
    std::int64_t room = x.size(i) - 1;
    std::int64_t stride = steps[i] < 0 ? (steps[i] == INT64_MIN ? INT64_MAX : -steps[i]) : steps[i];
    // Whatever an index names of an empty axis is out of range, and found to be so when it is read: in a loop that never runs it is not.
    bool never = is_dynamic && x.size(i) == 0;
    bool fits = steps[i] != 0 && sizes[i] >= 0 && (sizes[i] == 0 || never || (room >= 0 && (sizes[i] - 1 <= room / stride)));
    if (fits && !is_dynamic && sizes[i] > 0) {
      fits = starts[i] >= 0 && starts[i] <= room;
      std::int64_t reach = stride * (sizes[i] - 1);
      fits = fits && (steps[i] > 0 ? starts[i] <= room - reach : starts[i] >= reach);
    }
    if (!fits)
      return error(Code::E0401, fmt::format("the index is outside axis {} of {{0}}, which has size {}", axis, size_text(x.dims[i])));
    bool is_dropped = std::binary_search(drop.begin(), drop.end(), axis);
    if (is_dropped && sizes[i] != 1) return error(Code::E0204, "the index drops an axis of {0} whose part is not of size 1");
    bool is_whole = !is_dynamic && sizes[i] == x.size(i) && steps[i] == 1;
    if (!is_dropped) dims.push_back({sizes[i], is_whole ? x.dims[i].name : DimName{}});
  }
  return Types{Type(x.element, std::move(dims))};
}

// The shape of what tensors of indices name: their own, then x without the axes they index.
Result gathered(const ShapeQuery& query, std::size_t first_index) {
  const Type& x = query.operands[0];
  const auto& axes = query.attrs.ints(Attr::axes);
  if (!valid_axes(axes, x.rank()) || axes.empty() || query.operands.size() != first_index + axes.size())
    return error(Code::E0204, "the index does not fit {0}");
  const Type& index = query.operands[first_index];
  for (std::size_t i = first_index; i < query.operands.size(); ++i) {
    if (!is_integer(query.operands[i].element))
      return error(Code::E0203, fmt::format("an index must be an integer, and {{{}}} is {}", i, type_text(query.operands[i])));
    if (!same_shape(query.operands[i], index))
      return error(Code::E0201, fmt::format("the indices {{{}}} and {{{}}} differ in shape", first_index, i));
  }
  std::vector<Dim> dims = index.dims;
  for (const Dim& dim : reduced(x, axes, false)) dims.push_back(dim);
  return Types{Type(x.element, std::move(dims))};
}

// How many windows of `size` elements, `dilation` apart, start `stride` apart within a length: (length - dilation*(size - 1) - 1) // stride
// + 1. Nullopt where not even one fits, or a number is below 1.
std::optional<std::int64_t> window_count(std::int64_t length, std::int64_t size, std::int64_t stride, std::int64_t dilation) {
  if (length < 1 || size < 1 || stride < 1 || dilation < 1 || size - 1 > (length - 1) / dilation) return std::nullopt;
  return (length - 1 - dilation * (size - 1)) / stride + 1;
}

}  // namespace

Result reshape(const ShapeQuery& query) {
  const Type& to = declared_type(query);
  if (to.count() != query.operands[0].count())
    return error(Code::E0201, fmt::format("cannot reshape {{0}} to {}: {} elements do not fill {}", shape_text(to.dims),
                                          query.operands[0].count(), to.count()));
  return Types{to.with_element(query.operands[0].element)};
}

Result transpose(const ShapeQuery& query) {
  const auto& perm = query.attrs.ints(Attr::perm);
  std::vector<std::int64_t> sorted = perm, axes(query.operands[0].rank());
  std::sort(sorted.begin(), sorted.end());
  std::iota(axes.begin(), axes.end(), 0);
  if (sorted != axes) return error(Code::E0204, fmt::format("[{}] does not name each axis of {{0}} once", fmt::join(perm, ", ")));
  std::vector<Dim> dims;
  for (std::int64_t axis : perm) dims.push_back(query.operands[0].dims[static_cast<std::size_t>(axis)]);
  return Types{Type(query.operands[0].element, std::move(dims))};
}

Result broadcast(const ShapeQuery& query) {
  const Type& to = declared_type(query);
  if (!stretches(query.operands[0].dims, to.dims, query.strict_names))
    return error(Code::E0201, "cannot stretch {0} to " + shape_text(to.dims));
  return Types{Type(query.operands[0].element, with_names(to.dims, query.operands.first(1)))};
}

Result slice(const ShapeQuery& query) {
  return indexed(query, 1);
}

Result update(const ShapeQuery& query) {
  Result part = indexed(query, 2);
  if (std::holds_alternative<ShapeError>(part)) return part;
  const Type& expected = std::get<Types>(part)[0];
  if (!same_type(expected, query.operands[1]))
    return error(Code::E0201, fmt::format("cannot put {{1}} in the place of {}", type_text(expected)));
  if (query.attrs.flag(Attr::add) && expected.element == Element::boolean) return error(Code::E0203, "cannot add to bools in {0}");
  return Types{query.operands[0]};
}

Result gather(const ShapeQuery& query) {
  return gathered(query, 1);
}

Result scatter(const ShapeQuery& query) {
  Result part = gathered(query, 2);
  if (std::holds_alternative<ShapeError>(part)) return part;
  const Type& expected = std::get<Types>(part)[0];
  if (!same_type(expected, query.operands[1]))
    return error(Code::E0201, fmt::format("cannot add {{1}} to parts of {}", type_text(expected)));
  return Types{query.operands[0]};
}

Result concat(const ShapeQuery& query) {
  Type result = query.operands[0];
  std::int64_t axis = query.attrs.integer(Attr::axis);
  if (!valid_axes({axis}, result.rank())) return bad_axis(query);
  Dim& joined = result.dims[static_cast<std::size_t>(axis)];
  joined.size = 0;
  if (query.operands.size() > 1) joined.name = {};
  for (std::size_t k = 0; k < query.operands.size(); ++k) {
    const Type& operand = query.operands[k];
    bool fits = operand.rank() == result.rank() && operand.element == result.element;
    for (std::size_t i = 0; fits && i < result.rank(); ++i) {
      if (static_cast<std::int64_t>(i) == axis) {
        joined.size += operand.size(i);
      } else {
        fits = sizes_match(operand.dims[i], result.dims[i], query.strict_names);
        if (result.dims[i].name.empty()) result.dims[i].name = operand.dims[i].name;
      }
    }
    if (operand.element != result.element)
      return error(Code::E0203, fmt::format("cannot join {{0}} and {{{}}}: one is {}, the other {}", k, element_name(result.element),
                                            element_name(operand.element)));
    if (!fits) return error(Code::E0201, fmt::format("cannot join {{0}} and {{{}}} along axis {}", k, axis));
  }
  return Types{std::move(result)};
}

// The axis gets as many elements as there are windows; a new last axis is what is in one.
Result window(const ShapeQuery& query) {
  Type type = query.operands[0];
  std::int64_t axis = query.attrs.integer(Attr::axis), size = query.attrs.integer(Attr::size);
  if (!valid_axes({axis}, type.rank())) return bad_axis(query);
  Dim& slid = type.dims[static_cast<std::size_t>(axis)];
  auto count = window_count(slid.size, size, query.attrs.integer(Attr::stride), query.attrs.integer(Attr::dilation));
  if (!count)
    return error(Code::E0201,
                 fmt::format("a window of {} elements, {} apart, does not fit within axis {} of {{0}}", size,
                             query.attrs.integer(Attr::dilation), axis),
                 {fmt::format("axis {} has size {}", axis, size_text(slid))});
  if (*count != slid.size) slid = {*count, {}};
  type.dims.push_back({size, {}});
  return Types{std::move(type)};
}

Result window_add(const ShapeQuery& query) {
  Type type = query.operands[0];
  std::int64_t axis = query.attrs.integer(Attr::axis), length = query.attrs.integer(Attr::length);
  if (type.rank() < 2 || !valid_axes({axis}, type.rank() - 1))
    return error(Code::E0204, "`window_add` takes windows, whose last axis is what is in one, and {0} is none", {shape_text(type.dims)});
  std::int64_t size = type.dims.back().size;
  type.dims.pop_back();
  Dim& slid = type.dims[static_cast<std::size_t>(axis)];
  auto count = window_count(length, size, query.attrs.integer(Attr::stride), query.attrs.integer(Attr::dilation));
  if (!count || *count != slid.size)
    return error(Code::E0201, fmt::format("a length of {} does not give the windows of {{0}}: {} of {} elements", length, slid.size, size));
  if (slid.size != length) slid = {length, {}};
  return Types{std::move(type)};
}

}  // namespace shape_rule

}  // namespace bpc::ir
