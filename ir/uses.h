// Where values are read.
#pragma once

#include "ir/function.h"

namespace bpc::ir {

struct Use {
  enum class Kind : std::uint8_t { operand, yield, output };
  Kind kind;
  OpId user;         // the op that has the operand, or whose region yields; invalid for an output
  BlockId block;     // that reads it; of an output, the body of the function
  std::size_t slot;  // which operand, yield or output
};

// Calls f(value, use) for each use: block by block in the order of their ids, an op's operands where it stands, yields last; then outputs.
template <class F>
void for_each_use(const Function& function, const F& f) {
  for (std::uint32_t b = 0; b < function.block_count(); ++b) {
    const Block& block = function.block({b});
    for (OpId id : block.ops) {
      const std::vector<ValueId>& operands = function.op(id).operands;
      for (std::size_t i = 0; i < operands.size(); ++i) f(operands[i], Use{Use::Kind::operand, id, {b}, i});
    }
    for (std::size_t i = 0; i < block.yields.size(); ++i) f(block.yields[i], Use{Use::Kind::yield, block.parent, {b}, i});
  }
  for (std::size_t i = 0; i < function.outputs.size(); ++i) f(function.outputs[i].value, Use{Use::Kind::output, {}, function.body(), i});
}

}  // namespace bpc::ir
