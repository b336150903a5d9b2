#include "frontend/parse_errors.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace bpc::frontend {

namespace {

using grammar::BpParser;

bool is_between(std::size_t kind, std::size_t first, std::size_t last) {
  return kind >= first && kind <= last;
}
bool is_word(std::size_t kind) {
  return is_between(kind, BpParser::IMPORT, BpParser::FALSE);
}
bool is_operator(std::size_t kind) {
  return is_between(kind, BpParser::LT, BpParser::POWER) || is_between(kind, BpParser::ASSIGN, BpParser::DIVIDE_ASSIGN) ||
         is_between(kind, BpParser::AND, BpParser::NOT) || kind == BpParser::RANGE;
}
bool starts_expression(std::size_t kind) {
  return is_between(kind, BpParser::NAME, BpParser::STRING) || is_between(kind, BpParser::NOT, BpParser::LPAREN) ||
         kind == BpParser::LBRACKET || kind == BpParser::MINUS;
}
bool starts_statement(std::size_t kind) {
  return starts_expression(kind) || is_between(kind, BpParser::IMPORT, BpParser::ASSERT) || kind == BpParser::IF || kind == BpParser::FOR ||
         kind == BpParser::WHILE || kind == BpParser::RETURN;
}

// What users of other languages write at the start of a statement.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kForeignWords{{
    {"def", "a function is written `fn f(x) = …` or `fn f(x) { … }`"},
    {"function", "a function is written `fn f(x) = …` or `fn f(x) { … }`"},
    {"func", "a function is written `fn f(x) = …` or `fn f(x) { … }`"},
    {"elif", "write `else if`"},
    {"elseif", "write `else if`"},
    {"let", "a name is bound without a word: `y = …`"},
    {"var", "a name is bound without a word: `y = …`"},
    {"val", "a name is bound without a word: `y = …`"},
    {"from", "another file's functions become visible by `import \"file.bp\"`"},
}};

std::string shown(const Token& token) {
  if (token.kind != BpParser::EOS || token.text == ";" || token.text == "}") return fmt::format("found `{}`", excerpt(token.text));
  return token.text.empty() ? "the script ends" : "the line ends";
}

class ErrorStrategy : public antlr4::DefaultErrorStrategy {
 public:
  ErrorStrategy(const std::vector<Token>& tokens, Diagnostics& diagnostics) : tokens_(tokens), diagnostics_(diagnostics) {}

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
    for (std::size_t i = context->start->getTokenIndex(); i < parser->getCurrentToken()->getTokenIndex(); ++i)
      depth += brace(tokens_[i].kind);
    skip_statement(parser, depth);
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
      const Token& found = tokens_[parser->getCurrentToken()->getTokenIndex()];
      Diagnostic& error = add(found.span, fmt::format("{} where a statement should start", shown(found)));
      if (kind == BpParser::FLOORDIV || kind == BpParser::DIVIDE)
        error.with_help("a comment starts with `#`");
      else if (is_operator(kind))
        error.with_help("to continue a line, end it with the operator");
      skip_statement(parser, 0);
    }
  }

 private:
  static std::ptrdiff_t brace(std::size_t kind) { return kind == BpParser::LBRACE ? 1 : kind == BpParser::RBRACE ? -1 : 0; }

  void skip_statement(antlr4::Parser* parser, std::ptrdiff_t depth) {
    for (;;) {
      std::size_t kind = parser->getCurrentToken()->getType();
      depth += brace(kind);
      if (kind == antlr4::Token::EOF || depth < 0) return;
      parser->consume();
      if (kind == BpParser::EOS && depth == 0) return;
    }
  }

  Diagnostic& add(Span span, std::string message) {
    if (++reported_ > kMaxSyntaxErrors) throw antlr4::ParseCancellationException();
    return diagnostics_.error(Code::E0101, span, std::move(message));
  }

  // The opening bracket that the closing one expected at `at` would close.
  const Token* opener_before(std::size_t at) const {
    int depth = 1;
    while (at-- > 0) {
      std::size_t kind = tokens_[at].kind;
      if (kind == BpParser::RPAREN || kind == BpParser::RBRACKET) ++depth;
      if ((kind == BpParser::LPAREN || kind == BpParser::LBRACKET) && --depth == 0) return &tokens_[at];
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

    if (expects(BpParser::NUMBER)) {
      if (found.kind == BpParser::EOS && is_operator(last)) {
        const Token& sign = tokens_[at - 1];
        bool binds = is_between(last, BpParser::ASSIGN, BpParser::DIVIDE_ASSIGN);
        add(sign.span,
            binds ? fmt::format("no value stands after `{}`", sign.text) : fmt::format("the right operand of `{}` is missing", sign.text));
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
      return;
    }
    if (expects(BpParser::EOS)) {
      Diagnostic& error = add(span, fmt::format("{} where the statement should end", shown(found)));
      const Token& first = tokens_[statement_start(parser)];
      for (const auto& [word, help] : kForeignWords)
        if (first.text == word && at == statement_start(parser) + 1) return void(error.with_help(std::string(help)));
      if (found.kind == BpParser::ASSIGN)
        error.with_help("bind one name at a time; to compare, write `==`");
      else if (starts_expression(found.kind))
        error.with_help("an operator, a comma or a line break is missing before it");
      return;
    }
    std::vector<std::string> wanted;
    for (std::ptrdiff_t kind : expected.toList()) {
      std::string literal = parser->getVocabulary().getLiteralName(static_cast<std::size_t>(kind));
      wanted.push_back(literal.empty() ? "a text in quotes" : fmt::format("`{}`", literal.substr(1, literal.size() - 2)));
    }
    std::string list;
    for (std::size_t i = 0; i < wanted.size(); ++i) list += (i == 0 ? "" : i + 1 == wanted.size() ? " or " : ", ") + wanted[i];
    Diagnostic& error = add(span, fmt::format("{} where {} should stand", shown(found), list));
    if (expects(BpParser::LBRACE) && found.kind == BpParser::COLON) error.with_help("a block is written in braces: `{ … }`");
    if (expects(BpParser::LBRACE) && found.kind == BpParser::ASSIGN) error.with_help("to compare, write `==`");
  }

  static std::size_t statement_start(antlr4::Parser* parser) {
    antlr4::tree::ParseTree* context = parser->getContext();
    while (static_cast<antlr4::RuleContext*>(context)->getRuleIndex() != BpParser::RuleStatement && context->parent)
      context = context->parent;
    return static_cast<antlr4::ParserRuleContext*>(context)->start->getTokenIndex();
  }

  const std::vector<Token>& tokens_;
  Diagnostics& diagnostics_;
  std::size_t reported_ = 0;
};

}  // namespace

std::shared_ptr<antlr4::ANTLRErrorStrategy> make_error_strategy(const std::vector<Token>& tokens, Diagnostics& diagnostics) {
  return std::make_shared<ErrorStrategy>(tokens, diagnostics);
}

}  // namespace bpc::frontend
