// Private to the parser: statements that could not be read, as nodes of the tree.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "frontend/syntax/parse_errors.h"
#include "frontend/syntax/parse_tokens.h"

namespace bpc::frontend {

class BrokenStatements {
 public:
  // `skipped` is what the parser has passed over; `found` what has been said of the tokens.
  BrokenStatements(const std::vector<Token>& tokens, const std::vector<Skipped>& skipped, const Diagnostics& found);

  // Where what was skipped from here ends; nullopt where nothing was.
  std::optional<std::size_t> end_of_skipped(std::size_t begin) const;
  // Whether a statement that starts here belongs to a broken one: that ends here, and its first line is less indented; or the statement is
  // a word alone, which may end what that began (`end`, `done`).
  bool belongs_to_broken(std::size_t begin) const;
  // Whether a bracket or a text in [begin, end) is unfinished, and no broken statement within has it already.
  bool is_unfinished(std::size_t begin, std::size_t end) const;

  // [begin, end) is one.
  ErrorStmt add(std::size_t begin, std::size_t end);

 private:
  struct Head {
    std::uint32_t line, column;
  };
  // The first line of the broken statements that end here, and that of what a statement that starts here belongs to.
  std::optional<Head> before(std::size_t begin) const;
  std::optional<Head> head(std::size_t begin) const;
  std::vector<Name> names_in(std::size_t begin, std::size_t end, bool assigned) const;

  const std::vector<Token>& tokens_;
  std::map<std::size_t, std::size_t> begins_, ends_;  // of what was skipped, by begin and by end
  std::map<std::size_t, Head> heads_;                 // of the broken statements so far, by their end
  std::vector<Span> unfinished_;
};

}  // namespace bpc::frontend
