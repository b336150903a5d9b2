#include <algorithm>

#include "ir/passes/passes.h"
#include "ir/rewrite.h"

namespace bpc::ir {

namespace {

class Hoisting {
 public:
  explicit Hoisting(const Function& function)
      : function_(function), rewriter_(function), is_hoisted_(function.value_count(), false), mark_(function.value_count(), Mark::none) {}

  Function run() {
    return rewriter_.finish([&](const Op& op) {
      if (!op.results.empty() && is_hoisted_[op.results[0].index]) return true;
      if (is_loop(op.code)) hoist(op);
      return false;
    });
  }

 private:
  enum class Mark : std::uint8_t { none, same, wanted };

  // Copies of the loop's ops come before it: those that are the same in each turn and worth it, and what these are computed from.
  void hoist(const Op& loop) {
    std::vector<OpId> same;
    for (BlockId region : loop.regions) collect(region, loop, same);
    for (auto id = same.rbegin(); id != same.rend(); ++id) {
      const Op& op = function_.op(*id);
      Mark& mark = mark_[op.results[0].index];
      const Group group = op_info(op.code).group;
      if (group == Group::contraction || group == Group::library || group == Group::reduction) mark = Mark::wanted;
      if (mark != Mark::wanted) continue;
      for (ValueId operand : op.operands)
        if (mark_[operand.index] == Mark::same) mark_[operand.index] = Mark::wanted;
    }
    for (OpId id : same) {
      const Op& op = function_.op(id);
      const Mark mark = std::exchange(mark_[op.results[0].index], Mark::none);
      if (mark != Mark::wanted) continue;
      rewriter_.copy(op);
      is_hoisted_[op.results[0].index] = true;
    }
  }

  // Ops of the loop, and of loops in it, that compute the same in each turn, in order. An `if` is left alone: it may never run them.
  void collect(BlockId region, const Op& loop, std::vector<OpId>& same) {
    for (OpId id : function_.block(region).ops) {
      const Op& op = function_.op(id);
      if (is_loop(op.code))
        for (BlockId inner : op.regions) collect(inner, loop, same);
      if (!op.regions.empty() || op.results.size() != 1 || is_hoisted_[op.results[0].index]) continue;
      const Group group = op_info(op.code).group;
      if (group == Group::tape || group == Group::random || group == Group::derivative || has_effect(function_, op) ||
          may_fail_elsewhere(function_, op))
        continue;
      const bool is_same = std::all_of(op.operands.begin(), op.operands.end(), [&](ValueId operand) {
        return is_hoisted_[operand.index] || mark_[operand.index] == Mark::same || is_outside(operand, loop);
      });
      if (!is_same) continue;
      mark_[op.results[0].index] = Mark::same;
      same.push_back(id);
    }
  }

  bool is_outside(ValueId value, const Op& loop) const {
    return std::none_of(loop.regions.begin(), loop.regions.end(),
                        [&](BlockId region) { return is_enclosed(function_, function_.value(value).block, region); });
  }

  const Function& function_;
  Rewriter rewriter_;
  std::vector<bool> is_hoisted_;  // by value
  std::vector<Mark> mark_;        // by value, of the loop at hand
};

}  // namespace

Function hoist_invariants(const Function& function, Diagnostics&) {
  if (holds_grad(function)) return function;
  return Hoisting(function).run();
}

}  // namespace bpc::ir
