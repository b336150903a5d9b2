// Private to the parser: runs of tokens that another language writes (BPC_PHRASE of foreign.def).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frontend/syntax/parse_tokens.h"

namespace bpc::frontend {

struct Phrase {
  Span span;
  std::string message, help;
};

// Those whose pattern starts with the statement, which say most, and those that are parts of one.
enum class PhraseKind { statement, part };

// The phrase of a kind that reaches over the token `at`, where the parser gave up, within its statement.
std::optional<Phrase> find_phrase(const std::vector<Token>& tokens, std::size_t at, PhraseKind kind);

// The author's text of tokens[first..last], on one line.
std::string written(const std::vector<Token>& tokens, std::size_t first, std::size_t last);

}  // namespace bpc::frontend
