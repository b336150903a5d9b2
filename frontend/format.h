// The canonical layout of a script.
#pragma once

#include <string>

#include "frontend/ast.h"

namespace bpc::frontend {

// The file's text in canonical form, comments kept. Idempotent; parsing the result gives the same tree.
std::string format(const Ast& ast, const SourceMap& sources);

}  // namespace bpc::frontend
