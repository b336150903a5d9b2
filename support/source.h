// Source files and places in them. Every later stage speaks of a place as a Span.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bpc {

using FileId = std::uint32_t;
inline constexpr FileId kNoFile = UINT32_MAX;

// A stretch of one source file. Lines and columns count from 1; columns count code points (not bytes), and
// `end_column` is one past the last. A default Span is "nowhere" (a command-line flag, a compiler-made value).
struct Span {
  FileId file = kNoFile;
  std::uint32_t line = 0, column = 0, end_line = 0, end_column = 0;

  bool valid() const { return file != kNoFile; }
  // The smallest span that covers both (same file); an invalid span is neutral.
  Span to(const Span& end) const;
  bool operator==(const Span&) const = default;
  auto operator<=>(const Span&) const = default;
};

// Owns the text of every file that a diagnostic may quote.
class SourceMap {
 public:
  struct File {
    std::string path;  // as the user named it; "<stdin>" for `-`, "prelude/NAME.bp" for the prelude
    std::string text;
    bool is_prelude = false;
  };

  FileId add(std::string path, std::string text, bool is_prelude = false);
  std::size_t size() const { return files_.size(); }
  const File& file(FileId id) const { return files_[id]; }
  // Whether the place is in the library, which is nobody's business: messages speak of the author's places.
  bool is_in_prelude(const Span& span) const { return span.valid() && files_[span.file].is_prelude; }
  // The author's place of what stands at `span`, inlined through these calls, innermost first: where the library stands, the call of it.
  Span authors_place(const Span& span, std::span<const Span> calls) const {
    const auto call = std::find_if(calls.begin(), calls.end(), [&](const Span& each) { return !is_in_prelude(each); });
    return !is_in_prelude(span) ? span : call == calls.end() ? Span{} : *call;
  }
  // Line `line` (from 1) without its newline; empty when there is no such line.
  std::string_view line_text(FileId id, std::uint32_t line) const;
  // The text a span covers; empty for an invalid span.
  std::string text(const Span& span) const;

 private:
  std::vector<File> files_;
  std::vector<std::vector<std::uint32_t>> line_starts_;
};

// Bytes of the code point that starts at text[at] (1 for a stray byte), for walking UTF-8.
std::size_t code_point_length(std::string_view text, std::size_t at);
// Number of code points in a UTF-8 text.
std::size_t code_point_count(std::string_view text);

}  // namespace bpc
