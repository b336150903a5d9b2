// Private to the parser: what to say about a token that the grammar does not allow, and where to go on.
#pragma once

#include <memory>
#include <vector>

#include "BpParser.h"
#include "frontend/parse_tokens.h"

namespace bpc::frontend {

// Reports the first error of each statement and goes on with the next one. Throws antlr4::ParseCancellationException after
// kMaxSyntaxErrors. `tokens` are those that the parser reads, by their index.
std::shared_ptr<antlr4::ANTLRErrorStrategy> make_error_strategy(const std::vector<Token>& tokens, Diagnostics& diagnostics);

}  // namespace bpc::frontend
