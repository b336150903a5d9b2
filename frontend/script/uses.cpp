#include "frontend/script/uses.h"

#include <algorithm>

namespace bpc::frontend::script {

using ir::BlockId;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

namespace {

// An assert names its condition; the values it shows come back with the condition when they are its operands.
bool is_shown_with_condition(const ir::Function& function, const ir::Op& op, std::size_t operand) {
  if (op.code != Opcode::assert_true || operand == 0) return false;
  const ir::Op* condition = function.def(op.operands[0]);
  return condition && std::find(condition->operands.begin(), condition->operands.end(), op.operands[operand]) != condition->operands.end();
}

Role role_of(const ir::Op& op, std::size_t operand) {
  if (ir::is_loop(op.code) && operand >= ir::uncarried_operands(op.code)) return Role::initial;
  return operand == 0 && changed_operand(op).valid() ? Role::updated : Role::operand;
}

// Whether a derivative is taken by the operand.
bool is_differentiated_by(const ir::Op& op, std::size_t operand) {
  switch (op.code) {
    case Opcode::grad:
      return operand >= 1;
    case Opcode::vjp:
      return operand >= 2;
    case Opcode::jvp:
      return operand == 1;
    default:
      return false;
  }
}

std::uint64_t key(ValueId value, BlockId block) {
  return std::uint64_t{value.index} << 32 | block.index;
}

}  // namespace

ValueId changed_operand(const ir::Op& op) {
  switch (op.code) {
    case Opcode::update:
    case Opcode::scatter_add:
    case Opcode::push:
    case Opcode::pop:
      return op.operands[0];
    default:
      return {};
  }
}

Uses::Uses(const ir::Function& function) : function_(function), uses_(function.value_count()), places_(function.op_count()) {
  for (std::uint32_t b = 0; b < function.block_count(); ++b) {
    const std::vector<OpId>& ops = function.block({b}).ops;
    for (std::size_t i = 0; i < ops.size(); ++i) places_[ops[i].index] = i + 1;
  }
  ir::for_each_use(function, [&](ValueId value, const ir::Use& use) { read(value, use); });
  // What a loop carries is still needed when its condition has been computed.
  for (std::uint32_t i = 0; i < function.op_count(); ++i)
    if (const ir::Op& op = function.op({i}); op.code == Opcode::while_loop && !op.regions.empty())
      for (ValueId argument : function.block(op.regions[0]).arguments) note(argument, op.regions[0], kEnd);
}

bool Uses::is_read_behind(ValueId value, BlockId block, std::size_t place) const {
  auto last = last_.find(key(value, block));
  return last != last_.end() && last->second > place;
}

void Uses::read(ValueId value, const ir::Use& by) {
  Use& use = uses_[value.index];
  const bool is_operand = by.kind == ir::Use::Kind::operand;
  if (is_operand) {
    const ir::Op& op = function_.op(by.user);
    use.is_variable |= is_differentiated_by(op, by.slot);
    if (is_shown_with_condition(function_, op, by.slot)) return;
    use.role = role_of(op, by.slot);
    use.user = by.user;
  } else {
    use.role = Role::yield;
    use.user = {};
  }
  ++use.count;
  use.local = use.local && by.block == function_.value(value).block;
  note(value, by.block, is_operand ? places_[by.user.index] : kEnd);
}

// Notes the read in the block and in those around it, up to the value's own.
void Uses::note(ValueId value, BlockId block, std::size_t place) {
  while (true) {
    std::size_t& last = last_[key(value, block)];
    last = std::max(last, place);
    if (block == function_.value(value).block) return;
    OpId around = function_.block(block).parent;
    block = function_.op(around).block;
    place = places_[around.index];
  }
}

}  // namespace bpc::frontend::script
