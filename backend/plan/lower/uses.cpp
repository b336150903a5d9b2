#include "backend/plan/lower/uses.h"

#include "ir/uses.h"

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

std::vector<UseSummary> summarize_uses(const ir::Function& function) {
  std::vector<UseSummary> uses(function.value_count());
  ir::for_each_use(function, [&](ir::ValueId value, const ir::Use& read) {
    UseSummary& use = uses[value.index];
    ++use.count;
    use.inner |= read.block != function.value(value).block;
    if (read.kind == ir::Use::Kind::operand) {
      const ir::Op& op = function.op(read.user);
      use.users.push_back(read.user);
      use.whole |= needs_memory(op, read.slot);
      use.stretched |= stretches(function, op, value);
      if (op.code == ir::Opcode::gather && read.slot == 0) use.gathered += function.type(op.results[0]).count();
    } else {
      use.yields.push_back(read.block);
      use.whole = true;
    }
  });
  return uses;
}

}  // namespace bpc::plan
