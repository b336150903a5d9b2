// Private to the parser: ANTLR's trees to the nodes of ast.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "BpParser.h"
#include "frontend/syntax/parse_tokens.h"

namespace bpc::frontend {

using grammar::BpParser;

// Expressions and types. What the grammar lets through and the language does not have is reported here.
class ExprBuilder {
 public:
  // `tokens` are those that the trees were made from, by their index.
  ExprBuilder(const std::vector<Token>& tokens, Ast& ast, Diagnostics& diagnostics)
      : tokens_(tokens), ast_(ast), diagnostics_(diagnostics) {}

  ExprId expr(BpParser::ExprContext* context);
  std::vector<ExprId> exprs(BpParser::ExprsContext* context);  // empty for null
  ExprId index_item(BpParser::IndexItemContext* context);
  TypeExpr type(BpParser::TypeContext* context);
  std::optional<TypeExpr> optional_type(BpParser::TypeContext* context);
  Name name(antlr4::tree::TerminalNode* node);
  std::string string(antlr4::tree::TerminalNode* node);  // unescaped
  // Reports `range` when it is not one with both ends.
  ExprId loop_range(ExprId range);

  // What is said once per statement may be said again.
  void begin_statement() { too_deep_ = false; }

  const Token& token(antlr4::tree::ParseTree* node) const;  // of a terminal
  Span span(antlr4::ParserRuleContext* context) const;
  Diagnostic& error(Code code, Span at, std::string message) { return diagnostics_.error(code, at, std::move(message)); }

 protected:
  const std::vector<Token>& tokens_;
  Ast& ast_;

 private:
  ExprId add(Span at, ExprNode node);
  Span span_of(ExprId id) const { return ast_.expr(id).span; }
  ExprId unary(const Token& sign, std::string spelling, ExprId operand);
  ExprId binary(const Token& sign, ExprId left, ExprId right);
  ExprId conditional(BpParser::ConditionalContext* context);
  ExprId disjunction(BpParser::DisjunctionContext* context);
  ExprId conjunction(BpParser::ConjunctionContext* context);
  ExprId negation(BpParser::NegationContext* context);
  ExprId comparison(BpParser::ComparisonContext* context);
  ExprId sum(BpParser::SumContext* context);
  ExprId product(BpParser::ProductContext* context);
  ExprId unary(BpParser::UnaryContext* context);
  ExprId power(BpParser::PowerContext* context);
  ExprId postfix(BpParser::PostfixContext* context);
  std::size_t path(ExprId base, BpParser::PostfixContext* context);
  bool reject_attribute(ExprId base, BpParser::TrailerContext* context, BpParser::TrailerContext* call);
  bool imports_modules() const;
  std::size_t token_index_of(const Span& span) const;  // of the first token of it
  std::string text_of(const Span& span) const;
  std::string range_help(ExprId range) const;
  ExprId trailer(ExprId base, BpParser::TrailerContext* context);
  ExprId atom(BpParser::AtomContext* context);
  ExprId number(const Token& token);
  ExprId comprehension(Span at, ExprId body, BpParser::GeneratorsContext* context, bool bracketed);

  Diagnostics& diagnostics_;
  // Per expression: how deep its tree is, and how many binary operators its left edge has (walks take that edge in a loop).
  struct Depth {
    std::size_t nesting, chain;
  };
  std::vector<Depth> depths_;
  bool too_deep_ = false;
};

}  // namespace bpc::frontend
