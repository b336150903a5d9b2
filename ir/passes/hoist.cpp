#include <algorithm>

#include "ir/passes/passes.h"
#include "ir/ranges.h"
#include "ir/rewrite.h"

namespace bpc::ir {

namespace {

class Hoisting {
 public:
  explicit Hoisting(const Function& function)
      : function_(function),
        rewriter_(function),
        is_early_(holds_grad(function)),
        is_hoisted_(function.value_count(), false),
        mark_(function.value_count(), Mark::none) {}

  Function run() {
    return rewriter_.finish([&](const Op& op) {
      if (!op.results.empty() && is_hoisted_[op.results[0].index]) return true;
      if (is_loop(op.code) && may_leave(op) && !holds_derivative(op)) hoist(op);
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
      if (group == Group::contraction || group == Group::library || group == Group::reduction || op.code == Opcode::custom)
        mark = Mark::wanted;
      if (mark != Mark::wanted) continue;
      for (ValueId read : read_by(op))
        if (mark_[read.index] == Mark::same) mark_[read.index] = Mark::wanted;
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
      if (is_loop(op.code) && may_leave(op))
        for (BlockId inner : op.regions) collect(inner, loop, same);
      const bool is_one_step = op.regions.empty() || op.code == Opcode::custom;
      if (!is_one_step || op.results.size() != 1 || is_hoisted_[op.results[0].index]) continue;
      const Group group = op_info(op.code).group;
      if (group == Group::tape || group == Group::random || group == Group::derivative || has_effect(function_, op) ||
          may_fail_elsewhere(function_, op))
        continue;
      const bool is_same = std::ranges::all_of(
          read_by(op), [&](ValueId read) { return is_hoisted_[read.index] || mark_[read.index] == Mark::same || is_outside(read, loop); });
      if (!is_same) continue;
      mark_[op.results[0].index] = Mark::same;
      same.push_back(id);
    }
  }

  // What an op reads, and the ops in its regions do, of what is outside of it.
  std::vector<ValueId> read_by(const Op& op) const {
    std::vector<ValueId> all;
    read_within(op, all);
    std::erase_if(all, [&](ValueId value) { return !is_outside(value, op); });
    return all;
  }
  void read_within(const Op& op, std::vector<ValueId>& all) const {
    all.insert(all.end(), op.operands.begin(), op.operands.end());
    for (BlockId region : op.regions) {
      const Block& block = function_.block(region);
      for (OpId id : block.ops) read_within(function_.op(id), all);
      all.insert(all.end(), block.yields.begin(), block.yields.end());
    }
  }

  // Before derivatives are expanded, a loop must run for sure: outside of one that does not, a value that nobody reads has a cotangent, and
  // a zero times what is infinite is none. What a loop differentiates is read off the loop as it is written.
  bool may_leave(const Op& loop) const {
    if (!is_early_) return true;
    const auto bounds = loop.code == Opcode::for_loop ? constant_bounds(function_, loop) : std::nullopt;
    return bounds && bounds->turns > 0;
  }
  bool holds_derivative(const Op& loop) const {
    return is_early_ && std::ranges::any_of(loop.regions, [&](BlockId region) {
             return std::ranges::any_of(function_.block(region).ops, [&](OpId id) {
               const Op& op = function_.op(id);
               return op_info(op.code).group == Group::derivative || holds_derivative(op);
             });
           });
  }

  bool is_outside(ValueId value, const Op& op) const {
    return std::none_of(op.regions.begin(), op.regions.end(),
                        [&](BlockId region) { return is_enclosed(function_, function_.value(value).block, region); });
  }

  const Function& function_;
  Rewriter rewriter_;
  bool is_early_;                 // there are derivatives to be expanded
  std::vector<bool> is_hoisted_;  // by value
  std::vector<Mark> mark_;        // by value, of the loop at hand
};

}  // namespace

Function hoist_invariants(const Function& function, Diagnostics&) {
  return Hoisting(function).run();
}

}  // namespace bpc::ir
