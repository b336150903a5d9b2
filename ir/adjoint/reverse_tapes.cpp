#include <algorithm>

#include "ir/adjoint/keep.h"
#include "ir/adjoint/reverse.h"

namespace bpc::ir {

// The adjoint in `reverse` reads values of `region` that it cannot see, as if it could. Gives it those at its start: from tapes, which
// `primal` then leaves, or by computing them again. `index` is what the index of a for_loop is there, else invalid.
std::vector<ReverseSweep::Kept> ReverseSweep::provide(OpId primal, BlockId region, BlockId reverse, ValueId index) {
  std::unordered_map<std::uint32_t, ValueId> replacements;
  if (index.valid()) replacements[function_.block(region).arguments[0].index] = index;
  std::vector<ValueId> needed, tapes;
  std::set<ValueId> seen;
  for_each_use(function_, reverse, [&](ValueId value) {
    if (function_.value(value).block != region || replacements.contains(value.index) || !seen.insert(value).second) return;
    (function_.type(value).tape ? tapes : needed).push_back(value);
  });
  std::set<BlockId> around;
  for (const Scope& scope : scopes_) around.insert(scope.region);
  const KeepChoice choice =
      choose_kept(function_, region, needed, index.valid() ? function_.block(region).arguments[0] : ValueId(), around);

  const Builder outside = builder_;
  const auto& ops = function_.block(reverse).ops;
  auto made = std::find(ops.begin(), ops.end(), index.valid() ? function_.value(index).op : OpId());
  builder_.set_position(reverse, made == ops.end() ? 0 : static_cast<std::size_t>(made - ops.begin()) + 1);
  std::vector<Kept> kept;
  for (ValueId tape : tapes) kept.push_back(lift(primal, region, reverse, tape, replacements[tape.index]));
  std::vector<std::size_t> carried;  // slots of the loop
  for (ValueId value : choice.kept) {
    auto slot = slot_from_next_turn(primal, value, choice.kept);
    if (slot)
      carried.push_back(*slot);
    else
      kept.push_back(keep(primal, region, reverse, value, replacements[value.index]));
  }
  const Block body = function_.block(region);
  for (std::size_t slot : carried)
    replacements[body.yields[slot].index] =
        function_.add_argument(reverse, function_.type(body.yields[slot]), function_.value(body.yields[slot]).name);
  for (std::size_t slot : carried)
    kept.push_back(
        {function_.op(primal).results[slot], replacements.at(body.arguments[slot + uncarried_arguments(function_.op(primal).code)].index)});
  Cloner cloner(builder_);
  cloner.run_again();
  for (const auto& [from, to] : replacements) cloner.set({from}, to);
  for (OpId op : choice.recomputed) {
    cloner.clone(op);
    ValueId result = function_.op(op).results[0];
    replacements[result.index] = cloner.map(result);
  }
  builder_.return_to(outside);
  replace_uses(function_, reverse, replacements);
  return kept;
}

// What a turn of a loop ends with, the next one starts with: where both are kept, the end of a turn is the start of the one that the
// adjoint has just gone through, and the adjoint carries it instead of finding it on a tape. Returns the slot of the loop that shows it.
std::optional<std::size_t> ReverseSweep::slot_from_next_turn(OpId primal, ValueId end, const std::vector<ValueId>& kept) const {
  const Op& op = function_.op(primal);
  if (!is_loop(op.code)) return std::nullopt;
  const Block& body = function_.block(op.regions.back());
  for (std::size_t slot = 0; slot < body.yields.size(); ++slot) {
    ValueId start = body.arguments[slot + uncarried_arguments(op.code)];
    if (body.yields[slot] == end && start != end && std::find(kept.begin(), kept.end(), start) != kept.end()) return slot;
  }
  return std::nullopt;
}

// A tape that runs through `region` of `primal`: it starts before the op, a loop carries it, the other side of an `if` hands it on. Returns
// it as the region finds it.
ValueId ReverseSweep::begin_tape(OpId primal, BlockId region, const Type& type, const std::string& name, OpId& start) {
  BlockId around = function_.op(primal).block;
  const auto& ops = function_.block(around).ops;
  Builder before = builder_;
  before.set_position(around, static_cast<std::size_t>(std::find(ops.begin(), ops.end(), primal) - ops.begin()));
  ValueId tape = before.emit(Opcode::tape, {}, {}, &type, name);
  start = function_.value(tape).op;
  if (!is_loop(function_.op(primal).code)) return tape;
  function_.op(primal).operands.push_back(tape);
  ValueId inside;
  for (BlockId block : std::vector<BlockId>(function_.op(primal).regions)) {
    ValueId argument = function_.add_argument(block, type, name);
    if (block == region) inside = argument;
  }
  return inside;
}

// Ends the tape with what the region leaves of it, and returns it as the op leaves it.
ValueId ReverseSweep::end_tape(OpId primal, BlockId region, ValueId end, OpId start) {
  ValueId begin = function_.op(start).results[0];
  function_.block(region).yields.push_back(end);
  if (function_.op(primal).code == Opcode::if_else)
    for (BlockId other : function_.op(primal).regions)
      if (other != region) function_.block(other).yields.push_back(begin);
  ValueId out = function_.add_result(primal, function_.type(begin), function_.value(begin).name);
  tape_starts_[out.index] = start;
  return out;
}

// A value of the region: pushed where it is made, popped where its adjoint starts.
ReverseSweep::Kept ReverseSweep::keep(OpId primal, BlockId region, BlockId reverse, ValueId value, ValueId& again) {
  name_temporary(value);
  const std::string name = function_.value(value).name;
  const Type type = function_.type(value), tape_type = type.as_tape();
  OpId start;
  ValueId inside = begin_tape(primal, region, tape_type, name + "_tape", start);
  const auto& ops = function_.block(region).ops;
  auto made = std::find(ops.begin(), ops.end(), function_.value(value).op);
  Builder after = builder_;
  after.set_position(region, made == ops.end() ? 0 : static_cast<std::size_t>(made - ops.begin()) + 1);
  ValueId pushed = after.emit(Opcode::push, {inside, value}, {}, nullptr, name + "_tape");
  ValueId out = end_tape(primal, region, pushed, start);

  bool loops = is_loop(function_.op(primal).code);
  ValueId first = loops ? function_.add_argument(reverse, tape_type, name + "_tape") : out;
  const Type types[] = {tape_type, type};
  const std::vector<ValueId> popped = function_.op(builder_.emit_op(Opcode::pop, {{first}}, {}, types)).results;
  function_.value(popped[0]).name = name + "_tape";
  function_.value(popped[1]).name = name;
  again = popped[1];
  return {out, popped[0]};
}

// A tape that an op inside the region leaves for its own adjoint: it has to run through the region, so that each turn finds its part on it.
ReverseSweep::Kept ReverseSweep::lift(OpId primal, BlockId region, BlockId reverse, ValueId tape, ValueId& again) {
  OpId old_start = tape_starts_.at(tape.index), start;
  ValueId old_begin = function_.op(old_start).results[0];
  const Type type = function_.type(tape);
  const std::string name = function_.value(tape).name;
  ValueId inside = begin_tape(primal, region, type, name, start);
  std::erase(function_.block(region).ops, old_start);
  replace_uses(function_, region, {{old_begin.index, inside}});
  ValueId out = end_tape(primal, region, tape, start);
  again = is_loop(function_.op(primal).code) ? function_.add_argument(reverse, type, name) : out;
  return {out, tape_leftovers_.at(tape.index)};
}

}  // namespace bpc::ir
