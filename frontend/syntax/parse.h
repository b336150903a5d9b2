// Text to syntax tree. Of all that there is, only the files parse* know ANTLR.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/syntax/ast.h"
#include "support/diagnostics.h"

namespace bpc::frontend {

// Parses one file of `sources`. Appends E01 diagnostics (several if need be) and returns nullopt when there were any.
std::optional<Ast> parse(const SourceMap& sources, FileId file, Diagnostics& diagnostics);
// The same, but a statement with a mistake is an ErrorStmt, and so are the lines below it that seem to belong to it, indented further;
// nullopt when nothing is certain.
std::optional<Ast> parse_partial(const SourceMap& sources, FileId file, Diagnostics& diagnostics);

// `param`, `for`, `while` …
std::vector<std::string> words_of_the_language();

// Whether a piece of code could stand in a script: as a statement, or in a place where a value, a range, an index, a head or a clause
// stands.
bool is_code(std::string_view code);

}  // namespace bpc::frontend
