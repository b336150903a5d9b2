#include "frontend/lower/regions.h"

#include "ir/verify.h"

namespace bpc::frontend::lowering {

using ir::BlockId;
using ir::Opcode;
using ir::ValueId;

Scope in_block(Context& c, BlockId block, Scope scope, const std::function<void()>& lower) {
  // A region counts for three levels (the statement or expression around it is one), so that the nesting limit keeps regions within
  // ir::kDeepestRegion.
  static_assert(kDeepestNesting / 3 < ir::kDeepestRegion);
  Temporarily<int> nested(c.depth, c.depth + 2);
  BlockId outside = c.builder->block();
  c.builder->set_block(block);
  c.frame->scopes.push_back(std::move(scope));
  lower();
  Scope inner = std::move(c.frame->scopes.back());
  c.frame->scopes.pop_back();
  c.builder->set_block(outside);
  return inner;
}

std::vector<ValueId> region_op(Context& c, Span span, Opcode code, const std::vector<ValueId>& operands, const std::vector<Type>& types,
                               const std::vector<BlockId>& regions) {
  c.set_origin(span);
  ir::OpId op = c.builder->emit_op(code, operands, {}, types);
  for (BlockId region : regions) {
    c.function().block(region).parent = op;
    c.function().op(op).regions.push_back(region);
  }
  return c.function().op(op).results;
}

}  // namespace bpc::frontend::lowering
