// Private to name resolution: the head of an `adjoint` against the function it is for.
#pragma once

#include "frontend/names/meanings.h"
#include "support/diagnostics.h"

namespace bpc::frontend {

// Whether the rule fits what it names; reports one for what is built in (no symbol; E0109), is no function (E0209), comes from another file
// (E0109), or has another number of parameters (E0105).
bool check_adjoint(const AdjointStmt& rule, const Definition* symbol, FileId file, Diagnostics& diagnostics);

}  // namespace bpc::frontend
