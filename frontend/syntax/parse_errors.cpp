#include "frontend/syntax/parse_errors.h"

#include <fmt/format.h>

#include <cctype>
#include <utility>

#include "BpLexer.h"
#include "frontend/syntax/foreign.h"
#include "frontend/syntax/parse.h"
#include "frontend/syntax/parse_classes.h"
#include "frontend/syntax/parse_phrases.h"

namespace bpc::frontend {

namespace {

using grammar::BpParser;

std::string shown(const Token& token) {
  if (token.kind != BpParser::EOS || token.text == ";" || token.text == "}") return fmt::format("found `{}`", excerpt(token.text));
  return token.text.empty() ? "the script ends" : "the line ends";
}

class ErrorStrategy : public antlr4::DefaultErrorStrategy {
 public:
  ErrorStrategy(const std::vector<Token>& tokens, std::vector<Skipped>& skipped, Diagnostics& diagnostics)
      : tokens_(tokens), skipped_(skipped), diagnostics_(diagnostics) {}

  void reportError(antlr4::Parser* parser, const antlr4::RecognitionException&) override {
    if (inErrorRecoveryMode(parser)) return;
    beginErrorCondition(parser);
    report(parser);
  }

  // A statement ends at its EOS, also where it is broken. Rules inside it give up.
  void recover(antlr4::Parser* parser, std::exception_ptr error) override {
    antlr4::ParserRuleContext* context = parser->getContext();
    if (context->getRuleIndex() != BpParser::RuleStatement) std::rethrow_exception(error);
    std::ptrdiff_t depth = 0;
    const std::size_t begin = context->start->getTokenIndex();
    for (std::size_t i = begin; i < parser->getCurrentToken()->getTokenIndex(); ++i) depth += brace(tokens_[i].kind);
    skip_statement(parser, begin, depth);
    endErrorCondition(parser);
  }

  antlr4::Token* recoverInline(antlr4::Parser* parser) override { throw antlr4::InputMismatchException(parser); }

  // Between statements, skips what cannot start one.
  void sync(antlr4::Parser* parser) override {
    std::size_t rule = parser->getContext()->getRuleIndex();
    if (rule != BpParser::RuleFile && rule != BpParser::RuleBlock) return;
    for (;;) {
      std::size_t kind = parser->getCurrentToken()->getType();
      if (starts_statement(kind) || kind == BpParser::RBRACE || kind == antlr4::Token::EOF) return;
      const std::size_t at = parser->getCurrentToken()->getTokenIndex();
      const Token& found = tokens_[at];
      if (is_consequence(found) || says_phrase(at, PhraseKind::statement) || says_phrase(at, PhraseKind::part) || says_bad(found)) {
        skip_statement(parser, at, 0);
        continue;
      }
      Diagnostic& error = add(found.span, fmt::format("{} where a statement should start", shown(found)));
      if (is_operator(kind)) error.with_help("to continue a line, end it with the operator");
      skip_statement(parser, at, 0);
    }
  }

 private:
  static std::ptrdiff_t brace(std::size_t kind) { return kind == BpParser::LBRACE ? 1 : kind == BpParser::RBRACE ? -1 : 0; }

  // To the end of the statement that starts at `begin`, from the current token, which is `depth` braces deep in it.
  void skip_statement(antlr4::Parser* parser, std::size_t begin, std::ptrdiff_t depth) {
    for (bool ended = false; !ended;) {
      std::size_t kind = parser->getCurrentToken()->getType();
      depth += brace(kind);
      if (kind == antlr4::Token::EOF || depth < 0) break;
      parser->consume();
      ended = kind == BpParser::EOS && depth == 0;
    }
    skipped_.push_back({begin, parser->getCurrentToken()->getTokenIndex()});
  }

  void count() {
    if (++reported_ > kMaxSyntaxErrors) throw antlr4::ParseCancellationException();
  }
  Diagnostic& add(Span span, std::string message) { return add(Code::E0101, span, std::move(message)); }
  Diagnostic& add(Code code, Span span, std::string message) {
    count();
    return diagnostics_.error(code, span, std::move(message));
  }

  // An `else` after a head that was not understood.
  bool is_consequence(const Token& found) const {
    const bool goes_on = found.kind == BpParser::ELSE || found.text == "elif" || found.text == "elseif" || found.text == "elsif";
    return goes_on && reported_ > 0;
  }

  // What another language writes around the token `at`.
  bool says_phrase(std::size_t at, PhraseKind kind) {
    auto phrase = find_phrase(tokens_, at, kind);
    if (phrase) add(Code::E0111, phrase->span, phrase->message).with_help(phrase->help);
    return phrase.has_value();
  }

  bool says_bad(const Token& found) {
    if (found.kind != BpParser::BAD) return false;
    count();
    report_bad_character(found, diagnostics_);
    return true;
  }

  // A statement that starts with a word of another language, or with one of ours in capitals; `at` is the token after it.
  bool says_word(std::size_t first, std::size_t at) {
    if (at != first + 1 || tokens_[first].kind != BpParser::NAME) return false;
    const Token& word = tokens_[first];
    std::string lower = word.text;
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    std::string help = foreign_help(ForeignPlace::statement, word.text, {});
    if (help.empty() && lower != word.text && is_word(lower)) help = fmt::format("keywords are written in small letters: `{}`", lower);
    if (help.empty()) return false;
    add(Code::E0111, word.span, fmt::format("`{}` is no word that starts a statement", excerpt(word.text))).with_help(help);
    return true;
  }

  // The opening bracket that the closing one expected at `at` would close.
  const Token* opener_before(std::size_t at) const {
    int depth = 1;
    while (at-- > 0) {
      depth -= nesting(tokens_[at].kind);
      if (depth == 0) return &tokens_[at];
    }
    return nullptr;
  }

  void report(antlr4::Parser* parser) {
    const std::size_t at = parser->getCurrentToken()->getTokenIndex();
    const std::size_t rule = parser->getContext()->getRuleIndex();
    const antlr4::misc::IntervalSet expected = parser->getATN().nextTokens(parser->getATN().states[parser->getState()]);
    auto expects = [&](auto kind) { return expected.contains(static_cast<std::size_t>(kind)); };
    const Token& found = tokens_[at];
    const std::size_t last = at > 0 ? tokens_[at - 1].kind : 0;
    Span span = found.span;
    if (found.kind == BpParser::EOS && at > 0) {
      span = tokens_[at - 1].span;
      span.line = span.end_line;
      span.column = span.end_column++;
    }

    const std::size_t first = statement_start(parser);
    if (is_consequence(found) || is_consequence(tokens_[first])) return;
    if (says_phrase(at, PhraseKind::statement) || says_word(first, at) || says_phrase(at, PhraseKind::part) || says_bad(found)) return;
    if (expects(BpParser::NUMBER)) {
      if (found.kind == BpParser::EOS && is_operator(last)) {
        const Token& sign = tokens_[at - 1];
        add(sign.span, is_assignment(last) ? fmt::format("no value stands after `{}`", sign.text)
                                           : fmt::format("the right operand of `{}` is missing", sign.text));
        return;
      }
      Diagnostic& error = add(span, fmt::format("{} where an expression should start", shown(found)));
      if (found.kind == BpParser::PLUS) error.with_help("there is no sign `+`; leave it out");
      if (found.kind == BpParser::ASSIGN && is_word(last))
        error.with_help(fmt::format("`{}` is a keyword; choose another name", tokens_[at - 1].text));
      if (is_word(found.kind) && !is_operator(found.kind)) error.with_help(fmt::format("`{}` is a keyword here, not a name", found.text));
      return;
    }
    if (rule == BpParser::RuleType) {
      add(span, fmt::format("{} where a type should start", shown(found)))
          .with_help("a type is written `real`, `i32`, `[N, H]` or `i32[N]`");
      return;
    }
    if (expects(BpParser::NAME)) {
      Diagnostic& error = add(span, fmt::format("{} where a name should stand", shown(found)));
      if (is_word(found.kind)) error.with_help(fmt::format("`{}` is a keyword; choose another name", found.text));
      return;
    }
    if (expects(BpParser::RPAREN) || expects(BpParser::RBRACKET)) {
      const char* closer = expects(BpParser::RPAREN) ? ")" : "]";
      const bool list = rule != BpParser::RuleAtom || closer[0] == ']';
      Diagnostic& error = add(span, fmt::format("{} where {}`{}` should stand", shown(found), list ? "`,` or " : "", closer));
      if (const Token* opener = opener_before(at); opener && opener->span.line != span.line)
        error.label(span, "").label(opener->span, "opened here");
      if (found.kind == BpParser::COLON && closer[0] == ']')
        error.with_help("a range is written `a..b`");
      else if (found.kind == BpParser::ASSIGN)
        error.with_help("to compare, write `==`");
      else if (rule == BpParser::RuleFnDecl || rule == BpParser::RuleAdjointDecl)
        error.with_help("a comma stands between two names");
      else if (starts_expression(found.kind))
        error.with_help(missing_before(at));
      return;
    }
    if (expects(BpParser::EOS)) {
      Diagnostic& error = add(span, fmt::format("{} where the statement should end", shown(found)));
      if (found.kind == BpParser::ASSIGN)
        error.with_help("bind one name at a time; to compare, write `==`");
      else if (starts_expression(found.kind))
        error.with_help(missing_before(at));
      return;
    }
    std::vector<std::string> wanted;
    for (std::ptrdiff_t kind : expected.toList()) {
      const std::string& text = spelling(static_cast<std::size_t>(kind));
      wanted.push_back(text.empty() ? "a text in quotes" : fmt::format("`{}`", text));
    }
    std::string list;
    for (std::size_t i = 0; i < wanted.size(); ++i) list += (i == 0 ? "" : i + 1 == wanted.size() ? " or " : ", ") + wanted[i];
    Diagnostic& error = add(span, fmt::format("{} where {} should stand", shown(found), list));
    if (expects(BpParser::ELSE)) error.with_help("a choice between values has two sides: `a if c else b`");
    if (expects(BpParser::LBRACE)) error.with_help("a block is written in braces: `{ … }`");
  }

  // Two operands stand side by side.
  std::string missing_before(std::size_t at) const {
    const Token &left = tokens_[at - 1], &right = tokens_[at];
    if (left.kind == BpParser::NUMBER && right.kind == BpParser::NUMBER)
      return right.text.size() == 3 && is_code(left.text + "_" + right.text)
                 ? fmt::format("the digits of a number are grouped by `_`: `{}_{}`", left.text, right.text)
                 : "an operator, a comma or a line break is missing before it";
    const std::string product =
        fmt::format("{}*{}", written(tokens_, operand_start(at - 1), at - 1), written(tokens_, at, operand_end(at)));
    const bool factors = right.kind == BpParser::NAME || right.kind == BpParser::NUMBER || right.kind == BpParser::LPAREN;
    if (!factors || left.kind == BpParser::STRING || !is_code(product)) return "an operator, a comma or a line break is missing before it";
    return fmt::format("an operator, a comma or a line break is missing before it; to multiply, write `{}`", excerpt(product));
  }

  // The first token of the operand that ends in `at`, and the last one of that which starts there: brackets with what stands before them.
  std::size_t operand_start(std::size_t at) const {
    for (int depth = 0;; --at) {
      const std::size_t kind = tokens_[at].kind;
      depth -= nesting(kind);
      const bool called = at > 0 && kind != BpParser::NAME && kind != BpParser::NUMBER && tokens_[at - 1].kind == BpParser::NAME;
      if (at == 0 || (depth == 0 && !called)) return at;
    }
  }
  std::size_t operand_end(std::size_t at) const {
    for (int depth = 0;; ++at) {
      depth += nesting(tokens_[at].kind);
      if (at + 1 >= tokens_.size() || (depth == 0 && nesting(tokens_[at + 1].kind) <= 0)) return at;
    }
  }

  static std::size_t statement_start(antlr4::Parser* parser) {
    antlr4::tree::ParseTree* context = parser->getContext();
    while (static_cast<antlr4::RuleContext*>(context)->getRuleIndex() != BpParser::RuleStatement && context->parent)
      context = context->parent;
    return static_cast<antlr4::ParserRuleContext*>(context)->start->getTokenIndex();
  }

  const std::vector<Token>& tokens_;
  std::vector<Skipped>& skipped_;
  Diagnostics& diagnostics_;
  std::size_t reported_ = 0;
};

}  // namespace

std::shared_ptr<antlr4::ANTLRErrorStrategy> make_error_strategy(const std::vector<Token>& tokens, std::vector<Skipped>& skipped,
                                                                Diagnostics& diagnostics) {
  return std::make_shared<ErrorStrategy>(tokens, skipped, diagnostics);
}

}  // namespace bpc::frontend
