// Private to the parser: what to say about a token that the grammar does not allow, and where to go on.
#pragma once

#include <memory>
#include <vector>

#include "BpParser.h"
#include "frontend/syntax/parse_tokens.h"

namespace bpc::frontend {

// Tokens [begin, end) that no statement was made of.
struct Skipped {
  std::size_t begin, end;
};

// Reports the first error of each statement and goes on with the next one. Throws antlr4::ParseCancellationException after
// kMaxSyntaxErrors. `tokens` are those that the parser reads, by their index. What is skipped is added to `skipped`, in order.
std::shared_ptr<antlr4::ANTLRErrorStrategy> make_error_strategy(const std::vector<Token>& tokens, std::vector<Skipped>& skipped,
                                                                Diagnostics& diagnostics);

}  // namespace bpc::frontend
