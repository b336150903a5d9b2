#include <algorithm>

#include "ir/passes/passes.h"
#include "ir/rewrite.h"

namespace bpc::ir {

namespace {

// Which ops and values are needed, marked backwards from outputs and effects.
class Liveness {
 public:
  Liveness(const Function& function, bool loops_end)
      : function_(function), loops_end_(loops_end), values_(function.value_count()), ops_(function.op_count()) {
    mark_effects(function.body());
    for (const Output& output : function.outputs) mark(output.value);
    while (!work_.empty()) {
      ValueId next = work_.back();
      work_.pop_back();
      follow(next);
    }
  }

  bool is_live(OpId op) const { return ops_[op.index]; }
  bool is_live(ValueId value) const { return values_[value.index]; }

 private:
  void mark_effects(BlockId block) {
    for (OpId id : function_.block(block).ops) {
      const Op& op = function_.op(id);
      if (has_effect(function_, op, loops_end_)) mark(id);
      for (BlockId region : op.regions) mark_effects(region);
    }
  }

  void mark(ValueId value) {
    if (values_[value.index]) return;
    values_[value.index] = true;
    work_.push_back(value);
  }

  // The op runs: it needs its operands, but for those of results and carried values that may turn out to be dead.
  void mark(OpId id) {
    if (ops_[id.index]) return;
    ops_[id.index] = true;
    const Op& op = function_.op(id);
    std::size_t always = is_loop(op.code) ? uncarried_operands(op.code) : op.operands.size();
    for (std::size_t i = 0; i < always; ++i) mark(op.operands[i]);
    if (op.code == Opcode::while_loop)
      for (ValueId go_on : function_.block(op.regions[0]).yields) mark(go_on);
    if (op.code == Opcode::custom) {  // the two regions speak of the same results: they stay or go together
      for (ValueId result : op.results) mark(result);
      for (ValueId yield : function_.block(op.regions[1]).yields) mark(yield);
    }
    if (OpId parent = function_.block(op.block).parent; parent.valid()) mark(parent);
  }

  // What a live value is made from.
  void follow(ValueId id) {
    const Value& value = function_.value(id);
    if (value.op.valid()) {
      mark(value.op);
      const Op& op = function_.op(value.op);
      if (is_loop(op.code))
        mark_carried(op, value.slot);
      else if (op.code == Opcode::custom)
        mark(function_.block(op.regions[0]).yields[value.slot]);
      else
        for (BlockId region : op.regions) mark(function_.block(region).yields[value.slot]);
    } else if (OpId parent = function_.block(value.block).parent; parent.valid()) {
      mark(parent);
      const Op& loop = function_.op(parent);
      std::size_t uncarried = uncarried_arguments(loop.code);
      if (is_loop(loop.code) && value.slot >= uncarried) mark_carried(loop, value.slot - uncarried);
    }
  }

  // A carried value is live as a whole: its result, its start, what the body yields and the arguments.
  void mark_carried(const Op& op, std::size_t slot) {
    mark(op.results[slot]);
    mark(op.operands[uncarried_operands(op.code) + slot]);
    mark(function_.block(op.regions.back()).yields[slot]);
  }

  const Function& function_;
  const bool loops_end_;
  std::vector<bool> values_, ops_;
  std::vector<ValueId> work_;
};

Function without_dead(const Function& function, const Liveness& liveness) {
  Rewriter rewriter(function);
  return rewriter.finish([&](const Op& op) {
    if (op_info(op.code).rule == ShapeRule::nothing) return false;  // effects
    bool has_regions = op_info(op.code).rule == ShapeRule::region;
    OpId id = has_regions ? function.block(op.regions[0]).parent : function.value(op.results[0]).op;
    if (!liveness.is_live(id)) return true;
    if (!has_regions || op.code == Opcode::custom) return false;  // all results of a live custom are needed
    std::vector<bool> keep;
    for (ValueId result : op.results) keep.push_back(liveness.is_live(result));
    if (op.code == Opcode::checkpoint && std::find(keep.begin(), keep.end(), true) == keep.end())
      rewriter.splice(op.regions[0], keep);  // only checks are left
    else
      rewriter.copy(op, keep);
    return true;
  });
}

}  // namespace

Function drop_dead(const Function& function, Diagnostics&) {
  return without_dead(function, Liveness(function, false));
}

Function drop_unread(const Function& function) {
  return without_dead(function, Liveness(function, true));
}

}  // namespace bpc::ir
