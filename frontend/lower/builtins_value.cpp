// Functions that compute: casts, products of vectors, products of elements, one-hot codes.
#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "frontend/lower/builtins.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/types.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Attr;
using ir::Opcode;
using ir::ValueId;

std::optional<Item> cast(Context& c, const BuiltinCall& call, Element element) {
  const Item& x = call["x"];
  const Number* number = x.as<Number>();
  if (number && element == Element::boolean) return Item{number->real() != 0, call.span};
  if (number && is_integer(element)) {  // stays a compile-time integer
    if (number->is_integer()) return whole_number(c, call.span, number->integer(), element);
    double whole = std::trunc(number->real());
    if (std::fabs(whole) < 0x1p63) return whole_number(c, call.span, static_cast<std::int64_t>(whole), element);
    c.error(Code::E0210, x.span, fmt::format("{} does not fit {}", number_text(*number), element_name(element)));
    return std::nullopt;
  }
  if (number) return constant(c, call.span, *number, Type(element));
  auto own = strength(c, x);
  if (!own) return std::nullopt;
  bool exact = is_real(element) || (own->kind == Strength::Kind::weak_integer && is_integer(element));  // other numbers are truncated
  auto value = to_value(c, x, exact ? std::optional(element) : std::nullopt);
  auto result = value ? cast_to(c, *value, element, call.span) : std::nullopt;
  if (result) result->span = call.span;
  return result;
}

bool require_vector(Context& c, const BuiltinCall& call, const Item& x) {
  std::size_t rank = c.type(x).rank();
  if (rank != 1) c.error(Code::E0204, x.span, fmt::format("`{}` takes vectors, and `{}` has {} axes", call.name, c.text_of(x.span), rank));
  return rank == 1;
}

// A product along one axis as a balanced tree of multiplications of halves, so that its derivative is exact at zeros, to every order.
std::optional<Item> product_along(Context& c, Span span, Item x, std::size_t axis) {
  auto size = [&](const Item& item) { return c.type(item).size(axis); };
  if (size(x) == 0) {  // 1, which depends on x all the same
    auto nothing = c.emit(span, Opcode::reduce_sum, {x}, {{Attr::axes, std::vector{static_cast<std::int64_t>(axis)}}, {Attr::keep, true}});
    auto one = nothing ? constant(c, span, weak(std::int64_t{1}), c.type(*nothing)) : std::nullopt;
    return one ? c.emit(span, Opcode::add, {*nothing, *one}) : std::nullopt;
  }
  std::optional<Item> odd;  // what did not pair up on the way
  while (size(x) > 1) {
    std::int64_t n = size(x), half = n / 2;
    auto low = part(c, span, x, axis, 0, half), high = part(c, span, x, axis, half, half);
    if (n % 2 == 1) {
      auto last = part(c, span, x, axis, n - 1, 1);
      odd = odd && last ? c.emit(span, Opcode::mul, {*odd, *last}) : last;
      if (!odd) return std::nullopt;
    }
    auto product = low && high ? c.emit(span, Opcode::mul, {*low, *high}) : std::nullopt;
    if (!product) return std::nullopt;
    x = std::move(*product);
  }
  return odd ? c.emit(span, Opcode::mul, {x, *odd}) : x;
}

// Reals of the shape of the logits are rows of probabilities, or of one 1.
std::optional<Item> to_labels(Context& c, const Item& item, const Type* logits = nullptr) {
  auto labels = to_value(c, item, Element::i32);
  if (!labels || is_integer(c.type(*labels).element)) return labels;
  const std::string text = c.text_of(labels->span);
  const Type& type = c.type(*labels);
  c.error(Code::E0203, labels->span, fmt::format("labels are integers, and `{}` is {}", text, type_text(type)),
          logits && !type.is_scalar() && same_shape(type, *logits) ? fmt::format("`argmax({}, axis=-1)` is the label of each row", text)
                                                                   : fmt::format("`i32({})` converts", text));
  return std::nullopt;
}

// A check that the labels are 0..n: E0401, which names the first that is not, and its row.
bool check_labels(Context& c, Span span, const Item& labels, std::int64_t n) {
  auto outside = [&](const char* comparison, std::int64_t bound) { return binary(c, span, span, comparison, labels, {weak(bound), span}); };
  auto low = outside(">=", 0), high = outside("<", n);
  auto inside = low && high ? binary(c, span, span, "and", *low, *high) : std::nullopt;
  std::vector<std::int64_t> axes(c.type(labels).rank());
  std::iota(axes.begin(), axes.end(), 0);
  if (inside && !axes.empty()) inside = c.emit(span, Opcode::reduce_all, {*inside}, {{Attr::axes, axes}, {Attr::keep, false}});
  if (!inside) return false;
  const std::vector<std::string> names{c.text_of(labels.span)};
  const std::vector<ValueId> operands{*inside->as<ValueId>(), *labels.as<ValueId>()};
  c.set_origin(span);
  c.builder->emit_op(Opcode::assert_true, operands,
                     {{Attr::bound, n}, {Attr::message, fmt::format("a label is outside 0..{}", n - 1)}, {Attr::names, names}}, {});
  return true;
}

}  // namespace

std::optional<Item> builtins::cast_f32(Context& c, const BuiltinCall& call) {
  return cast(c, call, Element::f32);
}
std::optional<Item> builtins::cast_f64(Context& c, const BuiltinCall& call) {
  return cast(c, call, Element::f64);
}
std::optional<Item> builtins::cast_real(Context& c, const BuiltinCall& call) {
  return cast(c, call, c.module.real);
}
std::optional<Item> builtins::cast_i32(Context& c, const BuiltinCall& call) {
  return cast(c, call, Element::i32);
}
std::optional<Item> builtins::cast_i64(Context& c, const BuiltinCall& call) {
  return cast(c, call, Element::i64);
}
std::optional<Item> builtins::cast_bool(Context& c, const BuiltinCall& call) {
  return cast(c, call, Element::boolean);
}

std::optional<Item> builtins::outer(Context& c, const BuiltinCall& call) {
  auto values = to_common(c, call.arguments, ir::Domain::number);
  if (!values || !require_vector(c, call, (*values)[0]) || !require_vector(c, call, (*values)[1])) return std::nullopt;
  return contract(c, call.span, "i,j->ij", (*values)[0], (*values)[1]);
}

std::optional<Item> builtins::dot(Context& c, const BuiltinCall& call) {
  return matmul(c, call.span, call.span, call["a"], call["b"]);
}

std::optional<Item> builtins::prod(Context& c, const BuiltinCall& call) {
  auto x = to_value(c, call["x"]);
  auto axes = x ? to_axes(c, call["axis"], *x) : std::nullopt;
  auto keep = to_bool(c, call["keep"], "`keep`");
  if (!axes || !keep) return std::nullopt;
  if (c.type(*x).element == Element::boolean) {
    c.error(Code::E0203, x->span, fmt::format("`prod` takes numbers, and `{}` is bool", c.text_of(x->span)));
    return std::nullopt;
  }
  std::vector<Dim> dims;
  for (std::size_t i = 0; i < c.type(*x).rank(); ++i) {
    bool reduced = std::binary_search(axes->begin(), axes->end(), static_cast<std::int64_t>(i));
    if (!reduced) dims.push_back(c.type(*x).dims[i]);
    if (reduced && *keep) dims.push_back({1, {}});
  }
  for (std::int64_t axis : *axes) {
    x = product_along(c, call.span, *x, static_cast<std::size_t>(axis));
    if (!x) return std::nullopt;
  }
  return reshape(c, call.span, *x, std::move(dims));
}

// 1 at the label's place along a new last axis of size n, else 0.
std::optional<Item> builtins::one_hot(Context& c, const BuiltinCall& call) {
  auto labels = to_labels(c, call["labels"]);
  auto n = to_size(c, call["n"]);
  if (!labels || !n || !check_labels(c, call.span, *labels, n->size)) return std::nullopt;
  Type type = c.type(*labels);
  std::vector<Dim> column = type.dims;
  column.push_back({1, {}});
  type.dims.push_back(*n);
  auto index = c.emit(call.span, Opcode::iota, {}, {{Attr::axis, static_cast<std::int64_t>(type.rank()) - 1}}, &type);
  auto expanded = reshape(c, call.span, *labels, std::move(column));
  auto equal = index && expanded ? c.emit(call.span, Opcode::eq, {*expanded, *index}) : std::nullopt;
  return equal ? cast_to(c, *equal, c.module.real, call.span) : std::nullopt;
}

// The labels of rows of logits, one each, with a last axis of size 1: what gathers along the last axis of the logits.
std::optional<Item> builtins::labels_by_row(Context& c, const BuiltinCall& call) {
  auto logits = to_value(c, call["logits"]);
  if (!logits || !to_axis(c, {weak(std::int64_t{-1}), logits->span}, *logits)) return std::nullopt;
  Type type = c.type(*logits);
  const Dim columns = type.dims.back();
  auto labels = to_labels(c, call["labels"], &type);
  if (!labels) return std::nullopt;
  type.element = c.type(*labels).element;
  type.dims.pop_back();
  const Type both[] = {type, c.type(*labels)};
  auto met = ir::broadcast_dims(both, false);
  if (!met || !same_shape(Type(type.element, *met), type)) {
    c.report(error_at(Code::E0201, labels->span,
                      fmt::format("{} is not one label for each row of {}", c.described(*labels), c.described(*logits)),
                      fmt::format("the labels are {}", type_text(type)))
                 .label(labels->span, shape_text(c.type(*labels).dims))
                 .label(logits->span, shape_text(c.type(*logits).dims)));
    return std::nullopt;
  }
  if (!check_labels(c, call.span, *labels, columns.size)) return std::nullopt;
  auto fitting = to_fit(c, *labels, type, "the labels");
  type.dims.push_back({1, {}});
  return fitting ? reshape(c, call.span, *fitting, type.dims) : std::nullopt;
}

// Scores under a mask, as in torch: reals are added; a bool is true where a key takes part, and adds -inf elsewhere. Adding it, rather than
// selecting, lets no product of the derivative pay for strong zeros: the weights of those keys are zeros anyway.
std::optional<Item> builtins::masked(Context& c, const BuiltinCall& call) {
  auto scores = to_value(c, call["scores"]);
  if (!scores || call["mask"].holds<None>()) return scores;
  auto mask = to_value(c, call["mask"]);
  if (!mask) return std::nullopt;
  const Type type = c.type(*mask);
  if (is_integer(type.element)) {
    c.error(Code::E0203, mask->span,
            fmt::format("a mask is bool, true where a key takes part, or real and added to the scores, and `{}` is {}",
                        c.text_of(mask->span), type_text(type)),
            fmt::format("write `{} > 0`", c.text_of(mask->span)));
    return std::nullopt;
  }
  std::optional<Item> added = mask;
  if (!is_real(type.element)) {
    Type scalar(c.type(*scores).element);
    auto always = constant(c, call.span, weak(0.0), scalar), never = constant(c, call.span, weak(-HUGE_VAL), scalar);
    added = always && never ? c.emit(call.span, Opcode::select, {*mask, *always, *never}) : std::nullopt;
    if (added) added->span = mask->span;
  }
  if (!added) return std::nullopt;
  const Type both[] = {c.type(*scores), c.type(*added)};
  if (ir::broadcast_dims(both, false)) return binary(c, call.span, call.span, "+", *scores, *added);
  c.report(error_at(Code::E0201, mask->span,
                    fmt::format("a mask is a row for each query and a column for each key, {} here, and {} does not stretch to that",
                                shape_text(both[0].dims), c.described(*mask)))
               .label(mask->span, shape_text(type.dims)));
  return std::nullopt;
}

}  // namespace bpc::frontend::lowering
