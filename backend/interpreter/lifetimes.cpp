#include "backend/interpreter/lifetimes.h"

#include <algorithm>

namespace bpc::interpreter {

namespace {

using ir::BlockId;
using ir::Function;
using ir::OpId;
using ir::ValueId;

// The op in `block` that is `op` or holds it in a region.
OpId enclosing_op(const Function& function, OpId op, BlockId block) {
  while (function.op(op).block != block) op = function.block(function.op(op).block).parent;
  return op;
}

}  // namespace

Lifetimes::Lifetimes(const Function& function)
    : after_op_(function.op_count()), with_block_(function.block_count()), last_reads_(function.op_count()) {
  std::vector<std::size_t> position(function.op_count(), 0);  // in the op's block
  for (std::uint32_t b = 0; b < function.block_count(); ++b) {
    const auto& ops = function.block(BlockId{b}).ops;
    for (std::size_t i = 0; i < ops.size(); ++i) position[ops[i].index] = i;
  }

  std::vector<OpId> last(function.value_count());  // invalid: no op reads it
  std::vector<bool> kept(function.value_count(), false);
  std::vector<OpId> last_inside(function.value_count());  // the last op that reads it in a region
  const auto use = [&](ValueId value, OpId by, bool yielded) {
    const OpId op = enclosing_op(function, by, function.value(value).block);
    const bool inside = yielded || op != by;
    const auto raise = [&](OpId& latest) {
      if (!latest.valid() || position[latest.index] < position[op.index]) latest = op;
    };
    raise(last[value.index]);
    if (inside) raise(last_inside[value.index]);
  };
  for (std::uint32_t b = 0; b < function.block_count(); ++b) {
    const ir::Block& block = function.block(BlockId{b});
    for (OpId op : block.ops) {
      for (ValueId operand : function.op(op).operands) use(operand, op, false);
      for (ValueId result : function.op(op).results) use(result, op, false);
    }
    for (ValueId yielded : block.yields) {
      if (function.value(yielded).block == BlockId{b})
        kept[yielded.index] = true;
      else
        use(yielded, block.parent, true);
    }
  }
  for (const ir::Output& output : function.outputs) kept[output.value.index] = true;

  for (std::uint32_t v = 0; v < function.value_count(); ++v) {
    if (last[v].valid() && !kept[v])
      after_op_[last[v].index].push_back({v});
    else
      with_block_[function.value(ValueId{v}).block.index].push_back({v});
  }
  std::vector<std::uint32_t> times(function.value_count(), 0);  // that the op at hand reads it
  for (std::uint32_t o = 0; o < function.op_count(); ++o) {
    const auto& operands = function.op(OpId{o}).operands;
    for (ValueId operand : operands) ++times[operand.index];
    for (ValueId operand : operands)
      last_reads_[o].push_back(last[operand.index] == OpId{o} && !kept[operand.index] && last_inside[operand.index] != OpId{o} &&
                               times[operand.index] == 1);
    for (ValueId operand : operands) times[operand.index] = 0;
  }
}

}  // namespace bpc::interpreter
