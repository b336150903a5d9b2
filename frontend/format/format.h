// The canonical layout of a script.
#pragma once

#include <string>

#include "frontend/syntax/ast.h"

namespace bpc::frontend {

inline constexpr std::size_t kLineLimit = 100;  // columns, in code points

// The file's text in canonical form, comments kept, in lines of at most `limit` columns where they can be broken. Idempotent; parsing the
// result gives the same tree.
std::string format(const Ast& ast, const SourceMap& sources, std::size_t limit = kLineLimit);

}  // namespace bpc::frontend
