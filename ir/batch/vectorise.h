// Maps as batched programs: a comprehension over a function of tensors is the batched function.
#pragma once

#include <vector>

#include "ir/rewrite.h"

namespace bpc::ir {

// Emits, where the builder stands, what gives the results of a `map` without it, and returns them in order; the map is taken out. Its index
// axes lead the shape of every value that depends on an index. Each class of operators has one rule: elementwise ops line up their
// operands, reductions and scans shift their axes, contractions gain a batch letter, movement moves along the other axes, and a part at an
// index that varies is gathered. A map whose region cannot run for all indices at once (effects, a `while`, a loop or branch with a side
// effect that depends on an index) becomes a loop that writes its results in place. `map` ops inside must have been replaced already.
std::vector<ValueId> vectorise(Builder& builder, OpId map);

// The same for a map that a pass visits: its region is visited first.
void vectorise_visited(Rewriter& rewriter, const Op& map);

}  // namespace bpc::ir
