#include <algorithm>

#include "backend/plan/lower/elements.h"
#include "backend/plan/lower/groups.h"

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
void copy_tapes(Values& values, ir::OpId loop) {
  const ir::BlockId condition = values.function.op(loop).regions[0];
  if (!pushes(values.function, condition)) return;
  for (ir::ValueId argument : values.function.block(condition).arguments) {
    const Type& type = values.type(argument);
    if (!type.tape || !values.is_read(argument)) continue;
    const Tape to = values.add_tape(values.name(argument));
    values.push({CopyTape{values.definition(argument).tape, to, values.plan.roots++,
                          static_cast<std::size_t>(type.count()) * element_size(type.element), values.add_site(loop)}});
    values.define(argument, to);
  }
}

void lower_tape(Values& values, ir::OpId id, bool overlaps) {
  const ir::Op& op = values.function.op(id);
  const Tape to = values.add_tape(values.function.value(op.results[0]).name);
  SiteId site = values.add_site(id);
  if (op.code == ir::Opcode::tape) {
    NewTape made{to, {}, site};
    if (!overlaps) made.root = values.plan.roots++;
    values.push({made});
  } else if (op.code == ir::Opcode::push) {
    Datum value = values.datum(op.operands[1]);
    values.push({Push{values.definition(op.operands[0]).tape, to, value, site}});
  } else {
    ir::ValueId top = op.results[1];
    const std::string& name = values.name(top);
    const Tape from = values.definition(op.operands[0]).tape;
    if (values.type(top).is_scalar()) {
      const RegisterId value = values.add_register(values.type(top).element, name);
      values.push({Pop{from, to, value}});
      values.define(top, value);
    } else {
      const BufferId value = values.add_buffer(values.type(top), name);
      values.push({Pop{from, to, value}});
      values.define_dense(top, value);
    }
  }
  values.define(op.results[0], to);
}

}  // namespace bpc::plan
