#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "BpLexer.h"
#include "frontend/syntax/parse_classes.h"
#include "frontend/syntax/parse_tokens.h"

namespace bpc::frontend {

namespace {

using grammar::BpLexer;
constexpr std::size_t kEnd = antlr4::Token::EOF;

bool one_of(std::size_t kind, std::initializer_list<std::size_t> kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

// After these a newline does not end the statement.
bool continues(std::size_t kind) {
  return is_operator(kind) || one_of(kind, {BpLexer::COMMA, BpLexer::ARROW, BpLexer::IN, BpLexer::IF, BpLexer::ELSE});
}

std::size_t skip_newlines(const std::vector<Token>& tokens, std::size_t at) {
  while (tokens[at].kind == BpLexer::NEWLINE) ++at;
  return at;
}

// Whether a statement, and nothing that continues one, begins at `at`. With `assignments`, `NAME =` counts.
bool looks_like_statement(const std::vector<Token>& tokens, std::size_t at, bool assignments) {
  std::size_t kind = tokens[at].kind;
  if (one_of(kind, {BpLexer::RBRACE, kEnd})) return true;
  if (!is_name(kind)) return starts_statement(kind) && !starts_expression(kind);
  std::size_t next = tokens[at + 1].kind;
  return (is_soft_word(kind) && (is_name(next) || next == BpLexer::STRING)) || (assignments && is_assignment(next));
}

// Whether each `}` closes a `{`, and each is closed.
bool braces_balance(const std::vector<Token>& tokens) {
  std::size_t depth = 0;
  for (const Token& token : tokens) {
    if (token.kind == BpLexer::RBRACE && depth-- == 0) return false;
    if (token.kind == BpLexer::LBRACE) ++depth;
  }
  return depth == 0;
}

// ---- brackets ----

class Brackets {
 public:
  Brackets(std::vector<Token>& tokens, Diagnostics& diagnostics)
      : tokens_(tokens), diagnostics_(diagnostics), by_indentation_(!braces_balance(tokens)) {}

  // Balances the brackets; false when they nest too deeply, or so many are wrong that the rest says nothing.
  bool match() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (reported_ > kMaxSyntaxErrors) return false;
      std::size_t kind = tokens_[i].kind;
      // A block's brace, the file's end, or a declaration inside ( or [ shows that the bracket is unclosed.
      if (in_parentheses() && (one_of(kind, {BpLexer::LBRACE, BpLexer::RBRACE, kEnd}) || starts_declaration(i))) {
        i = close_unclosed(i) - 1;
        continue;
      }
      if (by_indentation_ && starts_line(i) && ends_block(i)) {
        report_unclosed(open_.back());
        insert(i, {BpLexer::RBRACE, tokens_[i].span, "}"});
        open_.pop_back();
        continue;
      }
      if (is_opener(kind)) {
        open_.push_back(i);
        if (open_.size() > kMaxNesting) {
          diagnostics_.error(Code::E0107, tokens_[i].span, fmt::format("brackets nest more than {} deep here", kMaxNesting))
              .with_help("bind inner parts to names of their own");
          return false;
        }
      } else if (is_closer(kind)) {
        close(i);
      } else if (kind == BpLexer::EOS && in_parentheses()) {
        if (!is_head_of_loop())
          report(Code::E0101, tokens_[i].span, "found `;` inside brackets")
              .with_help("the rows of a matrix are written `[[1, 2], [3, 4]]`");
        tokens_[i].kind = BpLexer::COMMA;
      } else if (kind == kEnd) {
        close_blocks(i);
        break;
      }
    }
    std::erase_if(tokens_, [](const Token& token) { return token.kind == kDropped; });
    return true;
  }

 private:
  static constexpr std::size_t kDropped = 0;  // ANTLR's kinds start at 1

  bool in_parentheses() const { return !open_.empty() && tokens_[open_.back()].kind != BpLexer::LBRACE; }

  // `for (i = 0; i < n; i++)`, of which the parser says what to write.
  bool is_head_of_loop() const { return open_.back() > 0 && tokens_[open_.back() - 1].kind == BpLexer::FOR; }

  bool starts_declaration(std::size_t at) const {
    return at > 0 && tokens_[at - 1].kind == BpLexer::NEWLINE && is_name(tokens_[at].kind) && looks_like_statement(tokens_, at, false);
  }

  Diagnostic& report(Code code, Span span, std::string message) {
    ++reported_;
    return diagnostics_.error(code, span, std::move(message));
  }

  // ---- indentation, which shows where a brace is missing or one too many is, if any are ----

  bool starts_line(std::size_t at) const { return at == 0 || tokens_[at - 1].kind == BpLexer::NEWLINE; }
  std::size_t line_start(std::size_t at) const {
    while (!starts_line(at)) --at;
    return at;
  }
  std::uint32_t indentation(std::size_t at) const { return tokens_[line_start(at)].span.column; }

  // Whether we are in a block that is indented more than its head, which is indented so much.
  std::optional<std::uint32_t> head_of_block() const {
    if (open_.empty() || in_parentheses()) return std::nullopt;
    const std::uint32_t head = indentation(open_.back());
    const std::size_t first = skip_newlines(tokens_, open_.back() + 1);
    return first == open_.back() + 1 || tokens_[first].span.column > head ? std::optional(head) : std::nullopt;
  }

  // Whether the line that starts here is not indented more than the head of the block that we are in.
  bool ends_block(std::size_t at) const {
    const auto head = head_of_block();
    const std::uint32_t column = tokens_[at].span.column;
    if (!head || tokens_[at].kind == kEnd) return false;
    if (tokens_[at].kind == BpLexer::RBRACE) return column < *head && open_.size() > 1;
    std::size_t last = at;
    while (last > 0 && tokens_[last - 1].kind == BpLexer::NEWLINE) --last;
    return column <= *head && tokens_[at].kind != BpLexer::LBRACE && !continues(tokens_[last - 1].kind);
  }

  bool is_stray(std::size_t at) const {
    const auto head = tokens_[at].kind == BpLexer::RBRACE && by_indentation_ && starts_line(at) ? head_of_block() : std::nullopt;
    return head && tokens_[at].span.column > *head;
  }

  // Whether the stray `}` at `at` seems to close the block of a line that lacks its `{`, of which the parser speaks.
  bool closes_headless(std::size_t at) const {
    std::size_t line = line_start(at);
    auto is_inside = [&] { return tokens_[line].kind == BpLexer::NEWLINE || tokens_[line].span.column > tokens_[at].span.column; };
    while (line > 0 && (line == at || is_inside())) line = line_start(line - 1);
    const std::size_t word = tokens_[line].kind;
    if (!one_of(word, {BpLexer::FOR, BpLexer::WHILE, BpLexer::IF, BpLexer::ELSE, BpLexer::FN})) return false;
    for (; line != at && tokens_[line].kind != BpLexer::NEWLINE; ++line)
      if (tokens_[line].kind == BpLexer::LBRACE || (word == BpLexer::FN && tokens_[line].kind == BpLexer::ASSIGN)) return false;
    return true;
  }

  void report_unclosed(std::size_t opener) {
    report(Code::E0102, tokens_[opener].span, fmt::format("this `{}` is never closed", tokens_[opener].text));
  }

  void close(std::size_t at) {
    const Token token = tokens_[at];
    if (token.kind == BpLexer::RBRACE && (open_.empty() || is_stray(at)) && closes_headless(at)) {
      tokens_[at].kind = kDropped;
      return;
    }
    if (open_.empty() || (token.kind != BpLexer::RBRACE && !in_parentheses()) || is_stray(at)) {
      report(Code::E0101, token.span, fmt::format("found `{}` without a `{}` before it", token.text, spelling(partner_of(token.kind))));
      tokens_[at].kind = kDropped;
      return;
    }
    const Token& opener = tokens_[open_.back()];
    const std::size_t wanted = partner_of(opener.kind);
    if (wanted != token.kind) {
      if (is_open(partner_of(token.kind))) {  // it closes a bracket further out; the one inside is unclosed
        report_unclosed(open_.back());
        insert(at, {wanted, token.span, spelling(wanted)});
      } else {
        report(Code::E0102, opener.span, fmt::format("this `{}` is closed by `{}`", opener.text, token.text))
            .label(opener.span, "")
            .label(token.span, fmt::format("should be `{}`", spelling(wanted)));
        tokens_[at].kind = wanted;
        tokens_[at].text = spelling(wanted);
      }
    }
    open_.pop_back();
  }

  // Whether a bracket of this kind is open in the statement at hand.
  bool is_open(std::size_t kind) const {
    for (auto i = open_.rbegin(); i != open_.rend() && tokens_[*i].kind != BpLexer::LBRACE; ++i)
      if (tokens_[*i].kind == kind) return true;
    return false;
  }

  void insert(std::size_t at, Token token) { tokens_.insert(tokens_.begin() + static_cast<std::ptrdiff_t>(at), std::move(token)); }

  // The outermost open ( or [ of the statement is never closed, as the token `found` shows. Closes it and what is open inside it at the end
  // of the first line after which the text is no longer indented more than the statement. Returns where to go on.
  std::size_t close_unclosed(std::size_t found) {
    std::size_t first = open_.size();
    while (first > 0 && tokens_[open_[first - 1]].kind != BpLexer::LBRACE) --first;
    const std::size_t opener = open_[first];
    std::size_t begin = opener;
    while (begin > 0 && !one_of(tokens_[begin - 1].kind, {BpLexer::NEWLINE, BpLexer::EOS, BpLexer::LBRACE})) --begin;
    std::size_t end = opener + 1;
    for (; end < found; ++end) {
      if (tokens_[end].kind == BpLexer::EOS) break;
      if (tokens_[end].kind != BpLexer::NEWLINE) continue;
      const Token& next = tokens_[skip_newlines(tokens_, end)];
      if (next.span.column <= tokens_[begin].span.column && !is_closer(next.kind)) break;
    }
    if (end == found)
      while (tokens_[end - 1].kind == BpLexer::NEWLINE) --end;

    // What was matched inside stays matched; what is open at `end` is closed there.
    std::vector<std::size_t> inside{opener};
    for (std::size_t i = opener + 1; i < end; ++i) {
      if (is_opener(tokens_[i].kind)) inside.push_back(i);
      if (is_closer(tokens_[i].kind)) inside.pop_back();
    }
    open_.resize(first);
    Diagnostic& error = report(Code::E0102, tokens_[opener].span, fmt::format("this `{}` is never closed", tokens_[opener].text));
    if (inside.size() > 1) error.label(tokens_[opener].span, "").label(tokens_[inside.back()].span, "nor is this one");
    const Span at = tokens_[end].span;
    for (std::size_t i : inside) {  // the innermost comes to stand first
      std::size_t kind = partner_of(tokens_[i].kind);
      insert(end, {kind, at, spelling(kind)});
    }
    return end + inside.size();
  }

  void close_blocks(std::size_t end) {
    for (std::size_t opener : open_) report_unclosed(opener);
    Token closer{BpLexer::RBRACE, tokens_[end].span, "}"};
    tokens_.insert(tokens_.begin() + static_cast<std::ptrdiff_t>(end), open_.size(), closer);
  }

  std::vector<Token>& tokens_;
  Diagnostics& diagnostics_;
  const bool by_indentation_;
  std::vector<std::size_t> open_;  // indices of open brackets
  std::size_t reported_ = 0;
};

// ---- statement ends and soft keywords ----

class Layout {
 public:
  explicit Layout(std::vector<Token> tokens) : in_(std::move(tokens)) { out_.reserve(in_.size() + in_.size() / 8 + 8); }

  std::vector<Token> run() {
    for (std::size_t i = 0;; ++i) {
      Token& token = in_[i];
      if (token.kind == kEnd) break;
      if (token.kind == BpLexer::NEWLINE) {
        if (depth_ == 0 && !at_start() && !joins(i)) end_statement(token.span, "\n");
        continue;
      }
      if (token.kind == BpLexer::EOS) {
        if (depth_ > 0 || !at_start()) out_.push_back(std::move(token));
        continue;
      }
      if (token.kind == BpLexer::RBRACE) {
        if (!at_start()) end_statement(token.span, "}");
        const Span at = token.span;
        out_.push_back(std::move(token));
        if (in_[skip_newlines(in_, i + 1)].kind != BpLexer::ELSE)
          end_statement({at.file, at.line, at.end_column, at.line, at.end_column + 1}, "\n");
        continue;
      }
      depth_ += nesting(token.kind);
      if (nesting(token.kind) < 0 && out_.size() > 1 && out_.back().kind == BpLexer::COMMA && ends_expression(out_[out_.size() - 2].kind))
        out_.pop_back();
      if (is_soft_word(token.kind) && !is_keyword(i)) token.kind = BpLexer::NAME;
      out_.push_back(std::move(token));
    }
    if (!at_start()) end_statement(in_.back().span, "");
    out_.push_back(std::move(in_.back()));
    return std::move(out_);
  }

 private:
  // Nothing of a statement has been seen yet.
  bool at_start() const { return out_.empty() || one_of(out_.back().kind, {BpLexer::EOS, BpLexer::LBRACE}); }

  void end_statement(Span at, std::string text) { out_.push_back({BpLexer::EOS, at, std::move(text)}); }

  // Whether the lines before and after the newline at `at` are one statement.
  bool joins(std::size_t at) const {
    std::size_t next = skip_newlines(in_, at);
    if (one_of(in_[next].kind, {BpLexer::LBRACE, BpLexer::ELSE})) return true;
    std::size_t last = out_.back().kind;
    return continues(last) && !looks_like_statement(in_, next, last != BpLexer::COMMA);
  }

  bool is_in_input() const {
    for (auto token = out_.rbegin(); token != out_.rend() && !one_of(token->kind, {BpLexer::EOS, BpLexer::LBRACE}); ++token)
      if (token->kind == BpLexer::INPUT) return true;
    return false;
  }

  // Whether the soft word at `at` is a keyword there.
  bool is_keyword(std::size_t at) const {
    const std::size_t kind = in_[at].kind, next = in_[at + 1].kind;
    const std::size_t last = out_.empty() ? 0 : out_.back().kind;
    if (kind == BpLexer::FROM) return next == BpLexer::STRING && ends_expression(last);
    if (kind == BpLexer::OF) return one_of(last, {BpLexer::RBRACKET, BpLexer::NAME}) && starts_expression(next) && is_in_input();
    if (kind == BpLexer::BY)
      return (is_name(next) || starts_expression(next)) && (ends_expression(last) || (last == BpLexer::RANGE && next != BpLexer::BY));
    if (!at_start()) return kind == BpLexer::FN && next == BpLexer::LPAREN && in_[after_bracket(at + 1)].kind == BpLexer::ASSIGN;
    if (kind == BpLexer::REAL) return in_[at + 1].text == "f64" || in_[at + 1].text == "f32";
    if (kind == BpLexer::LOSS && next == BpLexer::ASSIGN) return true;
    if (is_assignment(next) || one_of(next, {BpLexer::COMMA, BpLexer::COLON})) return false;
    if (kind == BpLexer::TRAIN) return next == BpLexer::LBRACE || next == BpLexer::NEWLINE || is_name(next);
    if (one_of(kind, {BpLexer::PRINT, BpLexer::ASSERT, BpLexer::SEED}) &&
        one_of(next, {BpLexer::LPAREN, BpLexer::LBRACKET, BpLexer::MINUS}))
      return next != BpLexer::LBRACKET || !is_assignment(in_[after_bracket(at + 1)].kind);
    return !one_of(next, {BpLexer::LPAREN, BpLexer::LBRACKET, BpLexer::DOT, BpLexer::RANGE}) && !is_infix(next);
  }

  // The token after the closing bracket that belongs to the opening one at `at`.
  std::size_t after_bracket(std::size_t at) const {
    std::size_t depth = 0;
    do {
      if (is_opener(in_[at].kind)) ++depth;
      if (is_closer(in_[at].kind)) --depth;
      ++at;
    } while (depth > 0);
    return at;
  }

  std::vector<Token> in_, out_;
  int depth_ = 0;  // of ( and [
};

}  // namespace

std::optional<std::vector<Token>> lay_out(std::vector<Token> tokens, Diagnostics& diagnostics) {
  if (!Brackets(tokens, diagnostics).match()) return std::nullopt;
  return Layout(std::move(tokens)).run();
}

}  // namespace bpc::frontend
