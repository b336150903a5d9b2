// Text to syntax tree. The only room that knows ANTLR.
#pragma once

#include <optional>

#include "frontend/ast.h"
#include "support/diagnostics.h"

namespace bpc::frontend {

// Parses one file of `sources`. Appends E01 diagnostics (several if need be) and returns nullopt when there were any.
std::optional<Ast> parse(const SourceMap& sources, FileId file, Diagnostics& diagnostics);

}  // namespace bpc::frontend
