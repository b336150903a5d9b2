#include <fmt/format.h>

#include "frontend/lower/builtins.h"
#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"
#include "frontend/lower/numbers.h"
#include "frontend/lower/types.h"
#include "support/internal_error.h"

namespace bpc::frontend::lowering {

namespace {

using ir::Attr;
using ir::Formal;
using ir::Written;

std::optional<Item> flattened(Context& c, Span span, const Item& x) {
  auto flat = reshape(c, span, x, {Dim{c.type(x).count(), {}}});
  if (flat) flat->span = x.span;
  return flat;
}

// One axis, as an attribute that holds one or one that holds several.
std::optional<ir::AttrValue> axis_or_axes(Context& c, const Formal& formal, const Item& argument, const Item& x,
                                          std::string_view function) {
  if (ir::attr_info(*formal.attr).kind == ir::AttrKind::integer) return to_axis(c, argument, x);
  auto axes = to_axes(c, argument, x);
  if (axes && axes->size() != 1) {
    c.error(Code::E0204, argument.span, fmt::format("`{}` takes one axis", function));
    return std::nullopt;
  }
  return axes;
}

std::optional<ir::AttrValue> number(Context& c, Attr attr, const Item& argument) {
  const std::string what(ir::attr_info(attr).sentence);
  const std::int64_t least = *ir::least_value(attr);
  auto value = to_integer(c, argument, what);
  if (!value || *value >= least) return value;
  c.error(Code::E0210, argument.span, fmt::format("{} is at least {}, and this is {}", what, least, *value));
  return std::nullopt;
}

// The attribute that an argument gives to an op whose first operand is x.
std::optional<ir::AttrValue> attribute(Context& c, const Formal& formal, const Item& argument, const Item& x, std::string_view function) {
  const std::string word = fmt::format("`{}`", formal.word);
  switch (formal.written) {
    case Written::flag:
      return to_bool(c, argument, word);
    case Written::opposite:
      if (auto flag = to_bool(c, argument, word)) return !*flag;
      return std::nullopt;
    case Written::natural:
    case Written::positive:
      return number(c, *formal.attr, argument);
    case Written::one_axis:
      return to_axis(c, argument, x);
    case Written::axis_of_windows:
      if (c.type(x).rank() < 2) return std::int64_t{0};  // the shape rule says what is wrong
      return to_axis(c, argument, x, -1);
    case Written::some_axes:
      return to_axes(c, argument, x);
    case Written::flat_axis:
      return axis_or_axes(c, formal, argument, x, function);
    case Written::inner:
      break;
  }
  throw InternalError("lower", fmt::format("{} is no argument", word), argument.span);
}

// The operands among the arguments.
std::optional<std::vector<Item>> operands_of(Context& c, const ir::OpInfo& op, const BuiltinCall& call) {
  std::vector<Item> given;
  for (std::size_t i = 0; const Formal& formal : op.signature) {
    if (!formal.is_argument()) continue;
    const Item& argument = call.arguments[i++];
    if (!formal.attr) given.push_back(argument);
  }
  if (op.domain == ir::Domain::real || given.size() > 1) return to_common(c, given, op.domain);
  auto x = to_value(c, given[0]);
  return x ? std::optional(std::vector{*x}) : std::nullopt;
}

// An op as its row describes it: each argument is an operand or becomes an attribute.
std::optional<Item> described_op(Context& c, const ir::OpInfo& op, const BuiltinCall& call) {
  auto operands = operands_of(c, op, call);
  if (!operands) return std::nullopt;
  Item& x = operands->front();
  const std::size_t rank = c.type(x).rank();
  ir::Attributes attrs;
  bool is_flat = false;
  for (std::size_t i = 0; const Formal& formal : op.signature) {
    if (!formal.is_argument()) continue;
    Item argument = call.arguments[i++];
    if (!formal.attr) continue;
    if (formal.written == Written::flat_axis && argument.holds<None>()) {
      auto flat = flattened(c, call.span, x);
      if (!flat) return std::nullopt;
      x = *flat;
      argument = {weak(std::int64_t{0}), call.span};
      is_flat = true;
    }
    auto value = attribute(c, formal, argument, x, call.name);
    if (!value) return std::nullopt;
    attrs.set(*formal.attr, std::move(*value));
  }
  const bool keeps = is_flat && attrs.find(Attr::keep) && attrs.flag(Attr::keep);  // all the axes that there were
  if (keeps) attrs.set(Attr::keep, false);
  auto result = c.emit(call.span, op.code, *operands, std::move(attrs));
  return result && keeps ? reshape(c, call.span, *result, std::vector<Dim>(rank, Dim{1, {}})) : result;
}

std::optional<Item> where(Context& c, const BuiltinCall& call) {
  auto condition = to_value(c, call.arguments[0]);
  auto sides = to_common(c, {call.arguments[1], call.arguments[2]}, ir::Domain::any);
  return condition && sides ? c.emit(call.span, ir::Opcode::select, {*condition, (*sides)[0], (*sides)[1]}) : std::nullopt;
}

}  // namespace

std::optional<Item> call_op(Context& c, ir::Opcode code, const BuiltinCall& call) {
  const ir::OpInfo& op = ir::op_info(code);
  if (op.rule == ir::ShapeRule::select) return where(c, call);
  if (const Item& x = call.arguments[0]; op.rule == ir::ShapeRule::reduce && x.holds<bool>()) return Item{x.is, call.span};  // `all`, `any`
  if (op.group == ir::Group::elementwise && call.arguments.size() == static_cast<std::size_t>(op.min_operands)) {
    if (auto folded = fold_function(c, call.span, code, call.arguments)) return folded;
    return elementwise(c, call.span, code, call.arguments);
  }
  return described_op(c, op, call);
}

}  // namespace bpc::frontend::lowering
