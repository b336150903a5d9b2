// When each value is read for the last time, so that the interpreter can let go of it.
#pragma once

#include <span>
#include <vector>

#include "ir/function.h"

namespace bpc::interpreter {

class Lifetimes {
 public:
  explicit Lifetimes(const ir::Function& function);

  // Values that nobody reads after the op: each is defined in the op's own block (a use inside a region counts as one by the op that holds
  // the region), and neither yielded nor an output of the function.
  std::span<const ir::ValueId> ends_after(ir::OpId op) const { return after_op_[op.index]; }
  // The other values that the block defines.
  std::span<const ir::ValueId> ends_with(ir::BlockId block) const { return with_block_[block.index]; }
  // Whether the op reads its operand number i for the last time, and neither as another operand nor in a region: it may be moved from.
  bool is_last_read(ir::OpId op, std::size_t i) const { return last_reads_[op.index][i]; }

 private:
  std::vector<std::vector<ir::ValueId>> after_op_, with_block_;
  std::vector<std::vector<bool>> last_reads_;  // by op and operand
};

}  // namespace bpc::interpreter
