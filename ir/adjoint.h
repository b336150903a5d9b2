// The chain rule as a pass over the IR.
#pragma once

#include <optional>

#include "ir/function.h"
#include "support/diagnostics.h"

namespace bpc::ir {

// Expands every grad op, first to last, into ordinary ops: the reverse sweep (Griewank & Walther, Evaluating Derivatives, ch. 3). Nested
// gradients come from the same expansion applied again. Run it on lowered IR, before any simplification: whether y was computed from x is
// read off the source. Appends E03xx diagnostics (a path that cannot be differentiated, no path) and warnings (a param that does not reach
// the loss).
Function expand_gradients(const Function& function, Diagnostics& diagnostics);

// What the sweep of each derivative finds: the same program, with derivatives that exist, and with what they are taken by as values of
// their own. Those that stand in an author's adjoint rule are expanded, since a rule is applied as a whole. nullopt where some do not
// exist.
std::optional<Function> prepare_derivatives(const Function& function, Diagnostics& diagnostics);

}  // namespace bpc::ir
