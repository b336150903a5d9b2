#include "ir/adjoint/varied.h"

#include <algorithm>

namespace bpc::ir {

Varied::Varied(const Function& function, std::span<const ValueId> xs) : function_(function), varied_(function.value_count(), false) {
  for (ValueId x : xs) varied_[x.index] = true;
  walk(function.body());
}

void Varied::set(ValueId id, bool varied) {
  if (varied_.size() <= id.index) varied_.resize(id.index + 1, false);
  varied_[id.index] = varied;
}

// Whether that was news.
bool Varied::mark(ValueId id, bool varied) {
  if (!varied || varied_[id.index] || !is_real(function_.type(id).element)) return false;
  varied_[id.index] = true;
  return true;
}

void Varied::walk(BlockId block) {
  for (OpId id : function_.block(block).ops) {
    const Op& op = function_.op(id);
    if (!op.regions.empty()) {
      enter(op);
    } else if (op.code != Opcode::stop_grad) {
      bool varied = std::any_of(op.operands.begin(), op.operands.end(), [&](ValueId operand) { return varied_[operand.index]; });
      for (ValueId result : op.results) mark(result, varied);
    }
  }
}

void Varied::enter(const Op& op) {
  std::size_t operands = uncarried_operands(op.code), arguments = uncarried_arguments(op.code);
  if (op.code == Opcode::custom)
    for (std::size_t i = 0; i < op.operands.size(); ++i) mark(function_.block(op.regions[0]).arguments[i], varied_[op.operands[i].index]);
  for (bool changed = true; changed;) {
    changed = false;
    for (BlockId region : op.regions) {
      walk(region);
      const Block& block = function_.block(region);
      for (std::size_t i = arguments; is_loop(op.code) && i < block.arguments.size(); ++i) {
        changed |= mark(block.arguments[i], varied_[op.operands[operands + i - arguments].index]);
        const auto& yields = function_.block(op.regions.back()).yields;  // none yet in a loop that is still being built
        if (!yields.empty()) changed |= mark(block.arguments[i], varied_[yields[i - arguments].index]);
      }
    }
  }
  for (std::size_t i = 0; i < op.results.size(); ++i) {
    if (is_loop(op.code)) mark(op.results[i], varied_[op.operands[operands + i].index]);
    for (BlockId region : op.regions) {
      const auto& yields = function_.block(region).yields;
      bool is_condition = op.code == Opcode::while_loop && region == op.regions[0];
      bool is_rule = op.code == Opcode::custom && region != op.regions[0];
      if (!is_condition && !is_rule && i < yields.size()) mark(op.results[i], varied_[yields[i].index]);
    }
  }
}

}  // namespace bpc::ir
