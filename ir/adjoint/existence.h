// Whether the derivatives that a program asks for exist: E0301, E0304, and what to write instead.
#pragma once

#include <vector>

#include "ir/function.h"
#include "support/diagnostics.h"

namespace bpc::ir {

bool is_derivative(const Op& op);

// The values that a derivative op differentiates by.
std::vector<ValueId> differentiated_by(const Op& op);

// Judges the derivatives that `op` asks for, on the program as written. Params that do not reach the loss lose their output.
void check_derivative(Function& function, const Op& op, Diagnostics& diagnostics);

}  // namespace bpc::ir
