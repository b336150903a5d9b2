#include "backend/interpreter/last_reads.h"

namespace bpc::interpreter {

using ir::BlockId;
using ir::Function;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

// Goes backwards through the program: the first read that it meets is the last one that happens.
class LastReadWalk {
 public:
  LastReadWalk(const Function& function, LastReads& to)
      : function_(function), to_(to), read_(function.value_count(), false), times_(function.value_count(), 0) {
    depth_.assign(function.block_count(), 0);
    for (std::uint32_t b = 1; b < function.block_count(); ++b) {
      int& depth = depth_[b];
      for (BlockId at{b}; at != function.body(); at = function.op(function.block(at).parent).block) ++depth;
    }
  }

  void run() {
    for (const ir::Output& output : function_.outputs) read_[output.value.index] = true;
    block(function_.body(), 0);
  }

 private:
  // `floor`: how deep the blocks lie whose values may end here, at least.
  void block(BlockId id, int floor) {
    const ir::Block& block = function_.block(id);
    const std::size_t start = met_.size();
    to_.last_yields_[id.index] = last_of(block.yields, id, floor);
    for (ValueId yielded : block.yields) meet(yielded);
    for (ValueId yielded : met_since(start))
      if (may_end(yielded, id, floor)) to_.with_block_[id.index].push_back(yielded);
    for (std::size_t i = block.ops.size(); i-- > 0;) op(block.ops[i], id, floor);
    for (ValueId argument : block.arguments)
      if (!read_[argument.index]) to_.with_block_[id.index].push_back(argument);
  }

  void op(OpId id, BlockId in, int floor) {
    const ir::Op& op = function_.op(id);
    auto& ends = to_.after_op_[id.index];
    for (ValueId result : op.results)
      if (!read_[result.index]) ends.push_back(result);
    const std::size_t start = met_.size();
    regions(op, depth_[in.index] + 1, floor);
    to_.last_reads_[id.index] = last_of(op.operands, in, floor);
    for (ValueId operand : op.operands) meet(operand);
    for (ValueId met : met_since(start))
      if (may_end(met, in, floor)) ends.push_back(met);
  }

  void regions(const ir::Op& op, int depth, int floor) {
    if (op.code == Opcode::if_else)
      sides(op, floor);
    else if (op.code == Opcode::checkpoint || op.code == Opcode::custom)
      block(op.regions[0], floor);  // the other one does not run
    else
      for (BlockId region : op.regions) block(region, depth);
  }

  // What one side reads is not read later on the way through the other.
  void sides(const ir::Op& op, int floor) {
    const std::size_t start = met_.size();
    block(op.regions[0], floor);
    const std::vector<ValueId> first(met_.begin() + static_cast<std::ptrdiff_t>(start), met_.end());
    met_.resize(start);
    for (ValueId value : first) read_[value.index] = false;
    block(op.regions[1], floor);
    for (ValueId value : first) meet(value);
  }

  void meet(ValueId value) {
    if (read_[value.index]) return;
    read_[value.index] = true;
    met_.push_back(value);
  }
  std::span<const ValueId> met_since(std::size_t start) const { return std::span(met_).subspan(start); }

  bool may_end(ValueId value, BlockId in, int floor) const {
    const int depth = depth_[function_.value(value).block.index];
    return depth >= floor && depth <= depth_[in.index];
  }

  // For each of the values that are read at once: whether that is its last read, and its only one among them.
  std::vector<bool> last_of(const std::vector<ValueId>& values, BlockId in, int floor) {
    std::vector<bool> last;
    for (ValueId value : values) ++times_[value.index];
    for (ValueId value : values) last.push_back(!read_[value.index] && may_end(value, in, floor) && times_[value.index] == 1);
    for (ValueId value : values) times_[value.index] = 0;
    return last;
  }

  const Function& function_;
  LastReads& to_;
  std::vector<int> depth_;            // of each block
  std::vector<bool> read_;            // by value: after the place where the walk stands
  std::vector<ValueId> met_;          // in the order in which read_ was set
  std::vector<std::uint32_t> times_;  // by value: that the values at hand name it
};

LastReads::LastReads(const Function& function)
    : after_op_(function.op_count()),
      with_block_(function.block_count()),
      last_reads_(function.op_count()),
      last_yields_(function.block_count()) {
  LastReadWalk(function, *this).run();
}

}  // namespace bpc::interpreter
