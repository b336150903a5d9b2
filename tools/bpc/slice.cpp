#include "tools/bpc/slice.h"

#include <algorithm>

#include "ir/clone.h"

namespace bpc::tool {

namespace {

using ir::BlockId;
using ir::Function;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

bool is_derivative(const Op& op) {
  return ir::op_info(op.code).group == ir::Group::derivative;
}

// The values from outside that an op and the ops in its regions read.
std::vector<ValueId> reads(const Function& function, const Op& op) {
  std::vector<ValueId> values = op.operands;
  for (BlockId region : op.regions)
    ir::for_each_use(function, region, [&](ValueId value) {
      auto holds = [&](BlockId own) { return ir::is_enclosed(function, function.value(value).block, own); };
      if (std::none_of(op.regions.begin(), op.regions.end(), holds)) values.push_back(value);
    });
  return values;
}

// Calls `visit` with the op and those inside its regions.
template <class Visit>
void for_each_op(const Function& function, OpId id, const Visit& visit) {
  visit(function.op(id));
  for (BlockId region : function.op(id).regions)
    for (OpId inner : function.block(region).ops) for_each_op(function, inner, visit);
}

// What has run in this turn before an op: the ops before it in its block, and in the blocks around it.
std::vector<OpId> ops_before(const Function& function, OpId id) {
  std::vector<OpId> before;
  for (; id.valid(); id = function.block(function.op(id).block).parent) {
    const auto& ops = function.block(function.op(id).block).ops;
    before.insert(before.begin(), ops.begin(), std::find(ops.begin(), ops.end(), id));
  }
  return before;
}

// In the library, but where it draws: how a draw varies is said by a rule, since its value is one that does not vary.
bool is_of_library(const Session& session, const Span& place) {
  return session.sources.is_in_prelude(place) && session.sources.file(place.file).path != "prelude/random.bp";
}

// Whether an adjoint rule was written by an author, not in the library. Functions that the rule calls do not count: the place of an op in
// the rule is the call site that comes after those of the rule itself.
bool is_author_rule(const Session& session, const Function& main, const Op& custom) {
  const std::size_t calls = main.origin(custom.origin).calls.size();
  const auto& ops = main.block(custom.regions[1]).ops;
  return std::none_of(ops.begin(), ops.end(), [&](OpId id) {
    const ir::Origin& origin = main.origin(main.op(id).origin);
    const Span& place = origin.calls.size() > calls ? origin.calls[origin.calls.size() - calls - 1] : origin.span;
    return is_of_library(session, place);
  });
}

// Whether the derivative of an op is what an author says it is.
bool is_said(const Session& session, const Function& main, const Op& op) {
  if (op.code == Opcode::custom) return is_author_rule(session, main, op);
  return op.code == Opcode::stop_grad && !session.sources.is_in_prelude(main.origin(op.origin).span);
}

// The ops between x and y; where one of them is a derivative, also those between what it differentiates by and what it differentiates.
std::vector<OpId> between(const Function& function, const std::vector<OpId>& before, ValueId y, ValueId x) {
  std::vector<bool> moved(function.value_count(), false);
  moved[x.index] = true;
  for (bool grows = true; grows;) {
    grows = false;
    std::vector<OpId> ops;
    for (OpId id : before) {
      const Op& op = function.op(id);
      if (op.code == Opcode::stop_grad || ir::op_info(op.code).has(ir::effect)) continue;
      const std::vector<ValueId> sources = reads(function, op);
      const bool makes_tape = std::any_of(op.results.begin(), op.results.end(), [&](ValueId result) { return function.type(result).tape; });
      const bool moves = std::any_of(sources.begin(), sources.end(), [&](ValueId source) { return moved[source.index]; });
      if (moves || makes_tape) ops.push_back(id);  // a tape is no value that could be known
      if (!moves) continue;
      for (ValueId result : op.results) moved[result.index] = true;
    }
    std::vector<bool> needed(function.value_count(), false);
    needed[y.index] = true;
    std::vector<OpId> kept;
    for (auto id = ops.rbegin(); id != ops.rend(); ++id) {
      const Op& op = function.op(*id);
      if (std::none_of(op.results.begin(), op.results.end(), [&](ValueId result) { return needed[result.index]; })) continue;
      kept.push_back(*id);
      for (ValueId source : reads(function, op)) needed[source.index] = true;
      for_each_op(function, *id, [&](const Op& inner) {
        if (!is_derivative(inner)) return;
        for (ValueId by : differentiated_by(inner)) {
          grows |= !moved[by.index];
          moved[by.index] = true;
        }
      });
    }
    if (!grows) return {kept.rbegin(), kept.rend()};
  }
  return {};
}

// The values that are read without being made by the ops.
std::vector<ValueId> inputs_of(const Function& function, const std::vector<OpId>& ops, ValueId y, ValueId x) {
  std::vector<ValueId> inputs;
  std::vector<bool> known(function.value_count(), false);
  auto read = [&](ValueId value) {
    if (!known[value.index]) inputs.push_back(value);
    known[value.index] = true;
  };
  for (OpId id : ops) {
    for (ValueId result : function.op(id).results) known[result.index] = true;
  }
  for (OpId id : ops)
    for (ValueId source : reads(function, function.op(id))) read(source);
  read(x);
  read(y);
  return inputs;
}

}  // namespace

std::vector<ValueId> differentiated_by(const Op& op) {
  if (op.code == Opcode::jvp) return {op.operands[1]};
  return {op.operands.begin() + (op.code == Opcode::grad ? 1 : 2), op.operands.end()};
}

Slice slice(const Session& session, const Function& main, OpId derivative, ValueId y, ValueId x) {
  const std::vector<OpId> ops = between(main, ops_before(main, derivative), y, x);
  Slice part;
  part.inputs = inputs_of(main, ops, y, x);
  ir::Builder builder(part.function);
  ir::Cloner cloner(builder, main);
  cloner.leave_effects_out();
  for (ValueId input : part.inputs)
    cloner.set(input, part.function.add_parameter(ir::Parameter::Kind::param, fmt::format("input {}", input.index), main.type(input)));
  const ValueId displacement = part.function.add_parameter(ir::Parameter::Kind::param, "displacement", main.type(x));
  auto displace = [&] { cloner.set(x, builder.emit(Opcode::add, {cloner.map(x), displacement})); };
  if (std::find(part.inputs.begin(), part.inputs.end(), x) != part.inputs.end()) displace();
  bool is_coarse = main.type(x).element == Element::f32;
  for (OpId id : ops) {
    const Op& op = main.op(id);
    cloner.clone(id);
    if (std::find(op.results.begin(), op.results.end(), x) != op.results.end()) displace();
    for_each_op(main, id, [&](const Op& inner) {
      part.author_says |= is_said(session, main, inner);
      for (ValueId result : inner.results) is_coarse |= main.type(result).element == Element::f32;
    });
  }
  part.epsilon = is_coarse ? 1.2e-7 : 2.2e-16;
  part.function.outputs = {{ir::Output::Kind::value, "y", cloner.map(y)}};
  return part;
}

}  // namespace bpc::tool
