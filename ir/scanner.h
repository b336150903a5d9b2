// The characters of IR text.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "ir/op.h"
#include "support/diagnostics.h"

namespace bpc::ir {

// Skips blanks and comments; reads words, numbers, strings and names. The first failure (E0508) moves it to the end of the text, where
// nothing more is found: loops end by themselves, and callers ask `failed` before they use what they read.
class Scanner {
 public:
  Scanner(std::string_view text, FileId file, Diagnostics& diagnostics) : text_(text), file_(file), diagnostics_(diagnostics) {}

  bool failed() const { return failed_; }
  void fail_at(std::size_t position, const std::string& message);
  void fail(const std::string& message);  // where the next thing stands

  // Of the next character that is neither blank nor comment.
  std::size_t position();
  bool at_end() { return position() == text_.size(); }
  // Whether something else stands on the line of what was read last.
  bool more_on_line();
  // Ends a line: nothing else may stand on it but the bracket that closes the block.
  void end_line();

  bool at(std::string_view mark) { return text_.substr(position(), mark.size()) == mark; }
  bool accept(std::string_view mark);
  void expect(std::string_view mark);
  std::string_view peek_word();  // empty when there is none
  std::string_view word();
  bool accept_word(std::string_view expected);
  void expect_word(std::string_view expected);

  template <class T>
  T integer() {
    const char* start = text_.data() + position();
    T value = 0;
    auto [end, problem] = std::from_chars(start, text_.data() + text_.size(), value);
    if (problem != std::errc()) fail("an integer in range should stand here");
    if (!failed_) at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }
  AttrValue number();  // an integer if it looks like one and fits; -0 is a real
  double real();
  std::string string();
  // A value's text without the `%`, such as x.2, 7 or "a b"; `name` becomes what the author called it.
  std::string value_text(std::string& name);

 private:
  Span span_at(std::size_t position) const;
  char escape();
  void skip_digits();

  std::string_view text_;
  FileId file_;
  Diagnostics& diagnostics_;
  std::size_t at_ = 0;
  std::size_t blanks_ = 0, blanks_end_ = 0;  // the blanks skipped last
  bool failed_ = false;
};

}  // namespace bpc::ir
