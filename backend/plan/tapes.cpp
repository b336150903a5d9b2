#include <algorithm>

#include "backend/plan/planner.h"

namespace bpc::plan {

namespace {

bool pushes(const ir::Function& function, ir::BlockId block) {
  const std::vector<ir::OpId>& ops = function.block(block).ops;
  return std::any_of(ops.begin(), ops.end(), [&](ir::OpId id) {
    const ir::Op& op = function.op(id);
    return op.code == ir::Opcode::push ||
           std::any_of(op.regions.begin(), op.regions.end(), [&](ir::BlockId region) { return pushes(function, region); });
  });
}

}  // namespace

// The condition of a while loop and its body are given the same tapes: what the condition pushes must not be seen in the body.
void Planner::copy_tapes(ir::OpId loop) {
  const ir::BlockId condition = function_.op(loop).regions[0];
  if (!pushes(function_, condition)) return;
  for (ir::ValueId argument : function_.block(condition).arguments) {
    const Type& type = this->type(argument);
    if (!type.tape || uses_[argument.index].count == 0) continue;
    const Tape to = add_tape(function_.value(argument).name);
    push({CopyTape{definition(argument).tape, to, plan_.roots++, static_cast<std::size_t>(type.count()) * element_size(type.element),
                   add_site(loop)}});
    define(argument, to);
  }
}

void Planner::tape(ir::OpId id) {
  const ir::Op& op = function_.op(id);
  const Tape to = add_tape(function_.value(op.results[0]).name);
  SiteId site = add_site(id);
  if (op.code == ir::Opcode::tape) {
    NewTape made{to, {}, site};
    if (!overlapping_[id.index]) made.root = plan_.roots++;
    push({made});
  } else if (op.code == ir::Opcode::push) {
    Datum value = datum(op.operands[1]);
    push({Push{definition(op.operands[0]).tape, to, value, site}});
  } else {
    ir::ValueId top = op.results[1];
    const std::string& name = function_.value(top).name;
    const Tape from = definition(op.operands[0]).tape;
    if (type(top).is_scalar()) {
      const RegisterId value = add_register(type(top).element, name);
      push({Pop{from, to, value}});
      define(top, value);
    } else {
      const BufferId value = add_buffer(type(top), name);
      push({Pop{from, to, value}});
      define_dense(top, value);
    }
  }
  define(op.results[0], to);
}

}  // namespace bpc::plan
