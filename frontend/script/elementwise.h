// Operators and functions that work element by element, and operands that stretch by themselves.
#pragma once

#include <vector>

#include "frontend/script/draft.h"

namespace bpc::frontend::script {

Term elementwise(Draft& d, const ir::Op& op);
// For each operand whether it is written without the broadcast that made it, or as a number, because it stretches by itself to the shape
// that the others have; of an update, to the part that it goes into.
std::vector<bool> unstretched(const Draft& d, const ir::Op& op);
// Whether that is so of the only use of the broadcast.
bool is_unstretched(const Draft& d, ir::ValueId broadcast);
Term read_stretching(Draft& d, const ir::Op& op, std::size_t operand, bool is_unstretched);

}  // namespace bpc::frontend::script
