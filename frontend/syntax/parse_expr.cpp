#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "frontend/builtins/builtins.h"
#include "frontend/syntax/foreign.h"
#include "frontend/syntax/parse_build.h"
#include "frontend/syntax/parse_phrases.h"
#include "frontend/syntax/walk.h"

namespace bpc::frontend {

namespace {

// Deeper trees are E0107: a level of brackets makes at most a few levels of the tree.
constexpr std::size_t kMaxTreeDepth = 2 * kMaxNesting;

}  // namespace

const Token& ExprBuilder::token(antlr4::tree::ParseTree* node) const {
  return tokens_[static_cast<antlr4::tree::TerminalNode*>(node)->getSymbol()->getTokenIndex()];
}

Span ExprBuilder::span(antlr4::ParserRuleContext* context) const {
  return tokens_[context->start->getTokenIndex()].span.to(tokens_[context->stop->getTokenIndex()].span);
}

Name ExprBuilder::name(antlr4::tree::TerminalNode* node) {
  return {token(node).text, token(node).span};
}

std::string ExprBuilder::string(antlr4::tree::TerminalNode* node) {
  const Token& quoted = token(node);
  std::string result;
  for (std::size_t i = 1; i + 1 < quoted.text.size(); ++i) {
    char c = quoted.text[i];
    if (c != '\\') {
      result += c;
      continue;
    }
    switch (char escaped = quoted.text[++i]) {
      case 'n':
        result += '\n';
        break;
      case 't':
        result += '\t';
        break;
      case '"':
      case '\\':
        result += escaped;
        break;
      default:
        error(Code::E0112, quoted.span, fmt::format("`\\{}` is not an escape", quoted.text.substr(i, code_point_length(quoted.text, i))))
            .with_help("the escapes are `\\n`, `\\t`, `\\\"` and `\\\\`");
    }
  }
  return result;
}

ExprId ExprBuilder::add(Span at, ExprNode node) {
  Depth depth{0, 0};
  if (const auto* binary = std::get_if<BinaryExpr>(&node)) {
    const Depth &left = depths_[binary->left.index], &right = depths_[binary->right.index];
    const bool continues = std::holds_alternative<BinaryExpr>(ast_.expr(binary->left).node);
    depth = {std::max(left.nesting + (continues ? 0 : 1), right.nesting + 1), continues ? left.chain + 1 : 1};
  } else {
    for_each_child(node, [&](ExprId child) { depth.nesting = std::max(depth.nesting, depths_[child.index].nesting + 1); });
  }
  if ((depth.nesting > kMaxTreeDepth || depth.chain > kMaxChain) && !too_deep_) {
    too_deep_ = true;
    const bool chain = depth.chain > kMaxChain;
    error(Code::E0107, {at.file, at.line, at.column, at.line, at.column + 1},
          chain ? fmt::format("this expression chains more than {} operators", kMaxChain)
                : fmt::format("this expression nests more than {} deep", kMaxTreeDepth))
        .with_help("bind parts of it to names of their own");
  }
  ast_.exprs.push_back({at, std::move(node)});
  depths_.push_back(depth);
  return {static_cast<std::uint32_t>(ast_.exprs.size() - 1)};
}

ExprId ExprBuilder::unary(const Token& sign, std::string spelling, ExprId operand) {
  return add(sign.span.to(span_of(operand)), UnaryExpr{std::move(spelling), operand});
}

ExprId ExprBuilder::binary(const Token& sign, ExprId left, ExprId right) {
  return add(span_of(left).to(span_of(right)), BinaryExpr{sign.text == "**" ? "^" : sign.text, sign.span, left, right});
}

std::vector<ExprId> ExprBuilder::exprs(BpParser::ExprsContext* context) {
  std::vector<ExprId> result;
  if (context)
    for (auto* each : context->expr()) result.push_back(expr(each));
  return result;
}

ExprId ExprBuilder::expr(BpParser::ExprContext* context) {
  if (context->children.size() == 1) return conditional(static_cast<BpParser::ConditionalContext*>(context->children[0]));
  auto parts = context->conditional();
  ExprId lo = conditional(parts[0]), hi = conditional(parts[1]);
  ExprId step = parts.size() > 2 ? conditional(parts[2]) : ExprId{};
  return add(span(context), RangeExpr{lo, hi, step});
}

ExprId ExprBuilder::index_item(BpParser::IndexItemContext* context) {
  if (context->COLON()) return add(span(context), RangeExpr{});
  if (!context->RANGE()) return conditional(context->conditional(0));
  RangeExpr range;
  ExprId* part = &range.lo;
  for (auto* child : context->children) {
    if (auto* value = dynamic_cast<BpParser::ConditionalContext*>(child))
      *part = conditional(value);
    else
      part = token(child).kind == BpParser::BY ? &range.step : &range.hi;
  }
  return add(span(context), range);
}

ExprId ExprBuilder::conditional(BpParser::ConditionalContext* context) {
  if (context->children.size() == 1) return disjunction(static_cast<BpParser::DisjunctionContext*>(context->children[0]));
  std::vector<ExprId> parts;
  for (auto* part : context->disjunction()) parts.push_back(disjunction(part));
  ExprId result = parts.back();
  for (std::size_t i = parts.size() - 1; i >= 2; i -= 2)
    result = add(span_of(parts[i - 2]).to(span_of(result)), ConditionalExpr{parts[i - 2], parts[i - 1], result});
  return result;
}

ExprId ExprBuilder::disjunction(BpParser::DisjunctionContext* context) {
  ExprId result = conjunction(context->conjunction(0));
  for (std::size_t i = 2; i < context->children.size(); i += 2)
    result = binary(token(context->children[i - 1]), result, conjunction(static_cast<BpParser::ConjunctionContext*>(context->children[i])));
  return result;
}

ExprId ExprBuilder::conjunction(BpParser::ConjunctionContext* context) {
  ExprId result = negation(context->negation(0));
  for (std::size_t i = 2; i < context->children.size(); i += 2)
    result = binary(token(context->children[i - 1]), result, negation(static_cast<BpParser::NegationContext*>(context->children[i])));
  return result;
}

ExprId ExprBuilder::negation(BpParser::NegationContext* context) {
  ExprId result = comparison(context->comparison());
  for (std::size_t i = context->children.size() - 1; i-- > 0;) result = unary(token(context->children[i]), "not", result);
  return result;
}

ExprId ExprBuilder::comparison(BpParser::ComparisonContext* context) {
  ExprId left = sum(context->sum(0));
  if (context->children.size() == 1) return left;
  ExprId right = sum(context->sum(1));
  if (context->children.size() > 3) {
    const Token &first = token(context->children[1]), &second = token(context->children[3]);
    auto text = [&](std::size_t i) {
      std::string joined;
      auto* operand = static_cast<antlr4::ParserRuleContext*>(context->children[i]);
      for (std::size_t t = operand->start->getTokenIndex(); t <= operand->stop->getTokenIndex(); ++t) joined += tokens_[t].text;
      return joined;
    };
    error(Code::E0111, first.span, "comparisons do not chain")
        .label(first.span, "")
        .label(second.span, "")
        .with_help(fmt::format("write `{0} {1} {2} and {2} {3} {4}`", excerpt(text(0)), first.text, excerpt(text(2)), second.text,
                               excerpt(text(4))));
  }
  return binary(token(context->children[1]), left, right);
}

ExprId ExprBuilder::sum(BpParser::SumContext* context) {
  ExprId result = product(static_cast<BpParser::ProductContext*>(context->children[0]));
  for (std::size_t i = 2; i < context->children.size(); i += 2)
    result = binary(token(context->children[i - 1]), result, product(static_cast<BpParser::ProductContext*>(context->children[i])));
  return result;
}

ExprId ExprBuilder::product(BpParser::ProductContext* context) {
  ExprId result = unary(static_cast<BpParser::UnaryContext*>(context->children[0]));
  for (std::size_t i = 2; i < context->children.size(); i += 2)
    result = binary(token(context->children[i - 1]), result, unary(static_cast<BpParser::UnaryContext*>(context->children[i])));
  return result;
}

ExprId ExprBuilder::unary(BpParser::UnaryContext* context) {
  ExprId result = power(static_cast<BpParser::PowerContext*>(context->children.back()));
  for (std::size_t i = context->children.size() - 1; i-- > 0;) result = unary(token(context->children[i]), "-", result);
  return result;
}

// `2^-x^2` is 2^(-(x^2)): from the right, a sign takes all that was built so far, a `^` makes it an exponent.
ExprId ExprBuilder::power(BpParser::PowerContext* context) {
  const auto& children = context->children;
  std::vector<ExprId> operands;
  for (auto* operand : context->postfix()) operands.push_back(postfix(operand));
  ExprId result = operands.back();
  operands.pop_back();
  for (std::size_t i = children.size() - 1; i-- > 0;) {
    if (!dynamic_cast<antlr4::tree::TerminalNode*>(children[i])) continue;
    const Token& sign = token(children[i]);
    if (sign.kind == BpParser::MINUS) {
      result = unary(sign, "-", result);
    } else {
      result = binary(sign, operands.back(), result);
      operands.pop_back();
    }
  }
  return result;
}

ExprId ExprBuilder::postfix(BpParser::PostfixContext* context) {
  auto* first = static_cast<BpParser::AtomContext*>(context->children[0]);
  ExprId result = atom(first);
  for (std::size_t i = path(result, context); i < context->children.size(); ++i) {
    auto* each = static_cast<BpParser::TrailerContext*>(context->children[i]);
    auto* next = i + 1 < context->children.size() ? static_cast<BpParser::TrailerContext*>(context->children[i + 1]) : nullptr;
    if (each->DOT() && reject_attribute(result, each, next && !next->DOT() ? next : nullptr)) {
      if (next && !next->DOT()) ++i;
      continue;
    }
    result = trailer(result, each);
  }
  return result;
}

// `h.dense.W`, the name of a function's param: joins its parts to one name, and returns what stands behind. A single attribute may be one
// of another language, and what is called is a method.
std::size_t ExprBuilder::path(ExprId base, BpParser::PostfixContext* context) {
  const auto* first = std::get_if<NameExpr>(&ast_.expr(base).node);
  if (!first || ast_.expr(base).parenthesized) return 1;
  auto trailer = [&](std::size_t i) { return static_cast<BpParser::TrailerContext*>(context->children[i]); };
  std::size_t end = 1;
  while (end < context->children.size() && trailer(end)->DOT() && token(trailer(end)->NAME()).text != "T") ++end;
  if (end == 1 || (end < context->children.size() && trailer(end)->LPAREN())) return 1;
  auto is_foreign = [](const std::string& name, ForeignPlace place) { return !foreign_help(place, name, {}).empty(); };
  if (foreign_help(ForeignPlace::value, first->name, {}).find("no modules") != std::string::npos) return 1;
  const std::string attribute = token(trailer(1)->NAME()).text;
  const bool is_indexed = end < context->children.size() && trailer(end)->LBRACKET();
  if (end == 2 &&
      (is_builtin_function(attribute) || is_foreign(attribute, ForeignPlace::attribute) || is_foreign(attribute, ForeignPlace::function) ||
       is_foreign(attribute, ForeignPlace::value) || (is_indexed && is_foreign(attribute + "[]", ForeignPlace::attribute))))
    return 1;
  std::string name = first->name;
  for (std::size_t i = 1; i < end; ++i) name += "." + token(trailer(i)->NAME()).text;
  ast_.exprs[base.index] = {span_of(base).to(span(trailer(end - 1))), NameExpr{std::move(name)}};
  return end;
}

// Of other attributes, `.T` is the only one. What stands after another point is reported: a module's function, a method, or a property;
// `call` is what calls or indexes it.
bool ExprBuilder::reject_attribute(ExprId base, BpParser::TrailerContext* context, BpParser::TrailerContext* after) {
  const Token& attribute = token(context->NAME());
  auto* call = after && after->LPAREN() ? after : nullptr;
  if (attribute.text == "T") {
    if (call) error(Code::E0101, span(call), "`.T` is no function").with_help("leave out the parentheses: `x.T`");
    return call != nullptr;
  }
  const Expr& object = ast_.expr(base);
  const auto* named = std::get_if<NameExpr>(&object.node);
  const bool module = named && foreign_help(ForeignPlace::value, named->name, {}).find("no modules") != std::string::npos;
  if (module && imports_modules()) return true;  // said at the import
  if (module && !call && foreign_help(ForeignPlace::value, attribute.text, {}) == foreign_help(ForeignPlace::value, named->name, {})) {
    // `torch.nn.functional.relu`: the last name is what is meant.
    ast_.exprs[base.index].node = NameExpr{attribute.text};
    return true;
  }
  const std::size_t first = token_index_of(object.span);
  const bool operand = !std::holds_alternative<BinaryExpr>(object.node) && !std::holds_alternative<UnaryExpr>(object.node) &&
                       !std::holds_alternative<ConditionalExpr>(object.node);
  std::vector<Captured> captured;
  if (!module) captured.push_back({written(tokens_, first, context->start->getTokenIndex() - 1), operand || object.parenthesized});
  if (call)
    for (auto* argument : call->argument())
      captured.push_back({written(tokens_, argument->start->getTokenIndex(), argument->stop->getTokenIndex()), false});
  if (after && !call)
    for (auto* item : after->indexItem())
      captured.push_back({written(tokens_, item->start->getTokenIndex(), item->stop->getTokenIndex()), false});

  std::string help = module || !after || call ? "" : foreign_help(ForeignPlace::attribute, attribute.text + "[]", captured);
  if (help.empty() && !module) help = foreign_help(ForeignPlace::attribute, attribute.text, captured);
  if (help.empty() && is_builtin_function(attribute.text)) help = fill_help(fmt::format("write `{}({{*}})`", attribute.text), captured);
  if (help.empty()) help = foreign_help(ForeignPlace::function, attribute.text, captured);
  if (help.empty() && module) help = foreign_help(ForeignPlace::attribute, attribute.text, captured);
  if (help.empty()) help = foreign_help(ForeignPlace::value, module ? named->name : attribute.text, captured);
  if (help.empty()) help = "the functions are called as `f(x)`; `bpc rules` lists them";
  error(Code::E0111, attribute.span,
        module ? fmt::format("there are no modules, so that `{}` holds no `{}`", named->name, attribute.text)
               : fmt::format("values have no methods and no attributes but `.T`; found `.{}`", attribute.text))
      .with_help(help);
  return true;
}

// `import numpy`, which was reported.
bool ExprBuilder::imports_modules() const {
  for (std::size_t i = 0; i + 1 < tokens_.size(); ++i)
    if (tokens_[i].text == "import" && tokens_[i + 1].kind == BpParser::NAME && (i == 0 || tokens_[i - 1].kind == BpParser::EOS))
      return true;
  return false;
}

std::string ExprBuilder::text_of(const Span& span) const {
  const std::size_t first = token_index_of(span);
  std::size_t last = first;
  while (tokens_[last].span.end_line < span.end_line || tokens_[last].span.end_column < span.end_column) ++last;
  return written(tokens_, first, last);
}

std::size_t ExprBuilder::token_index_of(const Span& span) const {
  auto before = [](const Token& token, const Span& at) {
    return std::pair(token.span.line, token.span.column) < std::pair(at.line, at.column);
  };
  return static_cast<std::size_t>(std::lower_bound(tokens_.begin(), tokens_.end(), span, before) - tokens_.begin());
}

ExprId ExprBuilder::trailer(ExprId base, BpParser::TrailerContext* context) {
  const Span whole = span_of(base).to(span(context));
  if (context->DOT()) return add(whole, TransposeExpr{base});
  if (context->LBRACKET()) {
    IndexExpr index{base, {}};
    for (auto* item : context->indexItem()) index.items.push_back(index_item(item));
    return add(whole, std::move(index));
  }
  CallExpr call;
  const Expr& callee = ast_.expr(base);
  if (const auto* named = std::get_if<NameExpr>(&callee.node); named && !callee.parenthesized) {
    call.callee = {named->name, callee.span};
  } else {
    const bool literal = std::holds_alternative<NumberExpr>(callee.node);
    const auto* made = std::get_if<CallExpr>(&callee.node);
    error(Code::E0101, span(context), "only a named function can be called")
        .with_help(literal || callee.parenthesized
                       ? fill_help("to multiply, write `{1}*{2}`", {{text_of(callee.span), true}, {text_of(span(context)), true}})
                   : made && is_kind(find_builtin(made->callee.text), BuiltinKind::derivative)
                       ? fmt::format("`{0}` gives a value: bind what to differentiate by, as in `x = 3`, and write `{0}(f(x), x)`",
                                     made->callee.text)
                       : "bind it to a name, or write `*` to multiply");
    call.callee = {"", callee.span};
  }
  for (auto* written : context->argument()) {
    ExprId value = expr(written->expr(0));
    Argument argument{std::nullopt, value};
    if (written->generators()) {
      argument.value = comprehension(span(written), value, written->generators(), false);
    } else if (written->ASSIGN()) {
      const Expr& left = ast_.expr(value);
      const auto* label = std::get_if<NameExpr>(&left.node);
      if (label && !left.parenthesized)
        argument.name = Name{label->name, left.span};
      else
        error(Code::E0101, left.span, "an argument's name should stand before `=`").with_help("to compare, write `==`");
      argument.value = expr(written->expr(1));
    }
    call.arguments.push_back(std::move(argument));
  }
  return add(whole, std::move(call));
}

ExprId ExprBuilder::atom(BpParser::AtomContext* context) {
  const Token& first = token(context->children[0]);
  switch (first.kind) {
    case BpParser::NUMBER:
      return number(first);
    case BpParser::STRING:
      return add(first.span, StringExpr{string(context->STRING())});
    case BpParser::TRUE:
      return add(first.span, BoolExpr{true});
    case BpParser::FALSE:
      return add(first.span, BoolExpr{false});
    case BpParser::NAME:
      return add(first.span, NameExpr{first.text});
    case BpParser::LPAREN: {
      ExprId inner = expr(context->expr());
      ast_.exprs[inner.index].span = span(context);
      ast_.exprs[inner.index].parenthesized = true;
      return inner;
    }
    case BpParser::FN: {
      FnStmt fn;
      fn.name = {first.text, first.span};
      if (context->names())
        for (auto* each : context->names()->NAME()) fn.parameters.push_back({name(each), std::nullopt, {}});
      fn.expression = expr(context->expr());
      return add(span(context), FunctionExpr{std::move(fn)});
    }
    default:
      break;
  }
  auto* items = context->listItems();
  if (!items) return add(span(context), ListExpr{});
  if (items->generators()) return comprehension(span(context), expr(items->expr(0)), items->generators(), true);
  ListExpr list;
  for (auto* item : items->expr()) list.items.push_back(expr(item));
  return add(span(context), std::move(list));
}

ExprId ExprBuilder::comprehension(Span at, ExprId body, BpParser::GeneratorsContext* context, bool bracketed) {
  ComprehensionExpr result{body, {}, bracketed};
  for (auto* generator : context->generator()) {
    Name variable = name(generator->NAME());
    result.generators.push_back({std::move(variable), loop_range(expr(generator->expr()))});
  }
  return add(at, std::move(result));
}

ExprId ExprBuilder::loop_range(ExprId range) {
  if (!std::holds_alternative<RangeExpr>(ast_.expr(range).node))
    error(Code::E0101, span_of(range), "a range such as `0..n` should stand after `in`").with_help(range_help(range));
  return range;
}

// What to write for `for x in range` where the range is none.
std::string ExprBuilder::range_help(ExprId range) const {
  const Expr& given = ast_.expr(range);
  const std::size_t first = token_index_of(given.span);
  if (const auto* call = std::get_if<CallExpr>(&given.node); call && (call->callee.text == "range" || call->callee.text == "arange")) {
    std::vector<Captured> bounds;
    for (const Argument& argument : call->arguments) {
      std::string text = text_of(span_of(argument.value));
      if (text.starts_with("len(") && text.ends_with(")")) text = fmt::format("size({}, 0)", text.substr(4, text.size() - 5));
      bounds.push_back({text, false});
    }
    if (bounds.size() == 1) return fill_help("a range is written `0..{1}`", bounds);
    if (bounds.size() == 2) return fill_help("a range is written `{1}..{2}`", bounds);
    if (bounds.size() == 3) return fill_help("a range is written `{1}..{2} by {3}`", bounds);
  }
  if (const auto* named = std::get_if<NameExpr>(&given.node))
    return fill_help("if {1} is a tensor, write `for i in 0..size({1}, 0)` and `{1}[i]`; if it is a number, `0..{1}`",
                     {{named->name, true}});
  if (std::holds_alternative<NumberExpr>(given.node)) return fill_help("write `0..{1}`", {{tokens_[first].text, true}});
  return "to walk over the rows of x, write `for i in 0..size(x, 0)` and `x[i]`";
}

ExprId ExprBuilder::number(const Token& token) {
  NumberExpr number;
  number.text = token.text;
  std::string digits;
  std::copy_if(token.text.begin(), token.text.end(), std::back_inserter(digits), [](char c) { return c != '_'; });
  const char *begin = digits.data(), *end = begin + digits.size();
  if (digits.find_first_of(".eE") == std::string::npos) {
    std::int64_t integer = 0;
    if (std::from_chars(begin, end, integer).ec == std::errc{}) number.integer = integer;
  }
  if (std::from_chars(begin, end, number.value).ec != std::errc{}) number.value = std::strtod(begin, nullptr);  // too small, or too large
  if (std::isinf(number.value)) error(Code::E0210, token.span, fmt::format("`{}` is larger than any f64", excerpt(token.text)));
  return add(token.span, std::move(number));
}

std::optional<TypeExpr> ExprBuilder::optional_type(BpParser::TypeContext* context) {
  if (!context) return std::nullopt;
  return type(context);
}

TypeExpr ExprBuilder::type(BpParser::TypeContext* context) {
  TypeExpr result;
  if (context->NAME()) result.element = token(context->NAME()).text;
  if (context->sizes()) {
    result.scalar = false;
    result.sizes = exprs(context->sizes()->exprs());
  }
  result.span = span(context);
  return result;
}

}  // namespace bpc::frontend
