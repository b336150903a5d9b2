#include "support/diagnostics.h"

#include <algorithm>
#include <cctype>
#include <tuple>
#include <utility>

namespace bpc {

const std::vector<CodeInfo>& all_codes() {
  static const std::vector<CodeInfo> codes{
#define BPC_CODE(code, title, meaning) {Code::code, #code, title, meaning},
#include "support/error_codes.def"
#undef BPC_CODE
  };
  return codes;
}

const CodeInfo& code_info(Code code) {
  return all_codes()[static_cast<std::size_t>(code)];
}

Diagnostic& Diagnostic::label(Span at, std::string text) {
  labels.push_back({at, std::move(text)});
  return *this;
}

Diagnostic& Diagnostic::with_help(std::string text) {
  help = std::move(text);
  return *this;
}

Diagnostic& Diagnostic::note(std::string text) {
  notes.push_back(std::move(text));
  return *this;
}

Diagnostic& Diagnostics::error(Code code, Span span, std::string message) {
  return list_.emplace_back(Diagnostic{Severity::error, code, span, std::move(message), {}, {}, {}});
}

Diagnostic& Diagnostics::warning(Code code, Span span, std::string message) {
  return list_.emplace_back(Diagnostic{Severity::warning, code, span, std::move(message), {}, {}, {}});
}

bool Diagnostics::has_errors() const {
  return std::any_of(list_.begin(), list_.end(), [](const Diagnostic& each) { return each.severity == Severity::error; });
}

std::size_t Diagnostics::error_count() const {
  return static_cast<std::size_t>(
      std::count_if(list_.begin(), list_.end(), [](const Diagnostic& each) { return each.severity == Severity::error; }));
}

void Diagnostics::sort(const std::vector<FileId>& files) {
  auto place = [&](const Diagnostic& each) {
    return std::tuple(std::ranges::find(files, each.span.file) - files.begin(), each.span.line, each.span.column);
  };
  std::stable_sort(list_.begin(), list_.end(), [&](const Diagnostic& a, const Diagnostic& b) { return place(a) < place(b); });
}

namespace {

std::vector<std::string_view> code_points(std::string_view text) {
  std::vector<std::string_view> result;
  for (std::size_t at = 0; at < text.size(); at += result.back().size()) result.push_back(text.substr(at, code_point_length(text, at)));
  return result;
}

// Insertions, deletions, replacements and swaps of neighbours that turn a into b (optimal string alignment).
std::size_t edit_distance(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b) {
  std::vector<std::size_t> before, last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before = std::exchange(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

bool equal_but_for_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string closest_match(std::string_view name, const std::vector<std::string>& candidates, std::size_t limit) {
  constexpr std::size_t kLongestName = 64;  // bytes; nobody mistypes a longer one by a letter, and the distance takes the square of it
  if (name.size() > kLongestName) return {};
  const auto wanted = code_points(name);
  limit = std::max(limit, wanted.size() / 3);
  std::size_t best = limit + 1;
  std::string result;
  for (const std::string& candidate : candidates) {
    if (candidate == name || candidate.size() > 2 * kLongestName) continue;
    if (equal_but_for_case(name, candidate)) return candidate;
    const auto offered = code_points(candidate);
    if (offered.size() >= wanted.size() + best || wanted.size() >= offered.size() + best) continue;
    std::size_t distance = edit_distance(wanted, offered);
    if (distance > 0 && distance < best) {
      best = distance;
      result = candidate;
    }
  }
  return result;
}

}  // namespace bpc
