// Functions that lay a tensor out in a larger or another order: pad, roll, tile. NumPy's semantics.
#include <fmt/format.h>
#include <algorithm>

#include "frontend/lower/builtins.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/types.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Attr;
using ir::Opcode;
using ir::ValueId;

struct Widths {
  std::int64_t before, after;
};

std::optional<std::int64_t> width_of(Context& c, const Item& item) {
  if (const Number* number = item.as<Number>(); number && number->real() < 0) {
    c.error(Code::E0210, item.span, fmt::format("a margin cannot be {} wide", number_text(*number)), "a slice makes a tensor smaller");
    return std::nullopt;
  }
  auto size = to_size(c, item);
  return size ? std::optional(size->size) : std::nullopt;
}

// A pair [before, after] for each axis of x.
std::optional<std::vector<Widths>> widths_of(Context& c, const Item& x, const Item& given) {
  const List* pairs = given.as<List>();
  std::size_t rank = c.type(x).rank();
  auto is_pair = [](const Item& item) { return item.holds<List>() && item.as<List>()->items.size() == 2; };
  if (!pairs || pairs->items.size() != rank || !std::all_of(pairs->items.begin(), pairs->items.end(), is_pair)) {
    c.report(error_at(Code::E0204, given.span,
                      fmt::format("`pad` takes a pair [before, after] for each axis, and {} has {}", c.described(x), rank),
                      fmt::format("write it like `[{}]`", fmt::join(std::vector<std::string>(rank, "[0, 1]"), ", ")))
                 .label(x.span, fmt::format("{} axes", rank)));
    return std::nullopt;
  }
  std::vector<Widths> widths;
  for (const Item& pair : pairs->items) {
    auto before = width_of(c, pair.as<List>()->items[0]), after = width_of(c, pair.as<List>()->items[1]);
    if (!before || !after) return std::nullopt;
    widths.push_back({*before, *after});
  }
  return widths;
}

}  // namespace

// x, put into a tensor that is `value` elsewhere.
std::optional<Item> builtins::pad(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call["x"]);
  auto widths = x ? widths_of(c, *x, call["widths"]) : std::nullopt;
  if (!widths) return std::nullopt;
  Item value = call["value"];
  if (const Number* number = value.as<Number>(); number && c.type(*x).element == Element::boolean) value.is = number->real() != 0;
  auto both = to_common(c, {*x, value}, ir::Domain::any);
  if (!both) return std::nullopt;
  Type type = c.type((*both)[0]);
  std::vector<std::int64_t> starts, sizes = type.sizes(), steps(type.rank(), 1), none;
  for (std::size_t i = 0; i < widths->size(); ++i) {
    auto [before, after] = (*widths)[i];
    starts.push_back(before);
    if (before + after > 0) type.dims[i] = {before + type.size(i) + after, {}};
  }
  if (type.sizes() == sizes) return (*both)[0];
  auto base = c.emit(call.span, Opcode::broadcast, {(*both)[1]}, {}, &type);
  if (!base) return std::nullopt;
  return c.emit(call.span, Opcode::update, {*base, (*both)[0]},
                {{Attr::starts, starts}, {Attr::sizes, sizes}, {Attr::steps, steps}, {Attr::dynamic, none}, {Attr::drop, none}});
}

namespace {

// The element at i goes to i + n, around the end.
std::optional<Item> roll_along(Context& c, Span span, const Item& x, std::size_t axis, std::int64_t n) {
  const std::int64_t size = c.type(x).size(axis), shift = size == 0 ? 0 : (n % size + size) % size;
  if (shift == 0) return x;
  auto tail = part(c, span, x, axis, size - shift, shift), head = part(c, span, x, axis, 0, size - shift);
  auto rolled = tail && head ? concatenate(c, span, {*tail, *head}, static_cast<std::int64_t>(axis)) : std::nullopt;
  return rolled ? reshape(c, span, *rolled, c.type(x).dims) : std::nullopt;  // the size keeps its name
}

}  // namespace

// One shift and axis, or as many of both.
std::optional<Item> builtins::roll(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call["x"]);
  const List *shifts = call["n"].as<List>(), *axes = call["axis"].as<List>();
  if ((shifts != nullptr) != (axes != nullptr) || (shifts && shifts->items.size() != axes->items.size())) {
    c.error(Code::E0205, call["n"].span, "`roll` takes one shift and one axis, or a list of shifts and a list of as many axes");
    return std::nullopt;
  }
  for (std::size_t i = 0; x && i < (axes ? axes->items.size() : 1); ++i) {
    const auto n = to_integer(c, shifts ? shifts->items[i] : call["n"], "the shift of `roll`");
    const auto axis = to_axis(c, axes ? axes->items[i] : call["axis"], *x);
    x = n && axis ? roll_along(c, call.span, *x, static_cast<std::size_t>(*axis), *n) : std::nullopt;
  }
  return x;
}

// x so many times along each axis. Fewer numbers than axes are for the last axes; more make new first ones.
std::optional<Item> builtins::tile(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call["x"]);
  auto times = to_shape(c, call["reps"]);
  if (!x || !times) return std::nullopt;
  std::vector<Dim> own = c.type(*x).dims, apart, stretched, joined;
  std::size_t rank = std::max(own.size(), times->size());
  own.insert(own.begin(), rank - own.size(), Dim{1, {}});
  times->insert(times->begin(), rank - times->size(), Dim{1, {}});
  for (std::size_t i = 0; i < rank; ++i) {
    Dim repeat = (*times)[i];
    std::int64_t size = 0;
    if (__builtin_mul_overflow(repeat.size, own[i].size, &size)) size = -1;  // which emit finds too large
    apart.insert(apart.end(), {Dim{1, {}}, own[i]});
    stretched.insert(stretched.end(), {repeat, own[i]});
    joined.push_back(repeat.size == 1 ? own[i] : Dim{size, {}});
  }
  Type to(c.type(*x).element, std::move(stretched));
  auto column = reshape(c, call.span, *x, std::move(apart));
  auto all = column ? c.emit(call.span, Opcode::broadcast, {*column}, {}, &to) : std::nullopt;
  return all ? reshape(c, call.span, *all, std::move(joined)) : std::nullopt;
}

}  // namespace bpc::frontend::lowering
