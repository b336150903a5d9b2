// What bpc tells the user: a coded message at a place, with labelled operands and a fix.
#pragma once

#include <cstdint>
#include <deque>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/source.h"

namespace bpc {

// Every code, from the one table support/error_codes.def. A code is never reused.
enum class Code : std::uint16_t {
#define BPC_CODE(code, title, meaning) code,
#include "support/error_codes.def"
#undef BPC_CODE
};

struct CodeInfo {
  Code code;
  std::string_view name;     // "E0201"
  std::string_view title;    // "shapes do not fit"
  std::string_view meaning;  // in a sentence or two (Markdown)
};
const std::vector<CodeInfo>& all_codes();
const CodeInfo& code_info(Code code);

enum class Severity : std::uint8_t { error, warning };

// A caret line under one operand, such as "[64, 784]: 784 columns".
struct Label {
  Span span;
  std::string text;
};

struct Diagnostic {
  Severity severity;
  Code code;
  Span span;            // the primary place; may be invalid (nowhere)
  std::string message;  // one sentence in the author's own names
  std::vector<Label> labels;
  std::string help;                // a fix, or empty
  std::vector<std::string> notes;  // further facts ("called from line 12")

  Diagnostic& label(Span at, std::string text);
  Diagnostic& with_help(std::string text);
  Diagnostic& note(std::string text);
};

// Collects diagnostics in order; a stage appends and returns std::optional.
class Diagnostics {
 public:
  // The reference stays valid while this object lives.
  Diagnostic& error(Code code, Span span, std::string message);
  Diagnostic& warning(Code code, Span span, std::string message);
  Diagnostic& add(Diagnostic diagnostic) { return list_.emplace_back(std::move(diagnostic)); }
  bool has_errors() const;
  std::size_t error_count() const;
  // By place: file by file, of which some come before others, and what has no place last.
  void sort(const std::vector<FileId>& files);
  const std::deque<Diagnostic>& all() const { return list_; }

 private:
  std::deque<Diagnostic> list_;
};

// LANGUAGE: the layout with the source line and carets, ending in a newline.
std::string render_human(const Diagnostic& diagnostic, const SourceMap& sources, bool color);
// {"severity", "code", "title", "message", "file", "line", "column", "end_line", "end_column", "labels", "help", "notes"}
nlohmann::json render_json(const Diagnostic& diagnostic, const SourceMap& sources);

// The candidate that is `name` but for upper and lower case, or the closest by edit distance (at most a third of its length, or `limit`
// where candidates are few and unlike), or empty: "did you mean".
std::string closest_match(std::string_view name, const std::vector<std::string>& candidates, std::size_t limit = 0);

}  // namespace bpc
