// Private to name resolution: the arguments of a call against the function's parameters.
#pragma once

#include "frontend/syntax/ast.h"
#include "support/diagnostics.h"

namespace bpc::frontend {

// Whether `fn`, whose name stands at `declared`, takes the arguments of the call, which stands at `at`. Otherwise E0105, for the first
// one that it does not take, or for those that it lacks.
bool check_arguments(const Ast& ast, const CallExpr& call, Span at, const FnStmt& fn, Span declared, Diagnostics& diagnostics);

}  // namespace bpc::frontend
