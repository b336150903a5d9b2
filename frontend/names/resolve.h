// Names, arity and places of statements: what can be said of a script before its types.
#pragma once

#include <functional>

#include "frontend/names/meanings.h"
#include "support/diagnostics.h"
#include "support/source.h"

namespace bpc::frontend {

// What an import brings; null when its file could not be read, which has been reported.
using Imported = std::function<const Symbols*(const ImportStmt&)>;

// Resolves the names of one file. Appends E01 and E02 diagnostics in source order. Returns the names of its top level.
Symbols resolve(const SourceMap& sources, const Ast& ast, Meanings& names, Imported imported, Diagnostics& diagnostics);

// Of these, what a file that imports it sees: its own fns, dims and consts.
Symbols exported(Symbols own, const Ast& ast);

// Resolves the `train` block of a file that has nothing else, where these names are visible.
void resolve_settings(const SourceMap& sources, const Ast& ast, Symbols visible, Meanings& names, Diagnostics& diagnostics);

// The function that a text of the prelude holds, with all names in it resolved; null when one is wrong.
const Definition* resolve_library(const SourceMap& sources, const Ast& ast, Meanings& names);

// Resolves an expression that stands where these names are visible; false when it has an unknown one, or another mistake.
bool resolve_expression(const SourceMap& sources, const Ast& ast, ExprId id, Symbols visible, Meanings& names);

}  // namespace bpc::frontend
