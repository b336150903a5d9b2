// Functions that move elements or speak of shapes.
#include <fmt/format.h>
#include <algorithm>
#include <numeric>

#include "frontend/lower/advice.h"
#include "frontend/lower/builtin_functions.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/types.h"
#include "frontend/syntax/parse.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Attr;
using ir::Opcode;
using ir::ValueId;

// A shape in which one size may be -1: what is left of the elements.
std::optional<std::vector<Dim>> shape_to_fill(Context& c, Item shape, std::int64_t count) {
  List* list = std::get_if<List>(&shape.is);
  Number* open = nullptr;
  std::int64_t known = 1;
  std::vector<Item> single{shape};
  for (Item& item : list ? list->items : single) {
    Number* number = std::get_if<Number>(&item.is);
    if (!number || !number->is_integer()) continue;  // to_shape reports it
    if (number->integer() == -1 && !open)
      open = number;
    else if (__builtin_mul_overflow(known, number->integer(), &known))
      known = 0;
  }
  if (open && (known <= 0 || count % known != 0)) {
    c.error(Code::E0201, shape.span, fmt::format("{} elements do not fill the shape {}", count, c.text_of(shape.span)));
    return std::nullopt;
  }
  if (open) open->value = count / known;
  return to_shape(c, list ? shape : single[0]);
}

std::optional<Item> reshape_call(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call.arguments[0]);
  auto dims = x ? shape_to_fill(c, call.arguments[1], c.type(*x).count()) : std::nullopt;
  return dims ? reshape(c, call.span, *x, std::move(*dims)) : std::nullopt;
}

std::optional<Item> expand_dims(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call.arguments[0]);
  auto axis = x ? to_axis(c, call.arguments[1], *x, 1) : std::nullopt;
  if (!axis) return std::nullopt;
  std::vector<Dim> dims = c.type(*x).dims;
  dims.insert(dims.begin() + *axis, Dim{1, {}});
  return reshape(c, call.span, *x, std::move(dims));
}

std::optional<Item> squeeze(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call.arguments[0]);
  auto axes = x ? to_axes(c, call.arguments[1], *x) : std::nullopt;
  if (!axes) return std::nullopt;
  bool any = call.arguments[1].holds<None>();
  std::vector<Dim> dims;
  for (std::size_t i = 0; i < c.type(*x).rank(); ++i) {
    const Dim& dim = c.type(*x).dims[i];
    bool named = std::binary_search(axes->begin(), axes->end(), static_cast<std::int64_t>(i));
    if (named && !any && dim.size != 1) {
      c.error(Code::E0204, call.arguments[1].span,
              fmt::format("`squeeze` drops axes of size 1, and axis {} of {} has {}", i, c.described(*x), dim.size));
      return std::nullopt;
    }
    if (!named || dim.size != 1) dims.push_back(dim);
  }
  return reshape(c, call.span, *x, std::move(dims));
}

std::optional<Item> broadcast_to(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call.arguments[0]);
  auto dims = to_shape(c, call.arguments[1]);
  if (!x || !dims) return std::nullopt;
  Type to(c.type(*x).element, std::move(*dims));
  return c.emit(call.span, Opcode::broadcast, {*x}, {}, &to);
}

std::optional<std::vector<Item>> listed(Context& c, const BuiltinCall& call) {
  const List* list = call.arguments[0].as<List>();
  const Item& axis = call.arguments[1];
  const bool has_more = axis.holds<List>() || (axis.holds<ValueId>() && !c.type(axis).is_scalar());
  if (!list || list->items.empty() || has_more) {
    std::vector<Given> given{{std::nullopt, call.arguments[0]}};
    if (has_more || axis.holds<ValueId>()) given.push_back({std::nullopt, axis});
    const std::string help = list_help(c, call.name, {"xs"}, given);
    c.error(Code::E0209, (has_more ? axis : call.arguments[0]).span, fmt::format("`{}` takes one bracketed list", call.name),
            help.empty() ? fmt::format("write `{}([a, b])`", call.name) : help);
    return std::nullopt;
  }
  return to_common(c, list->items, ir::Domain::any);
}

std::optional<Item> concat(Context& c, const BuiltinCall& call) {
  auto items = listed(c, call);
  auto axis = items ? to_axis(c, call.arguments[1], (*items)[0]) : std::nullopt;
  return axis ? concatenate(c, call.span, *items, *axis) : std::nullopt;
}

std::optional<Item> stack_call(Context& c, const BuiltinCall& call) {
  auto items = listed(c, call);
  auto axis = items ? to_axis(c, call.arguments[1], (*items)[0], 1) : std::nullopt;
  return axis ? stack(c, call.span, *items, *axis) : std::nullopt;
}

// Parts that end at these places, as slices.
std::string slices_help(const std::string& x, const List& ends, std::int64_t axis) {
  std::vector<std::string> names, parts;
  std::string start;
  for (std::size_t i = 0; i <= ends.items.size(); ++i) {
    const Number* end = i < ends.items.size() ? ends.items[i].as<Number>() : nullptr;
    if (i < ends.items.size() && !end) return "parts of other sizes are slices";
    const std::string stop = end ? number_text(*end) : "";
    names.emplace_back(1, static_cast<char>('a' + i));
    parts.push_back(axis == 0 ? fmt::format("{}[{}..{}]", x, start, stop) : fmt::format("{}[:, {}..{}]", x, start, stop));
    start = stop;
  }
  const std::string code = fmt::format("{} = {}", fmt::join(names, ", "), fmt::join(parts, ", "));
  return axis <= 1 && is_code(code) ? fmt::format("parts of other sizes are slices: `{}`", code) : "parts of other sizes are slices";
}

std::optional<Item> split(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call.arguments[0]);
  const auto axis = x ? to_axis(c, call.arguments[2], *x) : std::nullopt;
  if (!axis) return std::nullopt;
  if (const List* ends = call.arguments[1].as<List>()) {
    c.error(Code::E0205, call.arguments[1].span, "`split` makes equal parts, of which it takes the number",
            slices_help(c.text_of(x->span), *ends, *axis));
    return std::nullopt;
  }
  auto n = to_integer(c, call.arguments[1], "the number of parts");
  if (!n) return std::nullopt;
  auto at = static_cast<std::size_t>(*axis);
  std::int64_t size = c.type(*x).size(at);
  if (*n <= 0 || size % *n != 0) {
    c.report(error_at(Code::E0201, call.span, fmt::format("cannot split axis {} of {} into {} equal parts", *axis, c.described(*x), *n))
                 .label(x->span, fmt::format("axis {} has size {}", *axis, size)));
    return std::nullopt;
  }
  Tuple parts;
  for (std::int64_t i = 0; i < *n; ++i) {
    auto one = part(c, call.span, *x, at, i * (size / *n), size / *n);
    if (!one) return std::nullopt;
    parts.items.push_back(std::move(*one));
  }
  return *n == 1 ? parts.items[0] : Item{std::move(parts), call.span};
}

std::optional<Item> flip(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call.arguments[0]);
  auto axes = x ? to_axes(c, call.arguments[1], *x) : std::nullopt;
  if (!axes) return std::nullopt;
  const Type type = c.type(*x);
  std::vector<std::int64_t> starts(type.rank(), 0), steps(type.rank(), 1);
  for (std::int64_t axis : *axes) {
    auto i = static_cast<std::size_t>(axis);
    starts[i] = std::max<std::int64_t>(type.size(i) - 1, 0);
    steps[i] = -1;
  }
  return c.emit(call.span, Opcode::slice, {*x},
                {{Attr::starts, starts},
                 {Attr::sizes, type.sizes()},
                 {Attr::steps, steps},
                 {Attr::dynamic, std::vector<std::int64_t>{}},
                 {Attr::drop, std::vector<std::int64_t>{}}});
}

std::optional<Item> transpose(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call.arguments[0]);
  if (!x) return std::nullopt;
  std::vector<std::int64_t> perm(c.type(*x).rank());
  std::iota(perm.rbegin(), perm.rend(), 0);
  if (const List* list = call.arguments[1].as<List>()) {
    perm.clear();
    for (const Item& item : list->items) {
      auto axis = to_axis(c, item, *x);
      if (!axis) return std::nullopt;
      perm.push_back(*axis);
    }
  } else if (!call.arguments[1].holds<None>()) {
    c.error(Code::E0204, call.arguments[1].span, "`transpose` takes a list of all axes, as in `transpose(x, [1, 0])`");
    return std::nullopt;
  }
  return c.emit(call.span, Opcode::transpose, {*x}, {{Attr::perm, std::move(perm)}});
}

std::optional<Item> shape(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call.arguments[0]);
  if (!x) return std::nullopt;
  List sizes;
  for (const Dim& dim : c.type(*x).dims) sizes.items.push_back({Number{dim.size, Element::i32, dim.name}, call.span});
  return Item{std::move(sizes), call.span};
}

// A list of compile-time numbers, such as shape(x), so that size(shape(x)) is the rank and no op.
bool is_shape(const List& list) {
  return std::all_of(list.items.begin(), list.items.end(), [](const Item& item) { return item.holds<Number>(); });
}

// The number of elements, or the product of the sizes of some axes.
std::optional<Item> size(Context& c, const BuiltinCall& call) {
  if (const List* list = call.arguments[0].as<List>(); list && call.arguments[1].holds<None>() && is_shape(*list))
    return Item{typed(static_cast<std::int64_t>(list->items.size())), call.span};
  if (call.arguments[0].holds<Number>() && call.arguments[1].holds<None>()) return Item{typed(1), call.span};
  auto x = to_value(c, call.arguments[0]);
  auto axes = x ? to_axes(c, call.arguments[1], *x) : std::nullopt;
  if (!axes) return std::nullopt;
  Number product{std::int64_t{1}, Element::i32};
  for (std::int64_t axis : *axes) product.value = product.integer() * c.type(*x).size(static_cast<std::size_t>(axis));
  if (axes->size() == 1) product.dim = c.type(*x).dims[static_cast<std::size_t>(axes->front())].name;
  return Item{product, call.span};
}

constexpr Builtin kBuiltins[] = {
    {"reshape",
     {"x", "shape"},
     reshape_call,
     {"the same elements, row by row, in another shape; one size may be -1: what is left", "the one given", "dx = reshape(dy, shape(x))",
      "reshape([1, 2, 3, 4], [2, -1])"}},
    {"expand_dims",
     {"x", "axis"},
     expand_dims,
     {"a new axis of size 1", "x with a 1 at the axis", "dx = reshape(dy, shape(x))", "expand_dims([1, 2], 1)"}},
    {"squeeze",
     {"x", {"axis", ir::nothing}},
     squeeze,
     {"without the axes of size 1, or the one named", "x without them", "dx = reshape(dy, shape(x))", "squeeze([[1], [2]], 1)"}},
    {"broadcast_to",
     {"x", "shape"},
     broadcast_to,
     {"x stretched to a shape", "the one given", "dx = the sum of dy over the axes that were stretched", "broadcast_to([1, 2], [2, 2])"}},
    {"concat",
     {"xs", {"axis", 0}},
     concat,
     {"the tensors of a list one after the other", "theirs, whose sizes add up along the axis", "each gets its part of dy",
      "concat([[1, 2], [3]])"}},
    {"stack",
     {"xs", {"axis", 0}},
     stack_call,
     {"the tensors of a list along a new axis", "theirs, with a new axis of their number", "each gets its part of dy",
      "stack([[1, 2], [3, 4]], axis=1)"}},
    {"split",
     {"x", "n", {"axis", 0}},
     split,
     {"n equal parts, as several values", "x with an n-th of the size along the axis", "dx = concat of the cotangents of the parts",
      "a, b = split([1, 2, 3, 4], 2)"}},
    {"flip",
     {"x", {"axis", ir::nothing}},
     flip,
     {"the elements in the opposite order, along all axes or those named", "that of x", "dx = flip(dy)", "flip([1, 2, 3])"}},
    {"transpose",
     {"x", {"perm", ir::nothing}},
     transpose,
     {"the axes in another order; without one, in the opposite order", "the sizes of x in the order perm",
      "dx = dy with the axes back in their order", "transpose([[1, 2], [3, 4]], [1, 0])"}},
    {"shape",
     {"x"},
     shape,
     {"the sizes of x, integers known at compile time", "a list of as many as x has axes", "none: integers have none",
      "shape([[1, 2, 3], [4, 5, 6]])[1]"}},
    {"size",
     {"x", {"axis", ir::nothing}},
     size,
     {"the number of elements, or the size of an axis; an integer known at compile time", "a number", "none: integers have none",
      "size([[1, 2, 3], [4, 5, 6]], 0)"}},
};

}  // namespace

std::span<const Builtin> shape_builtins() {
  return kBuiltins;
}

}  // namespace bpc::frontend::lowering
