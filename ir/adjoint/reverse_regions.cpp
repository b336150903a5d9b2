#include <algorithm>

#include "ir/adjoint/reverse.h"
#include "ir/adjoint/turns.h"
#include "ir/dependence.h"
#include "ir/derivatives.h"
#include "support/internal_error.h"

namespace bpc::ir {

// ---- scopes ----

// Cotangents of a value outside the regions at hand: each region between it and here has its own running sum. A loop carries it.
void ReverseSweep::enter_scopes(ValueId primal) {
  std::size_t first = scopes_.size();
  while (first > 0 && !is_enclosed(function_, function_.value(primal).block, scopes_[first - 1].region)) --first;
  for (; first < scopes_.size(); ++first) {
    Scope& scope = scopes_[first];
    if (std::find(scope.outside.begin(), scope.outside.end(), primal) != scope.outside.end()) continue;
    scope.outside.push_back(primal);
    scope.before.push_back(adjoint(primal));
    if (!scope.repeats) continue;
    ValueId sum = function_.add_argument(scope.reverse, function_.type(primal), adjoint_name(primal));
    adjoint(primal) = {sum, scope.may_be_zeroed || adjoint(primal).may_be_zeroed};
  }
}

void ReverseSweep::open_scope(BlockId region, BlockId reverse, bool repeats, bool may_be_zeroed) {
  scopes_.push_back({region, reverse, repeats, may_be_zeroed, {}, {}});
}

std::vector<ReverseSweep::Flow> ReverseSweep::close_scope() {
  Scope scope = std::move(scopes_.back());
  scopes_.pop_back();
  std::vector<Flow> flows;
  for (std::size_t i = 0; i < scope.outside.size(); ++i) {
    flows.push_back({scope.outside[i], scope.before[i], adjoint(scope.outside[i])});
    adjoint(scope.outside[i]) = scope.before[i];
  }
  return flows;
}

// ---- region ops ----

void ReverseSweep::region(OpId id) {
  switch (function_.op(id).code) {
    case Opcode::if_else:
      return branch(id);
    case Opcode::for_loop:
    case Opcode::while_loop:
      return loop(id);
    case Opcode::checkpoint:
      return recomputed(id);
    case Opcode::custom:
      return custom(id);
    default:
      throw InternalError("adjoint", "a region op has no adjoint", function_.origin(function_.op(id).origin).span);
  }
}

// Ops that run again: their messages have been printed, and all that is known of them holds of the copies.
Cloner ReverseSweep::rerun() {
  Cloner cloner(builder_);
  cloner.run_again();
  cloner.on_copy([this](ValueId from, ValueId to) { copies_.push_back({from, to}); });
  return cloner;
}

void ReverseSweep::adopt_copies() {
  facts_.update();
  for (const auto& [from, to] : copies_) {
    varied_.set(to, varied_[from]);
    facts_.set_like(to, from);
  }
  copies_.clear();
}

// An op of a block around the one where the derivative stands, if control flow or tapes are involved: the derivative may be taken many
// times, and what the op keeps for its adjoint is used up each time. It runs again here, so that each time has its own; and so does
// whatever made a tape that it reads.
OpId ReverseSweep::run_here(OpId id) {
  if (auto found = reruns_.find(id.index); found != reruns_.end()) return found->second;
  for (ValueId tape : tapes_read(function_, function_.op(id))) run_here(function_.value(tape).op);
  OpId copy = outside_copies_.clone(id);
  adopt_copies();
  reruns_[id.index] = copy;
  return copy;
}

// The op to differentiate in place of one that stands outside: its copy, with the cotangents of both.
OpId ReverseSweep::stand_in(OpId id) {
  const Op& op = function_.op(id);
  bool has_rerun = reruns_.contains(id.index);
  if (!has_rerun && (op.regions.empty() || !std::any_of(op.results.begin(), op.results.end(), [&](ValueId r) { return matters(r); })))
    return id;
  const std::vector<ValueId> results = op.results;
  OpId copy = run_here(id);
  for (std::size_t i = 0; i < results.size(); ++i)
    if (has_adjoint(results[i])) accumulate(function_.op(copy).results[i], adjoint(results[i]).value, adjoint(results[i]).may_be_zeroed);
  return copy;
}

void ReverseSweep::branch(OpId id) {
  const Op op = function_.op(id);
  BlockId sides[2];
  std::vector<Flow> flows[2];
  for (std::size_t k = 0; k < 2; ++k) {
    const Builder outside = builder_;
    sides[k] = function_.add_block({});
    builder_.set_block(sides[k]);
    open_scope(op.regions[k], sides[k], false, true);
    const std::vector<ValueId> yields = function_.block(op.regions[k]).yields;
    for (std::size_t i = 0; i < op.results.size(); ++i)
      if (has_adjoint(op.results[i]) && varied_[yields[i]]) accumulate(yields[i], adjoint(op.results[i]).value, true);
    sweep(function_.block(op.regions[k]).ops);
    flows[k] = close_scope();
    builder_.return_to(outside);
  }
  // A value that only one side reads keeps, on the other one, the cotangent it had.
  std::vector<Flow> all = flows[0];
  auto flow_of = [](const std::vector<Flow>& list, ValueId primal) {
    return std::find_if(list.begin(), list.end(), [&](const Flow& flow) { return flow.primal == primal; });
  };
  for (const Flow& flow : flows[1])
    if (flow_of(all, flow.primal) == all.end()) all.push_back(flow);
  if (all.empty()) return;
  std::vector<Type> types;
  for (const Flow& flow : all) types.push_back(function_.type(flow.primal));
  for (std::size_t k = 0; k < 2; ++k) {
    const Builder outside = builder_;
    builder_.set_block(sides[k]);
    for (const Flow& flow : all) {
      auto own = flow_of(flows[k], flow.primal);
      ValueId sum = value_or_zero(own == flows[k].end() ? flow.before : own->after, function_.type(flow.primal));
      function_.block(sides[k]).yields.push_back(sum);
    }
    builder_.return_to(outside);
  }
  std::vector<ValueId> tapes;
  for (std::size_t k = 0; k < 2; ++k)
    for (const Kept& kept : provide(id, op.regions[k], sides[k], ValueId())) {
      function_.block(sides[k]).yields.push_back(kept.last);
      function_.block(sides[1 - k]).yields.push_back(kept.out);
      tapes.push_back(kept.out);
      types.push_back(function_.type(kept.out));
    }
  OpId reverse = builder_.emit_op(Opcode::if_else, {{op.operands[0]}}, {}, types);
  attach_regions(function_, reverse, {sides[0], sides[1]});
  const std::vector<ValueId> results = function_.op(reverse).results;
  for (std::size_t i = 0; i < all.size(); ++i) {
    adjoint(all[i].primal) = {results[i], true};
    function_.value(results[i]).name = adjoint_name(all[i].primal);
  }
  for (std::size_t i = 0; i < tapes.size(); ++i) tape_leftovers_[tapes[i].index] = results[all.size() + i];
}

// The carried values through which a cotangent flows: computed from xs, and used for a result that has one.
std::vector<bool> ReverseSweep::active_slots(const Op& op) const {
  BlockId body = op.regions.back();
  const Block& block = function_.block(body);
  std::vector<ValueId> ends;
  for (std::size_t i = 0; i < op.results.size(); ++i)
    if (has_adjoint(op.results[i])) ends.push_back(block.yields[i]);
  const std::vector<bool> useful = ancestors_within(function_, ends, body);
  std::vector<bool> active;
  for (std::size_t i = 0; i < op.results.size(); ++i) {
    ValueId argument = block.arguments[i + uncarried_arguments(op.code)];
    active.push_back(varied_[op.results[i]] && (has_adjoint(op.results[i]) || useful[argument.index]));
  }
  return active;
}

bool ReverseSweep::zeroes_cotangents(BlockId region) const {
  const auto& ops = function_.block(region).ops;
  return std::any_of(ops.begin(), ops.end(), [&](OpId id) {
    const Op& op = function_.op(id);
    return op.code == Opcode::if_else || zeroes_cotangent(op.code) ||
           std::any_of(op.regions.begin(), op.regions.end(), [&](BlockId inner) { return zeroes_cotangents(inner); });
  });
}

void ReverseSweep::loop(OpId id) {
  const Op op = function_.op(id);
  const BlockId body = op.regions.back();
  const std::size_t operands = uncarried_operands(op.code), arguments = uncarried_arguments(op.code);
  const std::vector<bool> active = active_slots(op);
  const Turns turns = reversed_turns(builder_, id);
  bool zeroed = zeroes_cotangents(body);
  for (std::size_t i = 0; i < op.results.size(); ++i) zeroed |= active[i] && adjoint(op.results[i]).may_be_zeroed;

  const Builder outside = builder_;
  const BlockId reverse = function_.add_block({});
  builder_.set_block(reverse);
  ValueId turn = function_.add_argument(reverse, function_.type(turns.lo), turns.name);
  open_scope(body, reverse, true, zeroed);
  const std::vector<ValueId> yields = function_.block(body).yields, starts = function_.block(body).arguments;
  std::vector<std::size_t> slots;
  for (std::size_t i = 0; i < op.results.size(); ++i)
    if (active[i]) slots.push_back(i);
  std::vector<ValueId> sums;  // all arguments first: a yield from outside adds one of its own
  for (std::size_t i : slots) sums.push_back(function_.add_argument(reverse, function_.type(op.results[i]), adjoint_name(op.results[i])));
  for (std::size_t k = 0; k < slots.size(); ++k)
    if (varied_[yields[slots[k]]]) accumulate(yields[slots[k]], sums[k], zeroed);
  sweep(function_.block(body).ops);
  for (std::size_t i : slots) {
    ValueId start = starts[i + arguments];
    function_.block(reverse).yields.push_back(value_or_zero(adjoint(start), function_.type(start)));
  }
  const std::vector<Flow> flows = close_scope();
  for (const Flow& flow : flows) function_.block(reverse).yields.push_back(flow.after.value);
  ValueId index = op.code != Opcode::for_loop ? ValueId() : turns.is_counted ? index_of_turn(builder_, reverse, op, turn) : turn;
  const std::vector<Kept> tapes = provide(id, body, reverse, index);
  builder_.return_to(outside);

  std::vector<ValueId> initial{turns.lo, turns.hi, turns.by};
  for (std::size_t i : slots) initial.push_back(value_or_zero(adjoint(op.results[i]), function_.type(op.results[i])));
  for (const Flow& flow : flows) initial.push_back(value_or_zero(flow.before, function_.type(flow.primal)));
  for (const Kept& kept : tapes) {
    initial.push_back(kept.out);
    function_.block(reverse).yields.push_back(kept.last);
  }
  std::vector<Type> types;
  for (std::size_t i = 3; i < initial.size(); ++i) types.push_back(function_.type(initial[i]));
  OpId emitted = builder_.emit_op(Opcode::for_loop, initial, {}, types);
  attach_regions(function_, emitted, {reverse});
  const std::vector<ValueId> results = function_.op(emitted).results;
  for (std::size_t i = 0; i < flows.size(); ++i) {
    ValueId primal = flows[i].primal, sum = results[slots.size() + i];
    function_.value(sum).name = adjoint_name(primal);
    adjoint(primal) = {sum, zeroed || !turns.runs || flows[i].before.may_be_zeroed};
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    ValueId start = op.operands[operands + slots[i]];
    if (varied_[start]) accumulate(start, results[i], zeroed);
  }
  for (std::size_t i = 0; i < tapes.size(); ++i) tape_leftovers_[tapes[i].out.index] = results[slots.size() + flows.size() + i];
}

// The inside of a checkpoint is computed again where its adjoint stands, in a region of its own, so that nothing of it is kept.
void ReverseSweep::recomputed(OpId id) {
  const Op op = function_.op(id);
  const Builder outside = builder_;
  const BlockId reverse = function_.add_block({});
  builder_.set_block(reverse);
  Cloner cloner = rerun();
  const std::vector<ValueId> yields = cloner.splice(op.regions[0]);
  adopt_copies();
  const std::vector<OpId> ops = function_.block(reverse).ops;
  open_scope(reverse, reverse, false, false);
  for (std::size_t i = 0; i < op.results.size(); ++i)
    if (has_adjoint(op.results[i]) && varied_[yields[i]])
      accumulate(yields[i], adjoint(op.results[i]).value, adjoint(op.results[i]).may_be_zeroed);
  sweep(ops);
  const std::vector<Flow> flows = close_scope();
  std::vector<Type> types;
  for (const Flow& flow : flows) {
    function_.block(reverse).yields.push_back(flow.after.value);
    types.push_back(function_.type(flow.primal));
  }
  builder_.return_to(outside);
  if (flows.empty()) return;
  OpId emitted = builder_.emit_op(Opcode::checkpoint, {}, {}, types);
  attach_regions(function_, emitted, {reverse});
  for (std::size_t i = 0; i < flows.size(); ++i) {
    ValueId sum = function_.op(emitted).results[i];
    function_.value(sum).name = adjoint_name(flows[i].primal);
    adjoint(flows[i].primal) = {sum, flows[i].after.may_be_zeroed};
  }
}

// The author's rule, on the operands, the results and their cotangents. Where a cotangent may have been zeroed, its zeros are strong in the
// rule's products and quotients, too.
void ReverseSweep::custom(OpId id) {
  const Op op = function_.op(id);
  const std::vector<ValueId> arguments = function_.block(op.regions[1]).arguments;
  std::size_t xs = op.operands.size(), ys = op.results.size();
  Cloner cloner(builder_);
  for (std::size_t i = 0; i < xs; ++i) cloner.set(arguments[i], op.operands[i]);
  bool zeroed = zeroes_cotangents(op.regions[1]);
  std::set<ValueId> strong;  // values of the rule whose zeros are strong
  for (std::size_t i = 0; i < ys; ++i) {
    cloner.set(arguments[xs + i], op.results[i]);
    cloner.set(arguments[xs + ys + i], value_or_zero(adjoint(op.results[i]), function_.type(op.results[i])));
    bool is_sparse = has_adjoint(op.results[i]) && is_zero_in_places(function_, adjoint(op.results[i]).value);
    if (adjoint(op.results[i]).may_be_zeroed || is_sparse) strong.insert(arguments[xs + ys + i]);
  }
  zeroed |= !strong.empty();
  const std::vector<OpId> rule = function_.block(op.regions[1]).ops;
  const std::vector<bool> asked = asked_of_rule(op);
  for (std::size_t i = 0; i < rule.size(); ++i) {
    if (!asked[i]) continue;
    const OpId step = rule[i];
    facts_.update();
    if (strong_product(step, strong, cloner)) continue;
    cloner.clone(step);
  }
  const std::vector<ValueId> parts = function_.block(op.regions[1]).yields;
  facts_.update();
  for (std::size_t i = 0; i < xs; ++i)
    if (varied_[op.operands[i]]) accumulate(op.operands[i], cloner.map(parts[i]), zeroed);
}

// For each op of a rule whether it has a part in the derivatives that are asked for, or may fail: a loop of another one's need not run.
std::vector<bool> ReverseSweep::asked_of_rule(const Op& op) const {
  const Block& rule = function_.block(op.regions[1]);
  std::set<ValueId> read;
  for (std::size_t i = 0; i < op.operands.size(); ++i)
    if (varied_[op.operands[i]]) read.insert(rule.yields[i]);
  std::vector<bool> asked(rule.ops.size());
  for (std::size_t i = rule.ops.size(); i-- > 0;) {
    const Op& step = function_.op(rule.ops[i]);
    asked[i] = has_effect(function_, step, /*loops_end=*/true) ||
               std::any_of(step.results.begin(), step.results.end(), [&](ValueId result) { return read.contains(result); });
    if (!asked[i]) continue;
    read.insert(step.operands.begin(), step.operands.end());
    for (BlockId region : step.regions) for_each_use(function_, region, [&](ValueId value) { read.insert(value); });
  }
  return asked;
}

// Emits a product or quotient of a rule that must keep the zeros of one factor, and notes what such zeros flow on to.
bool ReverseSweep::strong_product(OpId id, std::set<ValueId>& strong, Cloner& cloner) {
  const Op op = function_.op(id);
  auto is_strong = [&](ValueId value) { return strong.contains(value); };
  if (std::none_of(op.operands.begin(), op.operands.end(), is_strong)) return false;
  strong.insert(op.results.begin(), op.results.end());
  if (op.code != Opcode::mul && op.code != Opcode::div) return false;
  std::size_t at = is_strong(op.operands[0]) ? 0 : 1;
  ValueId zero = cloner.map(op.operands[at]), factor = cloner.map(op.operands[1 - at]);
  if (is_strong(op.operands[1 - at]) || (op.code == Opcode::div && at == 1)) return false;
  if (op.code == Opcode::div) {
    if (auto divisor = constant_value(function_, factor); divisor && *divisor != 0) return false;
    factor = builder_.emit(Opcode::div, {builder_.constant(1, Type(function_.type(factor).element)), factor});
  } else if (!facts_.may_be_nonfinite(factor)) {
    return false;
  }
  cloner.set(op.results[0], builder_.emit(Opcode::strong_mul, {zero, factor}));
  return true;
}

}  // namespace bpc::ir
