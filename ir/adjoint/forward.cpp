#include "ir/adjoint/forward.h"

#include <fmt/format.h>
#include <algorithm>

#include "ir/adjoint/transpose.h"
#include "ir/dependence.h"

namespace bpc::ir {

ForwardSweep::ForwardSweep(Builder& builder, ValueId x, ValueId tangent, Diagnostics& diagnostics)
    : builder_(builder),
      function_(builder.function()),
      diagnostics_(diagnostics),
      x_(x),
      varied_(function_, {&x, 1}),
      facts_(function_),
      copies_(builder) {
  copies_.run_again();
  tangents_[x.index] = tangent;
}

ValueId ForwardSweep::run(ValueId y) {
  wanted_ = ancestors(function_, y);
  const OriginId origin = builder_.origin();
  std::vector<std::vector<OpId>> before;  // the ops that come before this place: in its block, in the one around it, …
  BlockId at = builder_.block();
  before.push_back(function_.block(at).ops);
  for (OpId around = function_.block(at).parent; around.valid(); around = function_.block(at).parent) {
    at = function_.op(around).block;
    const auto& ops = function_.block(at).ops;
    before.emplace_back(ops.begin(), std::find(ops.begin(), ops.end(), around));
  }
  choose_replays(before);
  for (auto ops = before.rbegin(); ops != before.rend(); ++ops) block(*ops, Where::here);
  builder_.set_origin(origin);
  return tangent_or_zero(y);
}

// What x reaches on the way to y runs again, and what runs again needs tapes of its own, also those of integers: a tape is used up by those
// who read it. All else stays as it is.
void ForwardSweep::choose_replays(const std::vector<std::vector<OpId>>& before) {
  std::vector<bool> tapes(function_.value_count(), false);  // that something which runs again reads
  for (const auto& ops : before)
    for (auto id = ops.rbegin(); id != ops.rend(); ++id) {
      const Op& op = function_.op(*id);
      if (std::none_of(op.results.begin(), op.results.end(),
                       [&](ValueId value) { return tapes[value.index] || (wanted_[value.index] && moves(value)); }))
        continue;
      replays_.insert(*id);
      for (ValueId tape : tapes_read(function_, op)) {
        tapes[tape.index] = true;
        const std::vector<bool> reached = ancestors(function_, tape);
        for (std::size_t i = 0; i < reached.size(); ++i) wanted_[i] = wanted_[i] || reached[i];
      }
    }
}

void ForwardSweep::block(const std::vector<OpId>& ops, Where where) {
  for (OpId id : ops) op(id, where);
}

void ForwardSweep::op(OpId id, Where where) {
  const Op op = function_.op(id);
  auto is_tape = [&](ValueId value) { return function_.type(value).tape; };
  bool varied = std::any_of(op.results.begin(), op.results.end(), [&](ValueId value) { return moves(value); });
  bool tapes = std::any_of(op.results.begin(), op.results.end(), is_tape) || std::any_of(op.operands.begin(), op.operands.end(), is_tape);
  if (where == Where::here && !replays_.contains(id)) return;
  if (op_info(op.code).has(effect)) return;
  Origin origin = function_.origin(op.origin);
  origin.rule = "jvp";
  builder_.set_origin(function_.add_origin(std::move(origin)));
  bool has_inner_tangents = !op.regions.empty() && op.code != Opcode::custom;
  if (has_inner_tangents) return region_op(id);
  if (tapes) return tape_op(id);
  if (where == Where::copied) copies_.clone(id);
  if (!varied) return;
  straight(op);
}

// The tangent of a tape is a tape of tangents.
void ForwardSweep::tape_op(OpId id) {
  const Op op = function_.op(id);
  copies_.clone(id);
  if (op.code == Opcode::push && (has_tangent(op.operands[0]) || moves(op.results[0]))) {
    ValueId tape = tangent_or_zero(op.operands[0]);
    add_tangent(op.results[0], builder_.emit(Opcode::push, {tape, tangent_or_zero(op.operands[1])}));
  }
  if (op.code == Opcode::pop && has_tangent(op.operands[0])) {
    const Type types[] = {function_.type(op.results[0]), function_.type(op.results[1])};
    const std::vector<ValueId> popped = function_.op(builder_.emit_op(Opcode::pop, {{tangent_or_zero(op.operands[0])}}, {}, types)).results;
    add_tangent(op.results[0], popped[0]);
    add_tangent(op.results[1], popped[1]);
  }
}

// The op again, with a result, and for a loop a carried value, more for each tangent.
void ForwardSweep::region_op(OpId id) {
  const Op op = function_.op(id);
  const bool loops = is_loop(op.code);
  std::vector<bool> active;
  for (ValueId result : op.results) active.push_back(moves(result));
  std::vector<ValueId> operands = mapped(op.operands);
  std::vector<Type> types;
  for (ValueId result : op.results) types.push_back(function_.type(result));
  for (std::size_t i = 0; i < op.results.size(); ++i) {
    if (!active[i]) continue;
    types.push_back(function_.type(op.results[i]));
    if (loops) operands.push_back(tangent_or_zero(op.operands[i + uncarried_operands(op.code)]));
  }
  std::vector<BlockId> regions;
  for (BlockId from : op.regions) regions.push_back(region(from, active, loops, !(op.code == Opcode::while_loop && from == op.regions[0])));
  OpId copy = builder_.emit_op(op.code, operands, op.attrs, types);
  for (BlockId made : regions) attach_regions(function_, copy, {made});
  const std::vector<ValueId> results = function_.op(copy).results;
  for (std::size_t i = 0, tangent = op.results.size(); i < op.results.size(); ++i) {
    copies_.set(op.results[i], results[i]);
    function_.value(results[i]).name = std::string(function_.value(op.results[i]).name);
    if (active[i]) add_tangent(op.results[i], results[tangent++]);
  }
}

BlockId ForwardSweep::region(BlockId from, const std::vector<bool>& active, bool carries, bool yields_tangents) {
  const Block old = function_.block(from);
  const Builder outside = builder_;
  BlockId made = function_.add_block({});
  builder_.set_block(made);
  for (ValueId argument : old.arguments)
    copies_.set(argument, function_.add_argument(made, function_.type(argument), std::string(function_.value(argument).name)));
  std::size_t uncarried = old.arguments.size() - (carries ? active.size() : old.arguments.size());
  for (std::size_t i = 0; carries && i < active.size(); ++i) {
    if (!active[i]) continue;
    ValueId argument = old.arguments[i + uncarried];
    ValueId tangent = function_.add_argument(made, function_.type(argument), {});
    tangents_.erase(argument.index);
    add_tangent(argument, tangent);
  }
  block(old.ops, Where::copied);
  std::vector<ValueId> yields = mapped(old.yields);
  for (std::size_t i = 0; yields_tangents && i < active.size(); ++i)
    if (active[i]) yields.push_back(tangent_or_zero(old.yields[i]));
  function_.block(made).yields = std::move(yields);
  builder_.return_to(outside);
  return made;
}

void ForwardSweep::straight(const Op& op) {
  LinearizedOp linearized{op, mapped(op.operands), mapped(op.results), {}};
  bool any = false;
  for (ValueId operand : op.operands) {
    any |= has_tangent(operand);
    linearized.tangents.push_back(has_tangent(operand) ? std::optional(tangents_.at(operand.index)) : std::nullopt);
  }
  if (!any) return;
  facts_.update();
  auto tangents = transposed(builder_, facts_, linearized);
  if (!tangents) {
    diagnostics_.error(Code::E0306, function_.origin(op.origin).span,
                       "the `adjoint` of this function is not linear in the cotangents of its results, so that it has no forward mode");
    return;
  }
  for (std::size_t i = 0; i < op.results.size(); ++i)
    if ((*tangents)[i].valid()) add_tangent(op.results[i], (*tangents)[i]);
}

ValueId ForwardSweep::tangent_or_zero(ValueId value) {
  auto found = tangents_.find(value.index);
  return found == tangents_.end() ? builder_.zero(function_.type(value)) : found->second;
}

void ForwardSweep::add_tangent(ValueId value, ValueId tangent) {
  tangents_[value.index] = tangent;
  std::string& name = function_.value(tangent).name;
  const std::string& primal = function_.value(value).name;
  if (name.empty() && !primal.empty()) name = fmt::format("d_{}", primal);
}

}  // namespace bpc::ir
