#include <algorithm>
#include <cmath>

#include "ir/passes/passes.h"
#include "ir/passes/simplifier.h"
#include "ir/shape_rules.h"

namespace bpc::ir {

namespace {

using Maybe = std::optional<ValueId>;

// ---- elementwise ----

// An operator over known numbers is the number that it gives when the program runs.
Maybe fold_constants(Simplifier& s, const Node& node) {
  const OpInfo& info = op_info(node.code);
  if (info.group != Group::elementwise || info.has(identity)) return {};
  std::vector<scalar::Value> numbers;
  for (ValueId operand : node.operands) {
    auto number = s.number(operand);
    if (!number) return {};
    numbers.push_back(*number);
  }
  const Element element = node.code == Opcode::cast ? node.type.element : s.type(node.operands.back()).element;
  auto folded = scalar::apply(scalar_operator(node.code), element, numbers);
  return folded ? Maybe(s.splat(*folded, node.type)) : std::nullopt;
}

// x*1, x/1, x^1, x - 0, x + (-0) for reals, x + 0 for integers, b and true, b or false.
bool is_neutral(Simplifier& s, Opcode code, ValueId right) {
  bool is_whole = !is_real(s.type(right).element);
  if (code == Opcode::mul || code == Opcode::div || code == Opcode::pow || code == Opcode::logical_and) return s.is_number(right, 1);
  if (code == Opcode::sub || code == Opcode::logical_or) return s.is_number(right, 0);
  if (code == Opcode::add) return s.is_number(right, is_whole ? 0.0 : -0.0);
  return false;
}
Maybe drop_neutral_operand(Simplifier& s, const Node& node) {
  if (node.operands.size() != 2) return {};
  ValueId a = node.operands[0], b = node.operands[1];
  if (is_neutral(s, node.code, b)) return s.stretched(a, node.type);
  if (op_info(node.code).has(commutative) && is_neutral(s, node.code, a)) return s.stretched(b, node.type);
  return {};
}

// false and b, true or b.
Maybe settle_logic(Simplifier& s, const Node& node) {
  if (node.code != Opcode::logical_and && node.code != Opcode::logical_or) return {};
  const std::int64_t settles = node.code == Opcode::logical_or;
  bool settled = std::any_of(node.operands.begin(), node.operands.end(),
                             [&](ValueId operand) { return s.is_number(operand, static_cast<double>(settles)); });
  return settled ? Maybe(s.splat(settles, node.type)) : std::nullopt;
}

// -(-x), x * -1, x / -1, a + -b, -a + b, a - -b.
Maybe move_negation(Simplifier& s, const Node& node) {
  auto negated = [&](ValueId value) -> Maybe {
    const Op* op = s.def(value, Opcode::neg);
    return op ? Maybe(op->operands[0]) : std::nullopt;
  };
  if (node.code == Opcode::neg) return negated(node.operands[0]);
  if (node.code != Opcode::mul && node.code != Opcode::div && node.code != Opcode::add && node.code != Opcode::sub) return {};
  ValueId a = node.operands[0], b = node.operands[1];
  if (node.code == Opcode::mul && s.is_number(a, -1)) std::swap(a, b);
  if (node.code == Opcode::mul || node.code == Opcode::div)
    return s.is_number(b, -1) ? Maybe(s.make(Opcode::neg, {s.stretched(a, node.type)}, node.type)) : std::nullopt;
  if (Maybe x = negated(b)) return s.make(node.code == Opcode::add ? Opcode::sub : Opcode::add, {a, *x}, node.type);
  if (Maybe x = negated(a); x && node.code == Opcode::add) return s.make(Opcode::sub, {b, *x}, node.type);
  return {};
}

// x^2 = x*x, x^0 = 1, x^-1 = 1/x for reals.
Maybe expand_power(Simplifier& s, const Node& node) {
  if (node.code != Opcode::pow) return {};
  ValueId x = node.operands[0], exponent = node.operands[1];
  bool real = is_real(node.type.element);
  scalar::Value one = real ? scalar::Value(1.0) : scalar::Value(std::int64_t{1});
  if (s.is_number(exponent, 0)) return s.splat(one, node.type);
  if (s.is_number(exponent, 2)) {
    x = s.stretched(x, node.type);
    return s.make(Opcode::mul, {x, x}, node.type);
  }
  if (!real || !s.is_number(exponent, -1)) return {};
  ValueId numerator = s.splat(one, Type(node.type.element));
  return s.make(Opcode::div, {numerator, s.stretched(x, node.type)}, node.type);
}

Maybe drop_double_not(Simplifier& s, const Node& node) {
  if (node.code != Opcode::logical_not) return {};
  const Op* inner = s.def(node.operands[0], Opcode::logical_not);
  return inner ? Maybe(inner->operands[0]) : std::nullopt;
}

// where(true, a, b), where(c, a, a).
Maybe choose_branch(Simplifier& s, const Node& node) {
  if (node.code != Opcode::select) return {};
  ValueId a = node.operands[1], b = node.operands[2];
  if (a == b || s.is_number(node.operands[0], 1)) return s.stretched(a, node.type);
  if (s.is_number(node.operands[0], 0)) return s.stretched(b, node.type);
  return {};
}

// Derivatives have been taken (see holds_grad).
Maybe drop_stop_grad(Simplifier&, const Node& node) {
  return node.code == Opcode::stop_grad ? Maybe(node.operands[0]) : std::nullopt;
}

bool is_exact_cast(Element from, Element to) {
  if (from == Element::boolean) return true;
  if (from == Element::i32) return to == Element::i64 || to == Element::f64;
  return from == Element::f32 && to == Element::f64;
}

// To the same type, or of an exact cast.
Maybe shorten_cast(Simplifier& s, const Node& node) {
  if (node.code != Opcode::cast) return {};
  ValueId x = node.operands[0];
  if (s.type(x).element == node.type.element) return x;
  const Op* inner = s.def(x, Opcode::cast);
  if (!inner || !is_exact_cast(s.type(inner->operands[0]).element, s.type(x).element)) return {};
  return s.make(Opcode::cast, {inner->operands[0]}, node.type);
}

// An operand that a broadcast stretched stretches by itself, where the shape of the result still comes from another one; a number is a
// scalar.
Maybe use_unstretched(Simplifier& s, const Node& node) {
  const OpInfo& info = op_info(node.code);
  if (info.group != Group::elementwise || info.rule == ShapeRule::cast || node.operands.size() < 2) return {};
  Node better = node;
  for (ValueId& operand : better.operands) {
    const Op* stretch = s.def(operand, Opcode::broadcast);
    auto number = s.number(operand);
    std::vector<Type> types;
    for (ValueId other : better.operands) types.push_back(s.type(other));
    Type& own = types[static_cast<std::size_t>(&operand - better.operands.data())];
    if (number && !own.is_scalar())
      own.dims.clear();
    else if (stretch)
      own = s.type(stretch->operands[0]);
    else
      continue;
    auto dims = broadcast_dims(types, false);
    if (!dims || !same_shape(Type(node.type.element, *dims), node.type)) continue;
    operand = number ? s.splat(*number, own) : stretch->operands[0];
  }
  return better.operands == node.operands ? std::nullopt : Maybe(s.make(better));
}

// f(broadcast(x)) = broadcast(f(x)): fewer elements to compute.
Maybe compute_unstretched(Simplifier& s, const Node& node) {
  if (op_info(node.code).group != Group::elementwise || node.operands.size() != 1) return {};
  const Op* stretch = s.def(node.operands[0], Opcode::broadcast);
  if (!stretch) return {};
  ValueId x = stretch->operands[0];
  Node inner{node.code, {x}, node.attrs, s.type(x).with_element(node.type.element)};
  return s.stretched(s.make(inner), node.type);
}

// ---- reductions and contractions ----

Maybe drop_empty_reduction(Simplifier& s, const Node& node) {
  bool is_reduction = op_info(node.code).rule == ShapeRule::reduce && node.attrs.ints(Attr::axes).empty();
  return is_reduction ? Maybe(s.stretched(node.operands[0], node.type)) : std::nullopt;
}

// Axis i of transpose(x, perm) is axis perm[i] of x, and so is its letter.
Maybe absorb_transpose(Simplifier& s, const Node& node) {
  if (node.code != Opcode::einsum) return {};
  EinsumSpec spec = parse_einsum(node.attrs.string(Attr::spec)).value();
  std::string* letters[] = {&spec.a, &spec.b};
  Node better = node;
  for (std::size_t k = 0; k < 2; ++k) {
    const Op* moved = s.def(node.operands[k], Opcode::transpose);
    if (!moved) continue;
    const std::string old = *letters[k];
    const auto& perm = moved->attrs.ints(Attr::perm);
    for (std::size_t i = 0; i < perm.size(); ++i) (*letters[k])[static_cast<std::size_t>(perm[i])] = old[i];
    better.operands[k] = moved->operands[0];
  }
  if (better.operands == node.operands) return {};
  better.attrs.set(Attr::spec, einsum_text(spec));
  return s.make(better);
}

// ---- movement ----

// However its elements are moved, a number everywhere stays one.
Maybe move_number(Simplifier& s, const Node& node) {
  Opcode code = node.code;
  bool moves = code == Opcode::reshape || code == Opcode::transpose || code == Opcode::broadcast || code == Opcode::window ||
               (code == Opcode::slice && node.attrs.ints(Attr::dynamic).empty());
  if (!moves) return {};
  auto number = s.number(node.operands[0]);
  return number ? Maybe(s.splat(*number, node.type)) : std::nullopt;
}

// To the shape that x has, or again to another shape.
Maybe shorten_reshape(Simplifier& s, const Node& node) {
  if (node.code != Opcode::reshape) return {};
  ValueId x = node.operands[0];
  if (same_shape(s.type(x), node.type)) return x;
  const Op* inner = s.def(x, Opcode::reshape);
  return inner ? Maybe(s.make(Opcode::reshape, {inner->operands[0]}, node.type)) : std::nullopt;
}

Maybe shorten_broadcast(Simplifier& s, const Node& node) {
  if (node.code != Opcode::broadcast) return {};
  ValueId x = node.operands[0];
  if (same_shape(s.type(x), node.type)) return x;
  const Op* inner = s.def(x, Opcode::broadcast);
  if (!inner) return {};
  ValueId from = inner->operands[0];
  Type types[] = {s.type(from), node.type};
  if (auto dims = broadcast_dims(types, false); !dims || !same_shape(Type(node.type.element, *dims), node.type)) return {};
  return s.make(Opcode::broadcast, {from}, node.type);
}

// The identity, or a transpose of a transpose.
Maybe shorten_transpose(Simplifier& s, const Node& node) {
  if (node.code != Opcode::transpose) return {};
  std::vector<std::int64_t> perm = node.attrs.ints(Attr::perm);
  if (std::is_sorted(perm.begin(), perm.end())) return node.operands[0];
  const Op* inner = s.def(node.operands[0], Opcode::transpose);
  if (!inner) return {};
  for (std::int64_t& axis : perm) axis = inner->attrs.ints(Attr::perm)[static_cast<std::size_t>(axis)];
  return s.make({Opcode::transpose, {inner->operands[0]}, {{Attr::perm, perm}}, node.type});
}

Maybe drop_whole_slice(Simplifier& s, const Node& node) {
  if (node.code != Opcode::slice || !node.attrs.ints(Attr::dynamic).empty() || !node.attrs.ints(Attr::drop).empty()) return {};
  const auto& steps = node.attrs.ints(Attr::steps);
  bool forward = std::all_of(steps.begin(), steps.end(), [](std::int64_t step) { return step == 1; });
  return forward && same_shape(s.type(node.operands[0]), node.type) ? Maybe(node.operands[0]) : std::nullopt;
}

Maybe drop_single_concat(Simplifier&, const Node& node) {
  return node.code == Opcode::concat && node.operands.size() == 1 ? Maybe(node.operands[0]) : std::nullopt;
}

// Tried in this order.
constexpr Rule kRules[] = {
    fold_constants,  drop_neutral_operand, settle_logic,      move_negation,       expand_power,         drop_double_not,  choose_branch,
    drop_stop_grad,  shorten_cast,         use_unstretched,   compute_unstretched, drop_empty_reduction, absorb_transpose, move_number,
    shorten_reshape, shorten_broadcast,    shorten_transpose, drop_whole_slice,    drop_single_concat,   slice_counted,    add_counted,
};

}  // namespace

// ---- the rules' tools ----

std::optional<ValueId> Simplifier::simplified(const Node& node) {
  for (Rule rule : kRules)
    if (auto value = rule(*this, node)) return value;
  return std::nullopt;
}

ValueId Simplifier::make(const Node& node) {
  if (auto value = simplified(node)) return *value;
  OpId op = rewriter_.builder().emit_op(node.code, node.operands, node.attrs, std::span(&node.type, 1));
  return rewriter_.to().op(op).results[0];
}

ValueId Simplifier::splat(const scalar::Value& value, const Type& type) {
  const AttrValue number = std::visit([](auto known) { return AttrValue(known); }, value);
  return make({Opcode::constant, {}, {{Attr::value, number}}, type});
}

ValueId Simplifier::stretched(ValueId value, const Type& to) {
  return same_shape(type(value), to) ? value : make(Opcode::broadcast, {value}, to.with_element(type(value).element));
}

const Op* Simplifier::def(ValueId value, Opcode code) const {
  const Op* op = rewriter_.to().def(value);
  return op && op->code == code ? op : nullptr;
}

std::optional<scalar::Value> Simplifier::number(ValueId value) const {
  const Op* op = def(value, Opcode::constant);
  const AttrValue* number = op ? op->attrs.find(Attr::value) : nullptr;
  if (!number) return std::nullopt;
  const auto* real = std::get_if<double>(number);
  return real ? scalar::Value(*real) : scalar::Value(std::get<std::int64_t>(*number));
}

bool Simplifier::is_number(ValueId value, double expected) const {
  auto known = number(value);
  if (!known) return false;
  if (const auto* integer = std::get_if<std::int64_t>(&*known)) return static_cast<double>(*integer) == expected;
  double real = std::get<double>(*known);
  return real == expected && std::signbit(real) == std::signbit(expected);
}

bool holds_grad(const Function& function) {
  for (std::uint32_t i = 0; i < function.op_count(); ++i)
    if (op_info(function.op(OpId{i}).code).group == Group::derivative) return true;
  return false;
}

Function simplify(const Function& function, Diagnostics&) {
  if (holds_grad(function)) return function;
  Rewriter rewriter(function);
  Simplifier simplifier(rewriter);
  return rewriter.finish([&](const Op& op) {
    if (op.code == Opcode::if_else) {
      auto condition = simplifier.number(rewriter.map(op.operands[0]));
      if (!condition) return false;
      std::vector<ValueId> values = rewriter.splice(op.regions[std::get<std::int64_t>(*condition) != 0 ? 0 : 1]);
      for (std::size_t i = 0; i < values.size(); ++i) rewriter.set(op.results[i], values[i]);
      return true;
    }
    if (op.code == Opcode::custom) {  // derivatives have been taken
      rewriter.put_inside(op);
      return true;
    }
    Group group = op_info(op.code).group;
    if (group == Group::control || group == Group::effect || group == Group::tape) return false;
    auto value = simplifier.simplified({op.code, rewriter.map(op.operands), op.attrs, function.type(op.results[0])});
    if (value) rewriter.set(op.results[0], *value);
    return value.has_value();
  });
}

}  // namespace bpc::ir
