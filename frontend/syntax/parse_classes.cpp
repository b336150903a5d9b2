#include "frontend/syntax/parse_classes.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cctype>
#include <cstddef>
#include <utility>
#include <vector>

#include "BpParser.h"
#include "frontend/syntax/parse.h"

namespace bpc::frontend {

namespace {

using grammar::BpParser;

constexpr std::array<std::pair<std::size_t, std::size_t>, 3> kBrackets{
    {{BpParser::LPAREN, BpParser::RPAREN}, {BpParser::LBRACKET, BpParser::RBRACKET}, {BpParser::LBRACE, BpParser::RBRACE}}};

using Kinds = std::bitset<128>;

Kinds to_kinds(const antlr4::misc::IntervalSet& set) {
  Kinds kinds;
  for (std::ptrdiff_t kind : set.toList())
    if (kind > 0) kinds.set(static_cast<std::size_t>(kind));
  return kinds;
}

struct Classes {
  std::vector<std::string> spellings;
  Kinds words, soft_words, atoms, expressions, statements, assignments, infixes, operators;

  Classes() {
    const BpParser parser(nullptr);
    for (std::size_t kind = 0; kind <= parser.getVocabulary().getMaxTokenType(); ++kind) {
      const std::string quoted = parser.getVocabulary().getLiteralName(kind);
      spellings.push_back(quoted.size() > 2 ? quoted.substr(1, quoted.size() - 2) : "");
      words[kind] = std::isalpha(static_cast<unsigned char>(spellings.back()[0])) != 0;
    }
    const antlr4::atn::ATN& grammar = parser.getATN();
    auto first = [&](std::size_t rule) { return to_kinds(grammar.nextTokens(grammar.ruleToStartState[rule])); };
    auto own = [&](std::size_t rule) {  // the tokens that stand in the rule itself
      Kinds kinds;
      for (const antlr4::atn::ATNState* state : grammar.states)
        if (state && state->ruleIndex == rule)
          for (const antlr4::atn::Transition* transition : state->transitions) kinds |= to_kinds(transition->label());
      return kinds;
    };
    soft_words = first(BpParser::RuleSoftWord);
    atoms = first(BpParser::RuleAtom);
    for (auto [opener, closer] : kBrackets) atoms.reset(opener);
    atoms.reset(BpParser::FN);
    expressions = first(BpParser::RuleExpr);
    statements = first(BpParser::RuleStatement);
    assignments = own(BpParser::RuleAssignment) & ~own(BpParser::RuleExprs);
    infixes = own(BpParser::RuleComparison) | own(BpParser::RuleSum) | own(BpParser::RuleProduct) | own(BpParser::RulePower);
    operators = infixes | assignments | own(BpParser::RuleDisjunction) | own(BpParser::RuleConjunction) | own(BpParser::RuleNegation);
    operators.set(BpParser::RANGE);
  }
};

const Classes& classes() {
  static const Classes classes;
  return classes;
}

bool contains(const Kinds& kinds, std::size_t kind) {
  return kind < kinds.size() && kinds[kind];  // the end of the file is none
}

}  // namespace

const std::string& spelling(std::size_t kind) {
  static const std::string none;
  return kind < classes().spellings.size() ? classes().spellings[kind] : none;
}

bool is_word(std::size_t kind) {
  return contains(classes().words, kind);
}
bool is_word(std::string_view text) {
  const auto& all = classes().spellings;
  return is_word(static_cast<std::size_t>(std::ranges::find(all, text) - all.begin()));
}
std::vector<std::string> words_of_the_language() {
  std::vector<std::string> words;
  for (std::size_t kind = 0; kind < classes().spellings.size(); ++kind)
    if (is_word(kind)) words.push_back(spelling(kind));
  return words;
}
bool is_soft_word(std::size_t kind) {
  return contains(classes().soft_words, kind);
}
bool is_name(std::size_t kind) {
  return kind == BpParser::NAME || is_soft_word(kind);
}

bool is_opener(std::size_t kind) {
  return kind == BpParser::LBRACE || nesting(kind) > 0;
}
bool is_closer(std::size_t kind) {
  return kind == BpParser::RBRACE || nesting(kind) < 0;
}
std::size_t partner_of(std::size_t bracket) {
  for (auto [opener, closer] : kBrackets) {
    if (bracket == opener) return closer;
    if (bracket == closer) return opener;
  }
  return 0;
}
int nesting(std::size_t kind) {
  const bool opens = kind == BpParser::LPAREN || kind == BpParser::LBRACKET;
  return opens ? 1 : kind == BpParser::RPAREN || kind == BpParser::RBRACKET ? -1 : 0;
}

bool is_atom(std::size_t kind) {
  return contains(classes().atoms, kind);
}
bool starts_expression(std::size_t kind) {
  return contains(classes().expressions, kind);
}
bool ends_expression(std::size_t kind) {
  return is_atom(kind) || nesting(kind) < 0;
}
bool starts_statement(std::size_t kind) {
  return contains(classes().statements, kind);
}

bool is_assignment(std::size_t kind) {
  return contains(classes().assignments, kind);
}
bool is_infix(std::size_t kind) {
  return contains(classes().infixes, kind);
}
bool is_operator(std::size_t kind) {
  return contains(classes().operators, kind);
}

}  // namespace bpc::frontend
