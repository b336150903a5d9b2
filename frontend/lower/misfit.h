// What a shape rule finds wrong with an op, in the author's words.
#pragma once

#include <vector>

#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

// The error for operands that the op does not take, with a label under each; `at` is the place to blame. Inside a library function it
// speaks of the author's call: "`mse(out, y)`: out [3] and y [4] do not fit".
Diagnostic misfit(Context& c, const ir::ShapeError& error, ir::Opcode code, Span at, const std::vector<Item>& operands);

// Whether `code`, an expression in the author's names, lowers where the author's stands: for a help that shows it. Asked for after an error
// only, since what it emits stays.
bool lowers(Context& c, const std::string& code);

}  // namespace bpc::frontend::lowering
