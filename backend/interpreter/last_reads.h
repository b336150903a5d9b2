// When each value is read for the last time, so that the interpreter can let go of it.
#pragma once

#include <span>
#include <vector>

#include "ir/function.h"

namespace bpc::interpreter {

// A value ends in the block that defines it, or in a block inside that runs at most once for each time the value is made: a side of an
// if_else, the region of a checkpoint or custom, but not the body of a loop or map. Outputs of the function never end.
class LastReads {
 public:
  explicit LastReads(const ir::Function& function);

  // Values that nobody reads after the op, on the way through the program that leads over it. Some may have ended inside it already.
  std::span<const ir::ValueId> ends_after(ir::OpId op) const { return after_op_[op.index]; }
  // Values that end with the block: what it yields and nobody reads later, and arguments that it does not read.
  std::span<const ir::ValueId> ends_with(ir::BlockId block) const { return with_block_[block.index]; }
  // Whether the op reads its operand number i for the last time, and neither as another operand nor in a region: it may be moved from.
  bool is_last_read(ir::OpId op, std::size_t i) const { return last_reads_[op.index][i]; }
  // Whether the block's yield number i ends with the block and is yielded once: it may be moved from.
  bool is_last_yield(ir::BlockId block, std::size_t i) const { return last_yields_[block.index][i]; }

 private:
  friend class LastReadWalk;
  std::vector<std::vector<ir::ValueId>> after_op_, with_block_;
  std::vector<std::vector<bool>> last_reads_;   // by op and operand
  std::vector<std::vector<bool>> last_yields_;  // by block and yield
};

}  // namespace bpc::interpreter
