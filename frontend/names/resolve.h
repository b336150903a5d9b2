// Names, arity and places of statements: what can be said of a script before its types.
#pragma once

#include <vector>

#include "frontend/names/meanings.h"
#include "frontend/program.h"

namespace bpc::frontend {

// Resolves the names of one file, given what each file of the program exports (only the entries of its imports need be there). Appends E01
// and E02 diagnostics in source order. Returns the file's own fns, dims and consts.
Symbols resolve(Program& program, std::size_t index, const std::vector<Symbols>& exports, Diagnostics& diagnostics);

// The function that a text of the prelude holds, with all names in it resolved; null when one is wrong.
const Definition* resolve_library(const SourceMap& sources, const Ast& ast, Meanings& names);

// Resolves an expression that stands where these names are visible; false when it has an unknown one, or another mistake.
bool resolve_expression(const SourceMap& sources, const Ast& ast, ExprId id, Symbols visible, Meanings& names);

}  // namespace bpc::frontend
