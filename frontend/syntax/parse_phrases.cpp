// A pattern is a list of elements, separated by spaces, or by `~` where no space may stand between the tokens:
//   ^ at the beginning, $ at the end   the statement begins, ends there
//   NAME STRING                        such a token
//   FUNC                               the name of a function, built in or declared in the file
//   NUMBER, OPERAND                    a number; a name or a number
//   TYPE                               a name or a list of sizes
//   LIST                               operands, at least two
//   EXPR                               tokens that look like one expression, brackets balanced
//   RANGE                              the same, or one with `..` and `by`
//   ANY                                tokens or none, brackets balanced
//   open(                              a parenthesis that is not a call's
//   a|b                                one of these
//   otherwise                          the token that is written so
// NAME to ANY and alternatives are captured, in order.
#include "frontend/syntax/parse_phrases.h"

#include <fmt/format.h>

#include <algorithm>

#include "BpLexer.h"
#include "frontend/builtins/builtins.h"
#include "frontend/syntax/foreign.h"
#include "frontend/syntax/parse_classes.h"

namespace bpc::frontend {

namespace {

using grammar::BpLexer;

struct Row {
  std::string_view pattern, message, help;
};

constexpr Row kRows[] = {
#define BPC_WORD(place, words, help)
#define BPC_CALL(calls, help)
#define BPC_PHRASE(pattern, message, help) {pattern, message, help},
#include "frontend/syntax/foreign.def"
#undef BPC_PHRASE
#undef BPC_CALL
#undef BPC_WORD
};

// Longer statements are looked at in part: matching tries many lengths.
constexpr std::size_t kFarthest = 60;  // tokens on either side

struct Element {
  std::string_view text;
  bool glued = false;
};

std::vector<Element> elements(std::string_view pattern) {
  std::vector<Element> result;
  bool glued = false;
  while (!pattern.empty()) {
    // A tilde between two elements glues; one that stands alone is a token.
    std::size_t end = std::min(pattern.find(' '), pattern.size());
    if (std::size_t tilde = pattern.find('~'); tilde < end && end > 1) end = tilde;
    result.push_back({pattern.substr(0, end), glued});
    glued = end < pattern.size() && pattern[end] == '~';
    pattern.remove_prefix(std::min(end + 1, pattern.size()));
  }
  return result;
}

class Matcher {
 public:
  explicit Matcher(const std::vector<Token>& tokens, std::size_t begin, std::size_t end) : tokens_(tokens), begin_(begin), end_(end) {}

  struct Piece {
    std::size_t first, last;  // one past
  };

  // Whether the elements match at `at`; then `end()` and `pieces()` say what.
  bool match(const std::vector<Element>& elements, std::size_t at) {
    elements_ = &elements;
    pieces_.clear();
    return rest(0, at);
  }
  std::size_t end() const { return matched_; }
  const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  bool rest(std::size_t element, std::size_t at) {
    if (element == elements_->size()) {
      matched_ = at;
      return true;
    }
    const auto& [text, glued] = (*elements_)[element];
    if (text == "^" && element == 0) return at == begin_ && rest(1, at);
    if (text == "$" && element + 1 == elements_->size()) return (at == end_ || tokens_[at].kind == BpLexer::EOS) && rest(element + 1, at);
    if (glued && (at == begin_ || !touch(tokens_[at - 1], tokens_[std::min(at, end_ - 1)]))) return false;
    if (text == "EXPR" || text == "RANGE" || text == "ANY" || text == "LIST") return run(element, at);
    if (at >= end_ || !single(text, at)) return false;
    const bool keeps = text == "NAME" || text == "STRING" || text == "FUNC" || text == "NUMBER" || text == "OPERAND" || text == "TYPE" ||
                       has_choices(text);
    if (!keeps) return rest(element + 1, at + 1);
    pieces_.push_back({at, at + 1});
    if (rest(element + 1, at + 1)) return true;
    pieces_.pop_back();
    return false;
  }

  // As few tokens as possible; at the end of the pattern, as many.
  bool run(std::size_t element, std::size_t at) {
    const std::string_view text = (*elements_)[element].text;
    std::vector<std::size_t> ends;
    if (text == "ANY") ends.push_back(at);
    const bool expression = text == "EXPR" || text == "RANGE";
    int depth = 0;
    bool ended = false;  // an operand, before which an operator must stand
    for (std::size_t i = at; i < end_; ++i) {
      const std::size_t kind = tokens_[i].kind;
      if (kind == BpLexer::EOS || kind == BpLexer::LBRACE || kind == BpLexer::RBRACE) break;
      depth += std::min(nesting(kind), 0);
      if (depth < 0 || (text == "LIST" && !is_operand(i))) break;
      if (expression && depth == 0 && !continues_expression(tokens_[i], ended, text == "RANGE")) break;
      depth += std::max(nesting(kind), 0);
      ended = ends_expression(kind);
      if (depth == 0 && (!expression || ended) && (text != "LIST" || i > at)) ends.push_back(i + 1);
    }
    if (element + 1 == elements_->size() || text == "LIST") std::reverse(ends.begin(), ends.end());
    for (std::size_t end : ends) {
      pieces_.push_back({at, end});
      if (rest(element + 1, end)) return true;
      pieces_.pop_back();
    }
    return false;
  }

  static bool has_choices(std::string_view text) { return text != "||" && text.size() > 1 && text.find('|') != std::string_view::npos; }

  static bool touch(const Token& a, const Token& b) { return a.span.end_line == b.span.line && a.span.end_column == b.span.column; }

  bool is_operand(std::size_t at) const { return tokens_[at].kind == BpLexer::NAME || tokens_[at].kind == BpLexer::NUMBER; }

  // Whether the token, outside brackets, can go on an expression, which so far ends in an operand or does not.
  static bool continues_expression(const Token& token, bool ended, bool range) {
    if (is_atom(token.kind) || token.kind == BpLexer::NOT) return !ended;
    if (nesting(token.kind) != 0 || token.kind == BpLexer::MINUS) return true;
    switch (token.kind) {
      case BpLexer::RANGE:
      case BpLexer::BY:
        return ended && range;
      case BpLexer::DOT:
      case BpLexer::IF:
      case BpLexer::ELSE:
      case BpLexer::AND:
      case BpLexer::OR:
        return ended;
      default:
        return ended && is_infix(token.kind);
    }
  }

  bool is_declared(const std::string& function) const {
    for (std::size_t i = 1; i < tokens_.size(); ++i)
      if (tokens_[i - 1].kind == BpLexer::FN && tokens_[i].text == function) return true;
    return false;
  }

  bool single(std::string_view text, std::size_t at) const {
    const Token& token = tokens_[at];
    if (text == "NAME") return token.kind == BpLexer::NAME;
    if (text == "STRING") return token.kind == BpLexer::STRING;
    if (text == "NUMBER") return token.kind == BpLexer::NUMBER;
    if (text == "OPERAND") return is_operand(at);
    if (text == "TYPE") return token.kind == BpLexer::NAME;
    if (text == "FUNC") return token.kind == BpLexer::NAME && (is_builtin_function(token.text) || is_declared(token.text));
    if (text == "open(") {
      const bool called = at > begin_ && (tokens_[at - 1].kind == BpLexer::NAME || nesting(tokens_[at - 1].kind) < 0);
      return token.kind == BpLexer::LPAREN && !called;
    }
    if (!has_choices(text)) return token.text == text;
    while (!text.empty()) {
      const std::string_view one = text.substr(0, text.find('|'));
      if (token.text == one) return true;
      text.remove_prefix(std::min(text.size(), one.size() + 1));
    }
    return false;
  }

  const std::vector<Token>& tokens_;
  std::size_t begin_, end_;  // of the statement
  const std::vector<Element>* elements_ = nullptr;
  std::vector<Piece> pieces_;
  std::size_t matched_ = 0;
};

// A name, a number, a group in brackets, or a call or an index.
bool is_operand(const std::vector<Token>& tokens, std::size_t first, std::size_t last) {
  int depth = 0;
  for (std::size_t i = first; i < last; ++i) {
    const int step = nesting(tokens[i].kind);
    if (depth == 0 && i > first && step <= 0) return false;
    depth += step;
  }
  return last > first;
}

Captured captured(const std::vector<Token>& tokens, const Matcher::Piece& piece, bool list) {
  if (!list)
    return {piece.last > piece.first ? written(tokens, piece.first, piece.last - 1) : "", is_operand(tokens, piece.first, piece.last)};
  std::string text;
  for (std::size_t i = piece.first; i < piece.last; ++i) text += (text.empty() ? "" : ", ") + tokens[i].text;
  return {text, false};
}

}  // namespace

std::string written(const std::vector<Token>& tokens, std::size_t first, std::size_t last) {
  std::string text;
  for (std::size_t i = first; i <= last; ++i) {
    const bool apart =
        i > first && (tokens[i].span.line != tokens[i - 1].span.end_line || tokens[i].span.column > tokens[i - 1].span.end_column);
    text += (apart ? " " : "") + tokens[i].text;
  }
  return text;
}

std::optional<Phrase> find_phrase(const std::vector<Token>& tokens, std::size_t at, PhraseKind kind) {
  std::size_t begin = at, end = at;
  auto separates = [&](std::size_t i) {
    return tokens[i].kind == BpLexer::EOS || tokens[i].kind == BpLexer::LBRACE || tokens[i].kind == BpLexer::RBRACE;
  };
  while (begin > 0 && !separates(begin - 1) && at - begin < kFarthest) --begin;
  while (end + 1 < tokens.size() && !separates(end) && end - at < kFarthest) ++end;
  ++end;  // the separator belongs to it: `for … {`
  Matcher matcher(tokens, begin, end);
  for (std::size_t start = begin; start < end; ++start)
    for (const Row& row : kRows) {
      if (row.pattern.starts_with("^ ") != (kind == PhraseKind::statement)) continue;
      const std::vector<Element> pattern = elements(row.pattern);
      if (!matcher.match(pattern, start) || start > at || matcher.end() < at) continue;
      std::vector<Captured> texts;
      for (const Matcher::Piece& piece : matcher.pieces())
        texts.push_back(captured(tokens, piece, row.pattern.find("LIST") != std::string_view::npos));
      const std::size_t last = std::max(start, matcher.end() - 1);
      Span span = tokens[start].span.line == tokens[last].span.line ? tokens[start].span.to(tokens[last].span) : tokens[at].span;
      return Phrase{span, fill(row.message, texts), fill_help(row.help, texts)};
    }
  return std::nullopt;
}

}  // namespace bpc::frontend
