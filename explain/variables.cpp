#include "explain/variables.h"

#include <algorithm>
#include <set>

#include "ir/clone.h"

namespace bpc::explain {

using ir::BlockId;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

void pass_over_variables(Trace& trace) {
  ir::Function& function = trace.function;
  std::set<ValueId> kept;  // also what the regions of an op read, which has been copied as it is
  if (trace.sweep) kept.insert(trace.sweep->xs.begin(), trace.sweep->xs.end()), kept.insert(trace.sweep->y);
  if (trace.sweep && trace.sweep->along.valid()) kept.insert(trace.sweep->along);
  const std::vector<OpId>& ops = function.block(function.body()).ops;
  for (OpId id : ops)
    for (BlockId region : function.op(id).regions) ir::for_each_use(function, region, [&](ValueId v) { kept.insert(v); });

  std::vector<ValueId> is(function.value_count());
  for (std::uint32_t v = 0; v < is.size(); ++v) is[v] = ValueId{v};
  std::set<OpId> passed;
  for (OpId id : ops) {
    for (ValueId& operand : function.op(id).operands) operand = is[operand.index];
    const Op& op = function.op(id);
    if (op.code != Opcode::variable || kept.contains(op.results[0])) continue;
    const ValueId result = op.results[0], same = op.operands[0];
    is[result.index] = same;
    passed.insert(id);
    if (trace.names[same.index].empty()) trace.names[same.index] = trace.names[result.index];
  }
  for (auto& [value, cotangent] : trace.cotangent_of) cotangent.x = is[cotangent.x.index], cotangent.y = is[cotangent.y.index];
  if (!trace.sweep) return;
  std::vector<ir::ReverseSweep::Part>& parts = trace.sweep->parts;
  std::erase_if(parts, [&](const ir::ReverseSweep::Part& part) { return passed.contains(part.by); });
  for (ir::ReverseSweep::Part& part : parts) part.to = is[part.to.index];
}

}  // namespace bpc::explain
