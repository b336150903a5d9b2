// Private to name resolution: the head of an `adjoint` against the function it is for.
#pragma once

#include "frontend/resolve.h"

namespace bpc::frontend {

// Reports a rule for what is built in (no symbol; E0109), is no function (E0209), comes from another file (E0109), or has another number of
// parameters (E0105).
void check_adjoint(const AdjointStmt& rule, const Symbol* symbol, FileId file, Diagnostics& diagnostics);

}  // namespace bpc::frontend
