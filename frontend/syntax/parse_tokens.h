// Private to the parser: a script as a list of tokens, read and then laid out (where statements end, which words are keywords).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/syntax/ast.h"
#include "support/diagnostics.h"

namespace bpc::frontend {

struct Token {
  std::size_t kind;  // of BpLexer
  Span span;
  std::string text;  // of an EOS: what stands for it, "\n", ";", "}" or "" at the end of the file
};

// Brackets, blocks and signs nested more deeply than this are E0107: the parser and every later walk recurse once per level.
inline constexpr std::size_t kMaxNesting = 200;
// Operators in one chain such as `a + b + c …`, which make a tree as deep as they are many.
inline constexpr std::size_t kMaxChain = 4000;
// A file with more syntax errors than this is not a script; the rest is not reported.
inline constexpr std::size_t kMaxSyntaxErrors = 20;

// A text for use in a message: its beginning, if it is long.
std::string excerpt(std::string_view text);

// Reports a token that no script can hold there, BAD.
Diagnostic& report_bad_character(const Token& token, Diagnostics& diagnostics);

// All tokens of the file, newlines included, comments apart. Malformed numbers and strings are reported and replaced by what they probably
// mean, so that parsing can go on; characters of no token are left to the parser, which sees what is around them. nullopt when the text is
// not UTF-8.
std::optional<std::vector<Token>> read_tokens(const SourceMap& sources, FileId file, std::vector<Comment>& comments,
                                              Diagnostics& diagnostics);

// Makes the tokens fit the grammar (see Bp.g4): statement ends, soft keywords, trailing commas. Brackets are matched: in the result they
// are balanced, an unclosed one having been reported and closed where its statement seems to end. nullopt when they nest too deeply.
std::optional<std::vector<Token>> lay_out(std::vector<Token> tokens, Diagnostics& diagnostics);

}  // namespace bpc::frontend
