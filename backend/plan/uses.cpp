#include "backend/plan/uses.h"

namespace bpc::plan {

namespace {

bool needs_memory(const ir::Op& op, std::size_t operand) {
  switch (ir::op_info(op.code).group) {
    case ir::Group::movement:
      // Windows overlap: what they show is computed once.
      return (op.code == ir::Opcode::update || op.code == ir::Opcode::scatter_add || op.code == ir::Opcode::window) && operand == 0;
    case ir::Group::contraction:
    case ir::Group::library:
    case ir::Group::control:
    case ir::Group::effect:
    case ir::Group::tape:
    case ir::Group::random:
      return true;
    case ir::Group::elementwise:
    case ir::Group::reduction:
    case ir::Group::source:
    case ir::Group::derivative:
      return false;
  }
  return false;
}

// Whether elements of the operand are computed again and again if they are computed where the op uses them.
bool stretches(const ir::Function& function, const ir::Op& op, ir::ValueId operand) {
  std::int64_t count = function.type(operand).count();
  if (op.code == ir::Opcode::scatter_add) return count < function.type(op.operands[1]).count();
  bool may = ir::op_info(op.code).group == ir::Group::elementwise || op.code == ir::Opcode::broadcast || op.code == ir::Opcode::gather;
  return may && count < function.type(op.results[0]).count();
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
        use.users.push_back(id);
        use.whole |= needs_memory(op, i);
        use.stretched |= stretches(function, op, op.operands[i]);
        use.inner |= function.value(op.operands[i]).block != ir::BlockId{b};
      }
    }
    for (ir::ValueId yield : block.yields) {
      Use& use = uses[yield.index];
      ++use.count;
      use.yields.push_back({b});
      use.whole = true;
      use.inner |= function.value(yield).block != ir::BlockId{b};
    }
  }
  for (const ir::Output& output : function.outputs) {
    Use& use = uses[output.value.index];
    ++use.count;
    use.yields.push_back(function.body());
    use.whole = true;
  }
  return uses;
}

}  // namespace bpc::plan
