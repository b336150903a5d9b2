#include <fmt/format.h>

#include "frontend/lower/builtin_functions.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/types.h"
#include "support/internal_error.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Attr;
using ir::Opcode;
using ir::ValueId;

std::optional<Item> flattened(Context& c, Span span, const Item& x) {
  auto flat = reshape(c, span, x, {Dim{c.type(x).count(), {}}});
  if (flat) flat->span = x.span;
  return flat;
}

std::optional<Item> reduction(Context& c, Opcode code, const BuiltinCall& call) {
  auto x = to_value(c, call.arguments[0]);
  auto axes = x ? to_axes(c, call.arguments[1], *x) : std::nullopt;
  auto keep = axes ? to_bool(c, call.arguments[2], "`keep`") : std::nullopt;
  if (!keep) return std::nullopt;
  return c.emit(call.span, code, {*x}, {{Attr::axes, *axes}, {Attr::keep, *keep}});
}

// Without an axis the index is flat, row by row.
std::optional<Item> index_of_extreme(Context& c, Opcode code, const BuiltinCall& call) {
  auto x = to_value(c, call.arguments[0]);
  auto keep = to_bool(c, call.arguments[2], "`keep`");
  if (!x || !keep) return std::nullopt;
  std::size_t rank = c.type(*x).rank();
  if (call.arguments[1].holds<None>()) {
    auto flat = flattened(c, call.span, *x);
    auto index = flat ? c.emit(call.span, code, {*flat}, {{Attr::axes, std::vector<std::int64_t>{0}}, {Attr::keep, false}}) : std::nullopt;
    return index && *keep ? reshape(c, call.span, *index, std::vector<Dim>(rank, Dim{1, {}})) : index;
  }
  auto axes = to_axes(c, call.arguments[1], *x);
  if (!axes) return std::nullopt;
  if (axes->size() != 1) {
    c.error(Code::E0204, call.arguments[1].span, fmt::format("`{}` takes one axis", call.name));
    return std::nullopt;
  }
  return c.emit(call.span, code, {*x}, {{Attr::axes, *axes}, {Attr::keep, *keep}});
}

std::optional<Item> running_sum(Context& c, Opcode code, const BuiltinCall& call) {
  auto x = to_value(c, call.arguments[0]);
  if (!x) return std::nullopt;
  std::optional<std::int64_t> axis = 0;
  if (call.arguments[1].holds<None>())
    x = flattened(c, call.span, *x);
  else
    axis = to_axis(c, call.arguments[1], *x);
  return x && axis ? c.emit(call.span, code, {*x}, {{Attr::axis, *axis}}) : std::nullopt;
}

std::optional<Item> polygamma(Context& c, const BuiltinCall& call) {
  auto order = to_integer(c, call.arguments[0], "the order of `polygamma`");
  if (!order) return std::nullopt;
  if (*order < 0) {
    c.error(Code::E0210, call.arguments[0].span, "the order of `polygamma` is not negative");
    return std::nullopt;
  }
  auto x = to_common(c, {call.arguments[1]}, ir::Domain::real);
  return x ? c.emit(call.span, Opcode::polygamma, *x, {{Attr::order, *order}}) : std::nullopt;
}

std::optional<Item> where(Context& c, const BuiltinCall& call) {
  auto condition = to_value(c, call.arguments[0]);
  auto sides = to_common(c, {call.arguments[1], call.arguments[2]}, ir::Domain::any);
  return condition && sides ? c.emit(call.span, Opcode::select, {*condition, (*sides)[0], (*sides)[1]}) : std::nullopt;
}

std::optional<Item> windows(Context& c, Opcode code, const BuiltinCall& call) {
  bool adds = code == Opcode::window_add;
  auto x = to_value(c, call.arguments[0]);
  if (!x) return std::nullopt;
  std::size_t rank = c.type(*x).rank();
  if (adds && rank < 2) {
    c.error(Code::E0204, x->span,
            fmt::format("`window_add` takes windows, whose last axis is what is in one, and {} is none", c.described(*x)));
    return std::nullopt;
  }
  auto axis = to_axis(c, call.arguments[1], *x, adds ? -1 : 0);
  auto size = to_integer(c, call.arguments[2], adds ? "the length of windows put back" : "the size of a window");
  auto stride = to_integer(c, call.arguments[3], "the stride"), dilation = to_integer(c, call.arguments[4], "the dilation");
  if (!axis || !size || !stride || !dilation) return std::nullopt;
  return c.emit(call.span, code, {*x},
                {{Attr::axis, *axis}, {adds ? Attr::length : Attr::size, *size}, {Attr::stride, *stride}, {Attr::dilation, *dilation}});
}

// The flags of the solves that differ from their defaults become attributes.
std::optional<Item> linear_algebra(Context& c, Opcode code, const BuiltinCall& call) {
  const bool solves = ir::op_info(code).rule == ir::ShapeRule::solve;
  auto operands = to_common(c, {call.arguments.begin(), call.arguments.begin() + (solves ? 2 : 1)}, ir::Domain::real);
  if (!operands) return std::nullopt;
  ir::Attributes attrs;
  if (code == Opcode::triangular_solve) {
    auto lower = to_bool(c, call.arguments[2], "`lower`");
    if (!lower) return std::nullopt;
    if (!*lower) attrs.set(Attr::upper, true);
  }
  if (solves) {
    auto transposed = to_bool(c, call.arguments.back(), "`transposed`");
    if (!transposed) return std::nullopt;
    if (*transposed) attrs.set(Attr::transposed, true);
  }
  return c.emit(call.span, code, *operands, attrs);
}

std::optional<Item> order(Context& c, Opcode code, const BuiltinCall& call) {
  auto x = to_value(c, call.arguments[0]);
  auto axis = x ? to_axis(c, call.arguments[1], *x) : std::nullopt;
  auto descending = to_bool(c, call.arguments[2], "`descending`");
  if (!axis || !descending) return std::nullopt;
  ir::Attributes attrs{{Attr::axis, *axis}};
  if (*descending) attrs.set(Attr::descending, true);
  return c.emit(call.span, code, {*x}, attrs);
}

}  // namespace

std::optional<Item> call_op(Context& c, Opcode code, const BuiltinCall& call) {
  switch (ir::op_info(code).rule) {
    case ir::ShapeRule::pointwise:
    case ir::ShapeRule::comparison:
      if (code == Opcode::polygamma) return polygamma(c, call);
      if (auto folded = fold_function(c, call.span, code, call.arguments)) return folded;
      return elementwise(c, call.span, code, call.arguments);
    case ir::ShapeRule::select:
      return where(c, call);
    case ir::ShapeRule::reduce:
      if (const Item& x = call.arguments[0]; x.holds<bool>()) return Item{x.is, call.span};  // `all` and `any` of a single one
      return reduction(c, code, call);
    case ir::ShapeRule::arg_reduce:
      return index_of_extreme(c, code, call);
    case ir::ShapeRule::scan:
      return running_sum(c, code, call);
    case ir::ShapeRule::window:
    case ir::ShapeRule::window_add:
      return windows(c, code, call);
    case ir::ShapeRule::square:
    case ir::ShapeRule::determinant:
    case ir::ShapeRule::solve:
      return linear_algebra(c, code, call);
    case ir::ShapeRule::order:
      return order(c, code, call);
    case ir::ShapeRule::cast:
    case ir::ShapeRule::einsum:
    case ir::ShapeRule::reshape:
    case ir::ShapeRule::transpose:
    case ir::ShapeRule::broadcast:
    case ir::ShapeRule::slice:
    case ir::ShapeRule::update:
    case ir::ShapeRule::gather:
    case ir::ShapeRule::scatter:
    case ir::ShapeRule::concat:
    case ir::ShapeRule::declared:
    case ir::ShapeRule::tape:
    case ir::ShapeRule::push:
    case ir::ShapeRule::pop:
    case ir::ShapeRule::nothing:
    case ir::ShapeRule::region:
    case ir::ShapeRule::gradient:
    case ir::ShapeRule::tangent:
      break;
  }
  throw InternalError("lower", fmt::format("`{}` is spelled but has no call", call.name), call.span);
}

}  // namespace bpc::frontend::lowering
