// Functions that move elements or speak of shapes.
#include <fmt/format.h>
#include <algorithm>
#include <numeric>

#include "frontend/lower/advice.h"
#include "frontend/lower/builtins.h"
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

std::optional<std::vector<Item>> listed(Context& c, const BuiltinCall& call) {
  const Item &xs = call["xs"], &axis = call["axis"];
  const List* list = xs.as<List>();
  const bool has_more = axis.holds<List>() || (axis.holds<ValueId>() && !c.type(axis).is_scalar());
  if (!list || list->items.empty() || has_more) {
    std::vector<Given> given{{std::nullopt, xs}};
    if (has_more || axis.holds<ValueId>()) given.push_back({std::nullopt, axis});
    const std::string help = list_help(c, call.name, {"xs"}, given);
    c.error(Code::E0209, (has_more ? axis : xs).span, fmt::format("`{}` takes one bracketed list", call.name),
            help.empty() ? fmt::format("write `{}([a, b])`", call.name) : help);
    return std::nullopt;
  }
  return to_common(c, list->items, ir::Domain::any);
}

// Parts that end at these places, as slices.
std::string slices_help(const std::string& x, const List& ends, std::int64_t axis) {
  std::vector<std::string> names, parts;
  std::string start;
  for (std::size_t i = 0; i <= ends.items.size(); ++i) {
    const Number* end = i < ends.items.size() ? ends.items[i].as<Number>() : nullptr;
    if (i < ends.items.size() && !end) return "parts between places are slices";
    const std::string stop = end ? number_text(*end) : "";
    names.emplace_back(1, static_cast<char>('a' + i));
    parts.push_back(axis == 0 ? fmt::format("{}[{}..{}]", x, start, stop) : fmt::format("{}[:, {}..{}]", x, start, stop));
    start = stop;
  }
  const std::string code = fmt::format("{} = {}", fmt::join(names, ", "), fmt::join(parts, ", "));
  return axis <= 1 && is_code(code) ? fmt::format("parts between places are slices: `{}`", code) : "parts between places are slices";
}

}  // namespace

std::optional<Item> builtins::reshape(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call["x"]);
  auto dims = x ? shape_to_fill(c, call["shape"], c.type(*x).count()) : std::nullopt;
  return dims ? reshape(c, call.span, *x, std::move(*dims)) : std::nullopt;
}

std::optional<Item> builtins::expand_dims(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call["x"]);
  auto axis = x ? to_axis(c, call["axis"], *x, 1) : std::nullopt;
  if (!axis) return std::nullopt;
  std::vector<Dim> dims = c.type(*x).dims;
  dims.insert(dims.begin() + *axis, Dim{1, {}});
  return reshape(c, call.span, *x, std::move(dims));
}

std::optional<Item> builtins::squeeze(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call["x"]);
  auto axes = x ? to_axes(c, call["axis"], *x) : std::nullopt;
  if (!axes) return std::nullopt;
  bool any = call["axis"].holds<None>();
  std::vector<Dim> dims;
  for (std::size_t i = 0; i < c.type(*x).rank(); ++i) {
    const Dim& dim = c.type(*x).dims[i];
    bool named = std::binary_search(axes->begin(), axes->end(), static_cast<std::int64_t>(i));
    if (named && !any && dim.size != 1) {
      c.error(Code::E0204, call["axis"].span,
              fmt::format("`squeeze` drops axes of size 1, and axis {} of {} has {}", i, c.described(*x), size_text(dim)));
      return std::nullopt;
    }
    if (!named || dim.size != 1) dims.push_back(dim);
  }
  return reshape(c, call.span, *x, std::move(dims));
}

std::optional<Item> builtins::broadcast_to(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call["x"]);
  auto dims = to_shape(c, call["shape"]);
  if (!x || !dims) return std::nullopt;
  Type to(c.type(*x).element, std::move(*dims));
  return c.emit(call.span, Opcode::broadcast, {*x}, {}, &to);
}

namespace {

// Lists of integers one after the other: concat([shape(x)[..1], [3]]).
std::optional<Item> joined_shapes(const Item& xs, const Item& axis, Span span) {
  const List* lists = xs.as<List>();
  const Number* along = axis.as<Number>();
  if (!lists || lists->items.empty() || !along || along->real() != 0) return std::nullopt;
  List all;
  for (const Item& item : lists->items) {
    const List* list = item.as<List>();
    if (!list || !is_shape(*list)) return std::nullopt;
    all.items.insert(all.items.end(), list->items.begin(), list->items.end());
  }
  if (!std::ranges::all_of(all.items, [](const Item& item) { return item.as<Number>()->is_integer(); })) return std::nullopt;
  return Item{std::move(all), span};
}

}  // namespace

std::optional<Item> builtins::concat(Context& c, const BuiltinCall& call) {
  if (auto joined = joined_shapes(call["xs"], call["axis"], call.span)) return joined;
  auto items = listed(c, call);
  auto axis = items ? to_axis(c, call["axis"], (*items)[0]) : std::nullopt;
  return axis ? concatenate(c, call.span, *items, *axis) : std::nullopt;
}

std::optional<Item> builtins::stack(Context& c, const BuiltinCall& call) {
  auto items = listed(c, call);
  auto axis = items ? to_axis(c, call["axis"], (*items)[0], 1) : std::nullopt;
  return axis ? stack(c, call.span, *items, *axis) : std::nullopt;
}

namespace {

// Parts of the sizes in the list `n`.
std::optional<Item> split_by_sizes(Context& c, const BuiltinCall& call, const Item& x, std::size_t axis) {
  const auto sizes = to_shape(c, call["n"]);
  if (!sizes) return std::nullopt;
  Tuple parts;
  std::int64_t start = 0;
  for (const Dim& dim : *sizes)
    if (__builtin_add_overflow(start, dim.size, &start)) start = -1;
  if (const Dim& whole = c.type(x).dims[axis]; start != whole.size) {
    c.report(error_at(Code::E0201, call["n"].span,
                      fmt::format("the sizes of the parts add up to {}, and axis {} of {} has {}", start, axis, c.described(x), whole.size),
                      slices_help(c.text_of(x.span), *call["n"].as<List>(), static_cast<std::int64_t>(axis)))
                 .label(x.span, ""));
    return std::nullopt;
  }
  start = 0;
  for (const Dim& dim : *sizes) {
    auto one = part(c, call.span, x, axis, start, dim.size);
    if (!one) return std::nullopt;
    parts.items.push_back(std::move(*one));
    start += dim.size;
  }
  return parts.items.size() == 1 ? parts.items[0] : Item{std::move(parts), call.span};
}

}  // namespace

std::optional<Item> builtins::split(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call["x"]);
  const auto axis = x ? to_axis(c, call["axis"], *x) : std::nullopt;
  if (!axis) return std::nullopt;
  auto at = static_cast<std::size_t>(*axis);
  std::int64_t size = c.type(*x).size(at);
  if (call["n"].holds<List>()) return split_by_sizes(c, call, *x, at);
  auto n = to_integer(c, call["n"], "the number of parts");
  if (!n) return std::nullopt;
  if (*n <= 0 || size % *n != 0) {
    c.report(error_at(Code::E0201, call.span, fmt::format("cannot split axis {} of {} into {} equal parts", *axis, c.described(*x), *n))
                 .label(x->span, fmt::format("axis {} has size {}", *axis, size_text(c.type(*x).dims[at]))));
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

std::optional<Item> builtins::flip(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call["x"]);
  auto axes = x ? to_axes(c, call["axis"], *x) : std::nullopt;
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

std::optional<Item> builtins::transpose(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call["x"]);
  if (!x) return std::nullopt;
  std::vector<std::int64_t> perm(c.type(*x).rank());
  std::iota(perm.rbegin(), perm.rend(), 0);
  if (const List* list = call["perm"].as<List>()) {
    perm.clear();
    for (const Item& item : list->items) {
      auto axis = to_axis(c, item, *x);
      if (!axis) return std::nullopt;
      perm.push_back(*axis);
    }
  } else if (!call["perm"].holds<None>()) {
    c.error(Code::E0204, call["perm"].span, "`transpose` takes a list of all axes, as in `transpose(x, [1, 0])`");
    return std::nullopt;
  }
  return c.emit(call.span, Opcode::transpose, {*x}, {{Attr::perm, std::move(perm)}});
}

std::optional<Item> builtins::shape(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call["x"]);
  if (!x) return std::nullopt;
  List sizes;
  for (const Dim& dim : c.type(*x).dims) sizes.items.push_back({Number{dim.size, Element::i32, dim.name}, call.span});
  return Item{std::move(sizes), call.span};
}

// The number of elements, or the product of the sizes of some axes.
std::optional<Item> builtins::size(Context& c, const BuiltinCall& call) {
  if (const List* list = call["x"].as<List>(); list && call["axis"].holds<None>() && is_shape(*list))
    return Item{typed(static_cast<std::int64_t>(list->items.size())), call.span};
  if (call["x"].holds<Number>() && call["axis"].holds<None>()) return Item{typed(1), call.span};
  auto x = to_value(c, call["x"]);
  auto axes = x ? to_axes(c, call["axis"], *x) : std::nullopt;
  if (!axes) return std::nullopt;
  Number product{std::int64_t{1}, Element::i32};
  for (std::int64_t axis : *axes) product.value = product.integer() * c.type(*x).size(static_cast<std::size_t>(axis));
  if (axes->size() == 1) product.dim = c.type(*x).dims[static_cast<std::size_t>(axes->front())].name;
  return Item{product, call.span};
}

}  // namespace bpc::frontend::lowering
