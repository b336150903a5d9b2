#include "support/source.h"

#include <algorithm>

namespace bpc {

Span Span::to(const Span& end) const {
  if (!valid()) return end;
  if (!end.valid() || end.file != file) return *this;
  Span joined = *this;
  if (std::pair(end.line, end.column) < std::pair(line, column)) {
    joined.line = end.line;
    joined.column = end.column;
  }
  if (std::pair(end.end_line, end.end_column) > std::pair(end_line, end_column)) {
    joined.end_line = end.end_line;
    joined.end_column = end.end_column;
  }
  return joined;
}

FileId SourceMap::add(std::string path, std::string text, bool is_prelude) {
  std::vector<std::uint32_t> starts{0};
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n') starts.push_back(static_cast<std::uint32_t>(i + 1));
  line_starts_.push_back(std::move(starts));
  files_.push_back({std::move(path), std::move(text), is_prelude});
  return static_cast<FileId>(files_.size() - 1);
}

std::string_view SourceMap::line_text(FileId id, std::uint32_t line) const {
  if (id >= files_.size() || line == 0 || line > line_starts_[id].size()) return {};
  std::string_view text = files_[id].text;
  std::size_t begin = line_starts_[id][line - 1];
  std::size_t end = std::min(text.find('\n', begin), text.size());
  if (end > begin && text[end - 1] == '\r') --end;
  return text.substr(begin, end - begin);
}

namespace {

// Byte offset in `line` of the code point with the 1-based column `column`.
std::size_t byte_of_column(std::string_view line, std::uint32_t column) {
  std::size_t at = 0;
  for (std::uint32_t c = 1; c < column && at < line.size(); ++c) at += code_point_length(line, at);
  return std::min(at, line.size());
}

}  // namespace

std::string SourceMap::text(const Span& span) const {
  std::string result;
  if (!span.valid() || span.file >= files_.size()) return result;
  for (std::uint32_t l = span.line; l <= span.end_line; ++l) {
    std::string_view line = line_text(span.file, l);
    std::size_t begin = l == span.line ? byte_of_column(line, span.column) : 0;
    std::size_t end = l == span.end_line ? byte_of_column(line, span.end_column) : line.size();
    if (l != span.line) result += '\n';
    if (end > begin) result += line.substr(begin, end - begin);
  }
  return result;
}

std::size_t code_point_length(std::string_view text, std::size_t at) {
  auto byte = static_cast<unsigned char>(text[at]);
  std::size_t length = byte < 0x80 ? 1 : byte >> 5 == 0x6 ? 2 : byte >> 4 == 0xe ? 3 : byte >> 3 == 0x1e ? 4 : 1;
  if (at + length > text.size()) return 1;
  for (std::size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return 1;
  return length;
}

std::size_t code_point_count(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += code_point_length(text, at)) ++count;
  return count;
}

}  // namespace bpc
