// Private to the parser: classes of tokens, read off the grammar. Kinds are those of BpLexer, or the end of the file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bpc::frontend {

// As it is written, of a kind that is written in one way; empty for others.
const std::string& spelling(std::size_t kind);

// A word of the language; one that is a name where it is no keyword; what is a name there.
bool is_word(std::size_t kind);
bool is_word(std::string_view text);
bool is_soft_word(std::size_t kind);
bool is_name(std::size_t kind);

// `(`, `[` and `{`, and what closes them.
bool is_opener(std::size_t kind);
bool is_closer(std::size_t kind);
std::size_t partner_of(std::size_t bracket);
// What `(` and `[`, and their closers, add to how deep the tokens after them are.
int nesting(std::size_t kind);

// A value that is one token, or a name.
bool is_atom(std::size_t kind);
bool starts_expression(std::size_t kind);
bool ends_expression(std::size_t kind);
bool starts_statement(std::size_t kind);

// `=`, `+=` …; a sign between two operands; these, `not`, `and`, `or` and `..`.
bool is_assignment(std::size_t kind);
bool is_infix(std::size_t kind);
bool is_operator(std::size_t kind);

}  // namespace bpc::frontend
