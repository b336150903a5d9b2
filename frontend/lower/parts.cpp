// Reading and writing the parts of values that indices name, and the functions that gather and scatter.
#include <fmt/format.h>
#include <algorithm>
#include <numeric>

#include "frontend/lower/builtins.h"
#include "frontend/lower/calls.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/types.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Attr;
using ir::Opcode;
using ir::ValueId;

std::vector<Item> joined(std::vector<Item> operands, const std::vector<Item>& rest) {
  operands.insert(operands.end(), rest.begin(), rest.end());
  return operands;
}

bool contains(const std::vector<std::int64_t>& axes, std::size_t axis) {
  return std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(axis)) != axes.end();
}

// Where the axes of the indices stand: first in what gather gives and scatter_add takes, at part.place in the part.
std::vector<std::int64_t> to_place(Context& c, const Part& part, std::size_t rank) {
  std::vector<std::int64_t> perm(rank);
  std::iota(perm.begin(), perm.end(), 0);
  auto first = static_cast<std::ptrdiff_t>(c.type(part.indices[0]).rank());
  std::rotate(perm.begin(), perm.begin() + first, perm.begin() + first + static_cast<std::ptrdiff_t>(part.place));
  return perm;
}

std::vector<std::int64_t> inverse(const std::vector<std::int64_t>& perm) {
  std::vector<std::int64_t> result(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i) result[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
  return result;
}

std::optional<Item> transposed(Context& c, Span span, const Item& x, std::vector<std::int64_t> perm) {
  return std::is_sorted(perm.begin(), perm.end()) ? x : c.emit(span, Opcode::transpose, {x}, {{Attr::perm, std::move(perm)}});
}

std::optional<Item> sliced(Context& c, Span span, const Item& base, const Part& part) {
  return part.is_whole ? base : c.emit(span, Opcode::slice, joined({base}, part.starts), part.attrs);
}

// The type of the part, whose sizes have no names.
Type part_type(Context& c, const Item& base, const Part& part) {
  const Type whole = c.type(base);
  Type place(whole.element);
  for (std::size_t axis = 0; axis < whole.rank(); ++axis)
    if (!contains(part.attrs.ints(Attr::drop), axis) && !contains(part.axes, axis))
      place.dims.push_back({part.attrs.ints(Attr::sizes)[axis], {}});
  if (part.indices.empty()) return place;
  const Type indices = Type::of_sizes(whole.element, c.type(part.indices[0]).sizes());
  place.dims.insert(place.dims.begin() + static_cast<std::ptrdiff_t>(part.place), indices.dims.begin(), indices.dims.end());
  return place;
}

// What is put in the place of a part, or (`adding`) added to it.
std::optional<Item> to_part(Context& c, const Item& base, const Part& part, const Item& v, bool adding) {
  const Type place = part_type(c, base, part);
  auto value = to_value(c, v, place.element);
  if (!value) return std::nullopt;
  const Type given = c.type(*value);
  if (given.tape || !widens(given.element, place.element)) {
    c.error(Code::E0206, v.span,
            fmt::format("{} holds {}, and this is {}", c.described(base), element_name(place.element), type_text(given)),
            given.tape ? "" : fmt::format("`{}({})` converts", element_name(place.element), c.text_of(v.span)));
    return std::nullopt;
  }
  value = cast_to(c, *value, place.element, v.span);
  const Type both[] = {place, given};
  auto met = ir::broadcast_dims(both, false);
  if (!met || !same_shape(Type(place.element, *met), place)) {
    c.report(error_at(Code::E0201, v.span,
                      fmt::format("cannot {} {} {} a place of {}, which is {}", adding ? "add" : "put", c.described(*value),
                                  adding ? "to" : "in", c.described(base), place.is_scalar() ? "a scalar" : shape_text(place.dims)))
                 .label(v.span, given.is_scalar() ? "a scalar" : shape_text(given.dims)));
    return std::nullopt;
  }
  return !value || same_shape(given, place) ? value : c.emit(v.span, Opcode::broadcast, {*value}, {}, &place);
}

// The rows of x that an integer tensor names.
std::optional<Part> rows(Context& c, const Item& x, const Item& index) {
  const Type type = c.type(x);
  if (type.is_scalar()) {
    c.error(Code::E0204, x.span, fmt::format("`{}` is a scalar and has no rows", c.text_of(x.span)));
    return std::nullopt;
  }
  auto at = index_value(c, index, x, 0);
  if (!at) return std::nullopt;
  Part part;
  std::vector<std::int64_t> zeros(type.rank(), 0), ones(type.rank(), 1), none;
  part.attrs = {{Attr::starts, zeros}, {Attr::sizes, type.sizes()}, {Attr::steps, ones}, {Attr::dynamic, none}, {Attr::drop, none}};
  part.is_whole = true;
  part.axes = {0};
  part.indices = {*at};
  return part;
}

// What the index names along an axis, at its own place along the others.
std::optional<Item> gather_along(Context& c, Span span, const Item& x, const Item& index, std::int64_t axis) {
  std::vector<Item> operands{x};
  std::vector<std::int64_t> axes(c.type(x).rank());
  std::iota(axes.begin(), axes.end(), 0);
  Type along = c.type(index).with_element(Element::i32);
  for (std::int64_t i : axes) {
    auto place = i == axis ? index : c.emit(span, Opcode::iota, {}, {{Attr::axis, i}}, &along);
    if (!place) return std::nullopt;
    operands.push_back(std::move(*place));
  }
  return c.emit(span, Opcode::gather, operands, {{Attr::axes, axes}});
}

// The part that `from` is of base, or base itself, put back.
std::optional<Item> put_back(Context& c, Span span, const Item& base, const Part& part, const Item& from) {
  return part.is_whole ? from : c.emit(span, Opcode::update, joined({base, from}, part.starts), part.attrs);
}

// What index tensors name, replaced; where they name a place twice, the last one wins. The axes that they index go first and become one,
// whose rows the prelude replaces.
std::optional<Item> put_rows(Context& c, Span span, const Item& base, const Part& part, const Item& v) {
  auto value = to_part(c, base, part, v, false);
  auto from = value ? sliced(c, span, base, part) : std::nullopt;
  // An index that is outside is found here, where its name is known: this read checks, and nobody takes what it gives.
  if (from && !c.emit(span, Opcode::gather, joined({*from}, part.indices), {{Attr::axes, part.axes}})) return std::nullopt;
  if (from) value = transposed(c, span, *value, inverse(to_place(c, part, c.type(*value).rank())));
  if (!from || !value) return std::nullopt;
  std::vector<std::int64_t> perm = part.axes;
  for (std::size_t axis = 0; axis < c.type(*from).rank(); ++axis)
    if (!contains(part.axes, axis)) perm.push_back(static_cast<std::int64_t>(axis));
  auto in_front = transposed(c, span, *from, perm);
  if (!in_front) return std::nullopt;

  auto called = [&](std::string_view name, std::vector<Item> arguments) {
    std::vector<Given> given;
    for (Item& argument : arguments) given.push_back({std::nullopt, std::move(argument)});
    return call_function(c, prelude_function(c, *find_prelude_function(name)), given, span);
  };
  const std::vector<Dim> dims = c.type(*in_front).dims;
  const Dim count{c.type(part.indices[0]).count(), {}};
  Dim places{1, {}};
  auto place = whole_number(c, span, 0, Element::i64);
  for (std::size_t k = 0; k < part.indices.size() && place; ++k) {
    auto index = reshape(c, span, part.indices[k], {count});
    auto n = whole_number(c, span, dims[k].size, Element::i64);
    place = index && n ? called("place_within", {*place, *index, *n}) : std::nullopt;
    places.size *= dims[k].size;
  }
  auto in_rows = [&](const Item& x, std::size_t leading, Dim rows) {
    std::vector<Dim> shape(c.type(x).dims.begin() + static_cast<std::ptrdiff_t>(leading), c.type(x).dims.end());
    shape.insert(shape.begin(), rows);
    return reshape(c, span, x, std::move(shape));
  };
  auto rows = place ? in_rows(*in_front, part.axes.size(), places) : std::nullopt;
  value = rows ? in_rows(*value, c.type(part.indices[0]).rank(), count) : std::nullopt;
  auto put = value ? called("put_rows", {*rows, *place, *value}) : std::nullopt;
  auto result = put ? reshape(c, span, *put, dims) : std::nullopt;
  auto in_order = result ? transposed(c, span, *result, inverse(perm)) : std::nullopt;
  return in_order ? put_back(c, span, base, part, *in_order) : std::nullopt;
}

}  // namespace

std::optional<Item> builtins::embedding(Context& c, const BuiltinCall& call) {
  auto table = to_value(c, call["W"]);
  auto part = table ? rows(c, *table, call["idx"]) : std::nullopt;
  return part ? read_part(c, call.span, *table, *part) : std::nullopt;
}

std::optional<Item> builtins::scatter_add(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call["x"]);
  auto part = x ? rows(c, *x, call["idx"]) : std::nullopt;
  return part ? add_to_part(c, call.span, *x, *part, call["v"]) : std::nullopt;
}

// As torch.gather: result[i, j] = x[index[i, j], j] for axis 0.
std::optional<Item> builtins::gather(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call["x"]);
  auto axis = x ? to_axis(c, call["axis"], *x) : std::nullopt;
  if (!axis) return std::nullopt;
  auto index = index_value(c, call["idx"], *x, static_cast<std::size_t>(*axis));
  if (!index) return std::nullopt;
  const Type whole = c.type(*x), shape = c.type(*index);
  bool fits = shape.rank() == whole.rank();
  for (std::size_t i = 0; fits && i < whole.rank(); ++i) fits = static_cast<std::int64_t>(i) == *axis || shape.size(i) <= whole.size(i);
  if (!fits) {
    c.report(error_at(Code::E0201, call.span,
                      fmt::format("cannot gather from {} by {} along axis {}", c.described(*x), c.described(*index), *axis),
                      "the index has the axes of what it indexes, no longer than there but along that one; `x[index]` takes whole rows")
                 .label(x->span, shape_text(whole.dims))
                 .label(index->span, shape_text(shape.dims)));
    return std::nullopt;
  }
  return gather_along(c, call.span, *x, *index, *axis);
}

// The k largest along the last axis, in descending order, and their indices.
std::optional<Item> builtins::topk(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call["x"]);
  auto k = to_size(c, call["k"]);
  if (!x || !k) return std::nullopt;
  const Type type = c.type(*x);
  if (type.is_scalar()) {
    c.error(Code::E0204, x->span, fmt::format("`topk` takes a vector or more, and {} has no axes", c.described(*x)));
    return std::nullopt;
  }
  const std::size_t axis = type.rank() - 1;
  const auto last = static_cast<std::int64_t>(axis);
  if (k->size > type.size(axis)) {
    c.error(Code::E0201, call["k"].span,
            fmt::format("`topk` of {}: the last axis has {} elements, fewer than {}", c.described(*x), size_text(type.dims[axis]),
                        size_text(*k)),
            fmt::format("`topk({}, {})` gives all of them, largest first", c.text_of(x->span), size_text(type.dims[axis])));
    return std::nullopt;
  }
  auto order = c.emit(call.span, Opcode::argsort, {*x}, {{Attr::axis, last}, {Attr::descending, true}});
  auto indices = order ? part(c, call.span, *order, axis, 0, k->size) : std::nullopt;
  auto values = indices ? gather_along(c, call.span, *x, *indices, last) : std::nullopt;
  if (!values) return std::nullopt;
  return Item{Tuple{{*values, *indices}}, call.span};
}

std::optional<Item> read_part(Context& c, Span span, const Item& base, const Part& part) {
  if (part.indices.empty()) return c.emit(span, Opcode::slice, joined({base}, part.starts), part.attrs);
  auto from = sliced(c, span, base, part);
  auto rows = from ? c.emit(span, Opcode::gather, joined({*from}, part.indices), {{Attr::axes, part.axes}}) : std::nullopt;
  return rows ? transposed(c, span, *rows, to_place(c, part, c.type(*rows).rank())) : std::nullopt;
}

std::optional<Item> write_part(Context& c, Span span, const Item& base, const Part& part, const Item& v) {
  if (!part.indices.empty()) return put_rows(c, span, base, part, v);
  auto value = to_part(c, base, part, v, false);
  return value ? c.emit(span, Opcode::update, joined({base, *value}, part.starts), part.attrs) : std::nullopt;
}

std::optional<Item> add_to_part(Context& c, Span span, const Item& base, const Part& part, const Item& v) {
  if (c.type(base).element == Element::boolean) {
    c.error(Code::E0203, span, fmt::format("`+` takes numbers, and {} is bool", c.described(base)));
    return std::nullopt;
  }
  auto value = to_part(c, base, part, v, true);
  if (!value) return std::nullopt;
  ir::Attributes attrs = part.attrs;
  if (part.indices.empty()) {
    attrs.set(Attr::add, true);
    return c.emit(span, Opcode::update, joined({base, *value}, part.starts), std::move(attrs));
  }
  auto from = sliced(c, span, base, part);
  value = from ? transposed(c, span, *value, inverse(to_place(c, part, c.type(*value).rank()))) : std::nullopt;
  auto added = value ? c.emit(span, Opcode::scatter_add, joined({*from, *value}, part.indices), {{Attr::axes, part.axes}}) : std::nullopt;
  return added ? put_back(c, span, base, part, *added) : std::nullopt;
}

}  // namespace bpc::frontend::lowering
