#include "backend/plan/uses.h"

namespace bpc::plan {

namespace {

bool needs_memory(const ir::Op& op, std::size_t operand) {
  switch (ir::op_info(op.code).group) {
    case ir::Group::movement:
      return op.code == ir::Opcode::update && operand == 0;
    case ir::Group::contraction:
    case ir::Group::control:
    case ir::Group::effect:
      return true;
    case ir::Group::elementwise:
    case ir::Group::reduction:
    case ir::Group::source:
    case ir::Group::random:
    case ir::Group::derivative:
      return false;
  }
  return false;
}

bool stretches(const ir::Function& function, const ir::Op& op, ir::ValueId operand) {
  bool pointwise = ir::op_info(op.code).group == ir::Group::elementwise || op.code == ir::Opcode::broadcast;
  return pointwise && function.type(operand).count() < function.type(op.results[0]).count();
}

}  // namespace

std::vector<Use> summarize_uses(const ir::Function& function) {
  std::vector<Use> uses(function.value_count());
  for (std::uint32_t b = 0; b < function.block_count(); ++b) {
    const ir::Block& block = function.block({b});
    for (ir::OpId id : block.ops) {
      const ir::Op& op = function.op(id);
      for (std::size_t i = 0; i < op.operands.size(); ++i) {
        Use& use = uses[op.operands[i].index];
        ++use.count;
        use.whole |= needs_memory(op, i);
        use.stretched |= stretches(function, op, op.operands[i]);
        use.inner |= function.value(op.operands[i]).block != ir::BlockId{b};
      }
    }
    for (ir::ValueId yield : block.yields) {
      ++uses[yield.index].count;
      uses[yield.index].whole = true;
      uses[yield.index].inner |= function.value(yield).block != ir::BlockId{b};
    }
  }
  for (const ir::Output& output : function.outputs) {
    ++uses[output.value.index].count;
    uses[output.value.index].whole = true;
  }
  return uses;
}

}  // namespace bpc::plan
