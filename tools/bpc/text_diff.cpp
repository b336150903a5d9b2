#include "tools/bpc/text_diff.h"

namespace bpc::tool {

namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

struct Edit {
  char mark;  // ' ', '-' or '+'
  std::string_view line;
};

// The longest common subsequence by dynamic programming, after equal ends are cut off: a formatter changes little.
std::vector<Edit> edit_script(std::span<const std::string_view> a, std::span<const std::string_view> b) {
  std::vector<Edit> edits;
  std::size_t tail = 0;
  while (!a.empty() && !b.empty() && a.front() == b.front()) {
    edits.push_back({' ', a.front()});
    a = a.subspan(1);
    b = b.subspan(1);
  }
  while (tail < a.size() && tail < b.size() && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  std::size_t rows = a.size() - tail, columns = b.size() - tail;
  // common[i][j]: length of the longest common subsequence of a[i..rows) and b[j..columns).
  std::vector<std::vector<std::uint32_t>> common(rows + 1, std::vector<std::uint32_t>(columns + 1, 0));
  for (std::size_t i = rows; i-- > 0;)
    for (std::size_t j = columns; j-- > 0;)
      common[i][j] = a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
  std::size_t i = 0, j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && a[i] == b[j]) {
      edits.push_back({' ', a[i]});
      ++i, ++j;
    } else if (j == columns || (i < rows && common[i + 1][j] >= common[i][j + 1])) {
      edits.push_back({'-', a[i++]});
    } else {
      edits.push_back({'+', b[j++]});
    }
  }
  for (; i < a.size(); ++i) edits.push_back({' ', a[i]});
  return edits;
}

}  // namespace

std::string unified_diff(std::string_view path, std::string_view before, std::string_view after) {
  if (before == after) return {};
  constexpr std::size_t kContext = 3;
  std::vector<std::string_view> a = lines_of(before), b = lines_of(after);
  std::vector<Edit> edits = edit_script(a, b);
  std::string text = fmt::format("--- {}\n+++ {}\n", path, path);
  std::size_t line_a = 1, line_b = 1;  // of edits[at]
  for (std::size_t at = 0; at < edits.size();) {
    std::size_t change = at;
    while (change < edits.size() && edits[change].mark == ' ') ++change;
    if (change == edits.size()) break;
    std::size_t begin = change - std::min(change - at, kContext);
    line_a += begin - at;
    line_b += begin - at;
    std::size_t end = change, quiet = 0;  // `quiet` unchanged lines since the last change
    for (; end < edits.size() && quiet <= 2 * kContext; ++end) quiet = edits[end].mark == ' ' ? quiet + 1 : 0;
    end -= quiet > kContext ? quiet - kContext : 0;
    std::string hunk;
    std::size_t count_a = 0, count_b = 0;
    for (std::size_t i = begin; i < end; ++i) {
      hunk += fmt::format("{}{}\n", edits[i].mark, edits[i].line);
      count_a += edits[i].mark != '+';
      count_b += edits[i].mark != '-';
    }
    text += fmt::format("@@ -{},{} +{},{} @@\n{}", line_a, count_a, line_b, count_b, hunk);
    line_a += count_a;
    line_b += count_b;
    at = end;
  }
  return text;
}

}  // namespace bpc::tool
