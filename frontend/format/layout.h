// Private to the formatter: one statement's text, broken over lines where the author broke it or where it is too long.
#pragma once

#include <string>
#include <variant>
#include <vector>

namespace bpc::frontend {

inline constexpr std::size_t kIndent = 2;

struct Doc;

// A place where a line may end. `flat` stands there otherwise.
struct Break {
  std::string flat;
  bool author = false;  // the author's line ended here: it does again
  enum class Where : std::uint8_t { between, opening, closing } where = Where::between;
  struct Note {
    std::string text;
    bool beside;  // what stands before it, rather than on a line of its own
  };
  std::vector<Note> notes{};  // comments of the author's that stand here, so that a line ends
};

// Parts that are broken together. With brackets, the first and last part are their texts. A group where the author broke lines is broken
// exactly there; another that does not fit has its bracketed contents on lines of their own, each as full as it gets.
struct Group {
  std::vector<Doc> parts;
  bool bracketed = false;
};

struct Doc {
  std::variant<std::string, Break, Group> node;
};

struct Line {
  std::string text;
  std::string comment{};  // beside it
};

// The lines, `limit` columns at most where that can be, of a statement whose first line is indented by `indent`; the indentation is part of
// the lines.
std::vector<Line> lay_out_lines(const std::vector<Doc>& parts, std::size_t indent, std::size_t limit);

}  // namespace bpc::frontend
