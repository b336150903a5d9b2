#include "frontend/script/uses.h"

#include <algorithm>

namespace bpc::frontend::script {

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
  if ((op.code == Opcode::for_loop && operand >= 3) || op.code == Opcode::while_loop) return Role::initial;
  return op.code == Opcode::update && operand == 0 ? Role::updated : Role::operand;
}

}  // namespace

Uses::Uses(const ir::Function& function) : function_(function), uses_(function.value_count()), positions_(function.op_count()) {
  enter(function.body());
  for (const ir::Output& output : function.outputs) yielded(output.value, function.body());
}

void Uses::enter(ir::BlockId block) {
  const auto& ops = function_.block(block).ops;
  for (std::size_t i = 0; i < ops.size(); ++i) positions_[ops[i].index] = i;
  for (OpId id : ops) {
    const ir::Op& op = function_.op(id);
    for (std::size_t i = 0; i < op.operands.size(); ++i)
      if (!is_shown_with_condition(function_, op, i)) read(op.operands[i], id, role_of(op, i));
    for (ir::BlockId region : op.regions) {
      enter(region);
      for (ValueId value : function_.block(region).yields) yielded(value, region);
    }
  }
}

void Uses::read(ValueId value, OpId user, Role role) {
  ir::BlockId home = function_.value(value).block;
  OpId at = user;  // the op of the value's own block that holds the user
  while (function_.op(at).block != home) at = function_.block(function_.op(at).block).parent;
  note(value, positions_[at.index], at != user);
  uses_[value.index].role = role;
  uses_[value.index].user = user;
}

void Uses::yielded(ValueId value, ir::BlockId by) {
  ir::BlockId home = function_.value(value).block;
  if (by == home) {
    note(value, SIZE_MAX, false);
  } else {
    OpId at = function_.block(by).parent;
    while (function_.op(at).block != home) at = function_.block(function_.op(at).block).parent;
    note(value, positions_[at.index], true);
  }
  uses_[value.index].role = Role::yield;
  uses_[value.index].user = {};
}

void Uses::note(ValueId value, std::size_t position, bool nested) {
  Use& use = uses_[value.index];
  ++use.count;
  use.local = use.local && !nested;
  if (position > use.last) use.last_is_nested = false;
  use.last_is_nested = use.last_is_nested || nested;
  use.last = std::max(use.last, position);
}

}  // namespace bpc::frontend::script
