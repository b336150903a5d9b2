#include "ir/scanner.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <limits>

namespace bpc::ir {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

// ---- failures ----

void Scanner::fail_at(std::size_t position, const std::string& message) {
  if (!failed_) diagnostics_.error(Code::E0508, span_at(position), message);
  failed_ = true;
  at_ = text_.size();
}

void Scanner::fail(const std::string& message) {
  fail_at(position(), message);
}

Span Scanner::span_at(std::size_t position) const {
  std::string_view before = text_.substr(0, position);
  std::size_t newline = before.rfind('\n');
  auto line = static_cast<std::uint32_t>(1 + std::count(before.begin(), before.end(), '\n'));
  auto column = static_cast<std::uint32_t>(1 + code_point_count(before.substr(newline == std::string_view::npos ? 0 : newline + 1)));
  return {file_, line, column, line, column + 1};
}

// ---- blanks and marks ----

std::size_t Scanner::position() {
  if (at_ != blanks_end_) blanks_ = at_;
  for (; at_ < text_.size(); ++at_) {
    char c = text_[at_];
    if (c == '#' || text_.substr(at_, 2) == "//")
      at_ = std::min(text_.find('\n', at_), text_.size() - 1);
    else if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
      break;
  }
  return blanks_end_ = at_;
}

bool Scanner::more_on_line() {
  std::size_t end = position();
  return end < text_.size() && text_.substr(blanks_, end - blanks_).find('\n') == std::string_view::npos;
}

void Scanner::end_line() {
  if (more_on_line() && text_[at_] != '}') fail("one op a line: this is left over");
}

bool Scanner::accept(std::string_view mark) {
  if (!at(mark)) return false;
  at_ += mark.size();
  return true;
}

void Scanner::expect(std::string_view mark) {
  if (!accept(mark)) fail(fmt::format("`{}` should stand here", mark));
}

// ---- words ----

std::string_view Scanner::peek_word() {
  std::size_t start = position(), end = start;
  while (end < text_.size() && is_word_char(text_[end])) ++end;
  return text_.substr(start, end - start);
}

std::string_view Scanner::word() {
  std::string_view word = peek_word();
  at_ += word.size();
  return word;
}

bool Scanner::accept_word(std::string_view expected) {
  if (peek_word() != expected) return false;
  at_ += expected.size();
  return true;
}

void Scanner::expect_word(std::string_view expected) {
  if (!accept_word(expected)) fail(fmt::format("`{}` should stand here", expected));
}

// ---- numbers ----

AttrValue Scanner::number() {
  const char* start = text_.data() + position();
  const char* limit = text_.data() + text_.size();
  std::int64_t whole = 0;
  double value = 0;
  auto [whole_end, whole_problem] = std::from_chars(start, limit, whole);
  auto [end, problem] = std::from_chars(start, limit, value);
  if (problem != std::errc()) {
    fail("a number in range should stand here");
    return value;
  }
  at_ = static_cast<std::size_t>(end - text_.data());
  if (whole_problem == std::errc() && whole_end == end && !(whole == 0 && std::signbit(value))) return whole;
  return std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value;
}

double Scanner::real() {
  AttrValue value = number();
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  return std::get<double>(value);
}

// ---- strings and names ----

std::string Scanner::string() {
  expect("\"");
  std::string result;
  while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') {
    char c = text_[at_++];
    result += c == '\\' ? escape() : c;
  }
  if (at_ >= text_.size() || text_[at_] != '"') fail("a string ends on its line");
  if (!failed_) ++at_;
  return result;
}

char Scanner::escape() {
  char c = at_ < text_.size() ? text_[at_++] : '\0';
  if (c == '"' || c == '\\') return c;
  if (c == 'n') return '\n';
  if (c == 'r') return '\r';
  if (c == 't') return '\t';
  unsigned char code = 0;
  const char* digits = text_.data() + at_;
  if (c == 'x' && at_ + 2 <= text_.size() && std::from_chars(digits, digits + 2, code, 16).ptr == digits + 2) {
    at_ += 2;
    return static_cast<char>(code);
  }
  fail("this escape is none of \\\" \\\\ \\n \\r \\t \\xHH");
  return c;
}

void Scanner::skip_digits() {
  while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
}

std::string Scanner::value_text(std::string& name) {
  expect("%");
  std::size_t start = at_;
  if (at_ < text_.size() && text_[at_] == '"') {
    name = string();
    if (at_ + 1 < text_.size() && text_[at_] == '.' && is_digit(text_[at_ + 1])) {
      ++at_;
      skip_digits();
    }
  } else {
    while (at_ < text_.size() && (is_word_char(text_[at_]) || text_[at_] == '.')) ++at_;
    name = text_.substr(start, at_ - start);
    std::size_t last = name.find_last_not_of("0123456789");
    if (last == std::string::npos)
      name.clear();
    else if (name[last] == '.' && last + 1 < name.size())
      name.resize(last);
  }
  if (at_ == start) fail("a name should follow the `%`");
  return failed_ ? std::string() : std::string(text_.substr(start, at_ - start));
}

}  // namespace bpc::ir
