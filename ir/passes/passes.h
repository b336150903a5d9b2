// The passes of passes.def, but for `adjoint`, which is ir/adjoint.h.
#pragma once

#include "ir/function.h"
#include "support/diagnostics.h"

namespace bpc::ir {

// Whether derivatives are left. What y was computed from is read off the source, so `simplify` and `cse` return such a function as it is.
bool holds_grad(const Function& function);

// Replaces every map by batched ops (ir/batch/vectorise.h), but for those that hold derivatives: `adjoint` does these once it has expanded
// them.
Function vectorise_maps(const Function& function, Diagnostics& diagnostics);

// Splits counted loops that a derivative goes back through into about sqrt(n) segments of about sqrt(n) turns, each under a `checkpoint`:
// the adjoint then keeps the carried values of each segment, and runs one segment again at a time (Chen et al. 2016, "Training deep nets
// with sublinear memory cost"). The first where the loop might keep more than half a gigabyte, the second everywhere.
Function checkpoint_long_loops(const Function& function, Diagnostics& diagnostics);
Function checkpoint_all_loops(const Function& function, Diagnostics& diagnostics);

// Exact rewrites only: no result changes, NaN, infinities and signed zeros included (0*x stays, x+0 stays). Each op is simplified once,
// over operands that already are. The rules are one list in simplify.cpp.
Function simplify(const Function& function, Diagnostics& diagnostics);

// Merges an op into an equal one that was computed before it in the same region or one around it: same operator, operands (in any order if
// it commutes), attributes bit by bit, types. Ops that may fail merge too, since the first has checked; effects and region ops never. The
// op that stays lists the places of the others in its origin, unless it is a constant.
Function merge_common(const Function& function, Diagnostics& diagnostics);

// Moves out of loops the reductions, contractions and factorisations whose operands no turn changes, with what these are computed from; not
// what may fail, nor what stands under an `if`, since it may never run. A loop of no turns runs them for nothing.
Function hoist_invariants(const Function& function, Diagnostics& diagnostics);

// Keeps what outputs and effects (ir::has_effect) need; also drops results of if_else and carried values of loops that nobody needs.
Function drop_dead(const Function& function, Diagnostics& diagnostics);
// The same where all loops end: one that nobody needs goes, `while` or not.
Function drop_unread(const Function& function);

}  // namespace bpc::ir
