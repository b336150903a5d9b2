// Blocks of their own: what branches and loops are made of.
#pragma once

#include <functional>
#include <vector>

#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

// Lowers into a block, with `scope` as the innermost one; returns what that scope holds in the end.
Scope in_block(Context& c, ir::BlockId block, Scope scope, const std::function<void()>& lower);

// Emits an op around regions that were lowered before it, since they decide its result types.
std::vector<ir::ValueId> region_op(Context& c, Span span, ir::Opcode code, const std::vector<ir::ValueId>& operands,
                                   const std::vector<Type>& types, const std::vector<ir::BlockId>& regions);

// A `map` around its lowered block: the index axes first, of these sizes, then those of the element, which its block gives at its indices.
// E0203 for a tape, E0210 for more elements than a tensor can have.
std::optional<Item> map_op(Context& c, Span span, ir::BlockId block, const std::vector<Dim>& sizes, const Item& element);

}  // namespace bpc::frontend::lowering
