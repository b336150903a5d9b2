// What a value was computed from, read off the program as written (before any expansion or simplification).
#pragma once

#include <vector>

#include "ir/function.h"

namespace bpc::ir {

// The values that `y` was computed from through real values, itself included, indexed by value: through operands, both sides of an
// `if`, all turns of a loop, and through gradients (which depend on all that was differentiated). Only stop_grad, integers and bools cut.
std::vector<bool> ancestors(const Function& function, ValueId y);
// The same from several values, not looking beyond a block and the regions inside it: what these were computed from in there.
std::vector<bool> ancestors_within(const Function& function, std::span<const ValueId> ys, BlockId block);

// Whether y depends on x through an earlier turn of a loop that carries the connecting value, while x stands outside that loop: a
// gradient taken inside the loop would be partial.
bool depends_through_earlier_turns(const Function& function, ValueId y, ValueId x);

}  // namespace bpc::ir
