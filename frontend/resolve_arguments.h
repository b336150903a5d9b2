// Private to name resolution: the arguments of a call against the function's parameters.
#pragma once

#include "frontend/ast.h"
#include "support/diagnostics.h"

namespace bpc::frontend {

// Reports (E0105) the first argument that `fn`, whose name stands at `declared`, does not take, or those that it lacks. `at` is the whole
// call.
void check_arguments(const Ast& ast, const CallExpr& call, Span at, const FnStmt& fn, Span declared, Diagnostics& diagnostics);

}  // namespace bpc::frontend
