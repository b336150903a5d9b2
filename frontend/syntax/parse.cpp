#include "frontend/syntax/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "frontend/syntax/foreign.h"
#include "frontend/syntax/parse_broken.h"
#include "frontend/syntax/parse_build.h"
#include "frontend/syntax/parse_errors.h"
#include "frontend/syntax/parse_phrases.h"

namespace bpc::frontend {

namespace {

class StatementBuilder : private ExprBuilder {
 public:
  StatementBuilder(const std::vector<Token>& tokens, BrokenStatements& broken, Ast& ast, Diagnostics& diagnostics)
      : ExprBuilder(tokens, ast, diagnostics), broken_(broken), found_(diagnostics) {}

  // Appends a statement, which is several where a declaration has several names. One with a mistake is an ErrorStmt.
  void statement(BpParser::StatementContext* context, std::vector<StmtId>& into) {
    const std::size_t begin = context->start->getTokenIndex();
    if (context->exception) return give_up(begin, broken_.end_of_skipped(begin).value_or(begin + 1), into);
    const std::size_t end = context->stop->getTokenIndex() + 1;
    if (broken_.belongs_to_broken(begin)) return give_up(begin, end, into);
    const std::size_t before = found_.all().size() - told_, count = into.size();
    begin_statement();
    build(context, into);
    if (found_.all().size() - told_ == before && !broken_.is_unfinished(begin, end)) return;
    into.resize(count);
    give_up(begin, end, into);
    told_ = found_.all().size() - before;
  }

 private:
  void give_up(std::size_t begin, std::size_t end, std::vector<StmtId>& into) {
    into.push_back(add(tokens_[begin].span.to(tokens_[end - 1].span), broken_.add(begin, end)));
  }

  void build(BpParser::StatementContext* context, std::vector<StmtId>& into) {
    auto* inner = static_cast<antlr4::ParserRuleContext*>(context->children[0]);
    const std::vector<antlr4::ParserRuleContext*> items = declared(inner);
    if (items.empty()) return into.push_back(add(span(inner), node(inner)));
    for (auto* item : items) {
      const bool first = item == items.front();
      into.push_back(add(first ? token(inner->children[0]).span.to(span(item)) : span(item), node(item)));
      ast_.stmts[into.back().index].continues = !first;
    }
  }

  StmtId add(Span at, StmtNode node) {
    ast_.stmts.push_back({at, std::move(node)});
    return {static_cast<std::uint32_t>(ast_.stmts.size() - 1)};
  }

  // The names of a declaration that may have several.
  static std::vector<antlr4::ParserRuleContext*> declared(antlr4::ParserRuleContext* context) {
    std::vector<antlr4::ParserRuleContext*> items;
    const std::size_t rule = context->getRuleIndex();
    if (rule == BpParser::RuleDimDecl || rule == BpParser::RuleConstDecl || rule == BpParser::RuleInputDecl ||
        rule == BpParser::RuleParamDecl)
      for (auto* child : context->children)
        if (auto* item = dynamic_cast<antlr4::ParserRuleContext*>(child)) items.push_back(item);
    return items;
  }

  StmtNode node(antlr4::ParserRuleContext* context) {
    switch (context->getRuleIndex()) {
      case BpParser::RuleImportDecl: {
        auto* path = static_cast<BpParser::ImportDeclContext*>(context)->STRING();
        return ImportStmt{string(path), token(path).span};
      }
      case BpParser::RuleDimItem:
        return dim(static_cast<BpParser::DimItemContext*>(context));
      case BpParser::RuleConstItem: {
        auto* decl = static_cast<BpParser::ConstItemContext*>(context);
        auto type = optional_type(decl->type());
        return ConstStmt{name(decl->NAME()), std::move(type), expr(decl->expr())};
      }
      case BpParser::RuleInputItem:
        return input(static_cast<BpParser::InputItemContext*>(context));
      case BpParser::RuleParamItem: {
        auto* decl = static_cast<BpParser::ParamItemContext*>(context);
        auto type = optional_type(decl->type());
        ParamStmt result{name(decl->NAME()), std::move(type), optional_expr(decl->expr()), std::nullopt};
        if (decl->fromClause()) result.from = source(decl->fromClause());
        return result;
      }
      case BpParser::RuleLossDecl: {
        auto* decl = static_cast<BpParser::LossDeclContext*>(context);
        return LossStmt{decl->NAME() ? name(decl->NAME()) : name(decl->LOSS()), expr(decl->expr())};
      }
      case BpParser::RuleFnDecl:
        return fn(static_cast<BpParser::FnDeclContext*>(context));
      case BpParser::RuleSeedDecl:
        return SeedStmt{expr(static_cast<BpParser::SeedDeclContext*>(context)->expr())};
      case BpParser::RuleRealDecl:
        return RealStmt{name(static_cast<BpParser::RealDeclContext*>(context)->NAME())};
      case BpParser::RuleTrainDecl: {
        TrainStmt train;
        for (auto* setting : static_cast<BpParser::TrainDeclContext*>(context)->setting())
          train.settings.push_back({name(setting->NAME() ? setting->NAME() : setting->LOSS()), expr(setting->expr())});
        return train;
      }
      case BpParser::RuleAdjointDecl:
        return adjoint(static_cast<BpParser::AdjointDeclContext*>(context));
      case BpParser::RuleIfStatement:
        return branch(static_cast<BpParser::IfStatementContext*>(context));
      case BpParser::RuleForStatement: {
        auto* loop = static_cast<BpParser::ForStatementContext*>(context);
        Name variable = name(loop->NAME());
        ExprId range = loop_range(expr(loop->expr()));
        return ForStmt{std::move(variable), range, block(loop->block())};
      }
      case BpParser::RuleWhileStatement: {
        auto* loop = static_cast<BpParser::WhileStatementContext*>(context);
        ExprId condition = expr(loop->expr());
        return WhileStmt{condition, block(loop->block())};
      }
      case BpParser::RuleBreakStatement:
        return BreakStmt{};
      case BpParser::RuleContinueStatement:
        return ContinueStmt{};
      case BpParser::RuleReturnStatement:
        return ReturnStmt{exprs(static_cast<BpParser::ReturnStatementContext*>(context)->exprs())};
      case BpParser::RulePrintStatement:
        return PrintStmt{exprs(static_cast<BpParser::PrintStatementContext*>(context)->exprs())};
      case BpParser::RuleAssertStatement: {
        auto* check = static_cast<BpParser::AssertStatementContext*>(context);
        ExprId condition = expr(check->expr());
        return AssertStmt{condition, check->STRING() ? std::optional(string(check->STRING())) : std::nullopt};
      }
      default:
        return assignment(static_cast<BpParser::AssignmentContext*>(context));
    }
  }

  ExprId optional_expr(BpParser::ExprContext* context) { return context ? expr(context) : ExprId{}; }

  Block block(BpParser::BlockContext* context) {
    Block result;
    for (auto* each : context->statement()) statement(each, result.statements);
    result.span = span(context);
    return result;
  }

  DimStmt dim(BpParser::DimItemContext* context) { return {name(context->NAME()), optional_expr(context->expr())}; }

  InputStmt input(BpParser::InputItemContext* context) {
    // `of` and `=` are each followed by one.
    const auto values = context->expr();
    InputStmt result{name(context->NAME()), optional_type(context->type()), {}, std::nullopt};
    if (context->OF()) result.of = expr(values.front());
    if (context->ASSIGN()) result.value = expr(values.back());
    if (context->fromClause()) result.from = source(context->fromClause());
    return result;
  }

  FromClause source(BpParser::FromClauseContext* context) {
    auto* selector = context->indexItem();
    return {string(context->STRING()), token(context->STRING()).span, selector ? index_item(selector) : ExprId{}};
  }

  FnStmt fn(BpParser::FnDeclContext* context) {
    FnStmt result;
    result.name = name(context->NAME());
    for (auto* parameter : context->parameter()) {
      auto type = optional_type(parameter->type());
      result.parameters.push_back({name(parameter->NAME()), std::move(type), optional_expr(parameter->expr())});
    }
    if (context->types())
      for (auto* each : context->types()->type()) result.results.push_back(type(each));
    if (context->expr())
      result.expression = expr(context->expr());
    else
      result.body = block(context->block());
    return result;
  }

  std::vector<Name> names(BpParser::NamesContext* context) {
    std::vector<Name> result;
    if (context)
      for (auto* each : context->NAME()) result.push_back(name(each));
    return result;
  }

  AdjointStmt adjoint(BpParser::AdjointDeclContext* context) {
    // `names` may be absent inside the parentheses: then the only list is that of the outputs.
    auto lists = context->names();
    auto* inputs = lists.size() > 1 ? lists[0] : nullptr;
    return {name(context->NAME()), names(inputs), names(lists.back()), block(context->block())};
  }

  // `else if` is a block that holds one `if`.
  StmtNode branch(BpParser::IfStatementContext* context) {
    auto conditions = context->expr();
    auto blocks = context->block();
    if (blocks.size() > conditions.size() + 1 || (blocks.size() > conditions.size() && last_else_has_condition(context)))
      error(Code::E0101, span(context), "`else` without a condition comes last, and only once");
    if (blocks.size() > kMaxNesting) error(Code::E0107, span(blocks[kMaxNesting]), fmt::format("more than {} branches", kMaxNesting));
    std::vector<ExprId> tests;
    std::vector<Block> bodies;
    for (auto* condition : conditions) tests.push_back(expr(condition));
    for (auto* body : blocks) bodies.push_back(block(body));
    std::optional<Block> otherwise;
    if (bodies.size() > tests.size()) otherwise = std::move(bodies.back());
    const auto words = context->IF();
    const Span whole = span(context);
    for (std::size_t i = std::min(tests.size(), bodies.size()); i-- > 1;) {
      Span at = token(words[i]).span;
      at.end_line = whole.end_line;
      at.end_column = whole.end_column;
      StmtId inner = add(at, IfStmt{tests[i], std::move(bodies[i]), std::move(otherwise)});
      otherwise = Block{{inner}, at};
    }
    return IfStmt{tests[0], std::move(bodies[0]), std::move(otherwise)};
  }

  bool last_else_has_condition(BpParser::IfStatementContext* context) const {
    // children end in: … 'else' ('if' expr)? block
    std::size_t count = context->children.size();
    return count >= 3 && dynamic_cast<BpParser::ExprContext*>(context->children[count - 2]) != nullptr;
  }

  StmtNode assignment(BpParser::AssignmentContext* context) {
    auto written = context->target();
    if (!context->exprs()) {
      if (written.size() == 1 && !written[0]->type()) return ExprStmt{expr(written[0]->expr())};
      error(Code::E0101, span(context),
            written.size() == 1 ? "a value should be given: `name : type = value`" : "these values are not bound to names");
    }
    AssignStmt result;
    for (auto* each : written) result.targets.push_back(target(each));
    if (!context->exprs()) return result;
    const Token& sign = token(context->children[context->children.size() - 2]);
    result.spelling = sign.text;
    result.spelling_span = sign.span;
    result.values = exprs(context->exprs());
    const std::size_t targets = result.targets.size(), values = result.values.size();
    if (values > 1 && values != targets) count_differs(context, values, targets);
    if (sign.kind != BpParser::ASSIGN && targets > 1)
      error(Code::E0101, sign.span, fmt::format("`{}` updates one name at a time", sign.text));
    if (sign.kind != BpParser::ASSIGN && result.targets[0].type)
      error(Code::E0101, result.targets[0].type->span, fmt::format("`{}` keeps the type of the name; only `=` can declare one", sign.text));
    return result;
  }

  void count_differs(BpParser::AssignmentContext* context, std::size_t values, std::size_t targets) {
    const Span at = span(context->exprs());
    const std::size_t first = context->exprs()->start->getTokenIndex(), last = context->exprs()->stop->getTokenIndex();
    const std::string text = written(tokens_, first, last);
    Diagnostic& wrong = error(Code::E0101, at, fmt::format("{} values for {} name{}", values, targets, targets == 1 ? "" : "s"));
    std::string grouped = text;
    std::replace(grouped.begin(), grouped.end(), ',', '_');
    const bool is_number =
        grouped.find_first_not_of("0123456789_") == std::string::npos && grouped.size() > 4 && grouped[grouped.size() - 4] == '_';
    if (targets == 1 && is_number)
      wrong.with_help(fmt::format("the digits of a number are grouped by `_`: `{}`; a list is `[{}]`", excerpt(grouped), excerpt(text)));
    else if (targets == 1)
      wrong.with_help(fmt::format("a list is written in square brackets: `[{}]`", excerpt(text)));
  }

  // With the `=` and the value after it, where it is all there is on the left.
  std::string text_of_target(BpParser::TargetContext* context) const {
    auto* whole = static_cast<BpParser::AssignmentContext*>(context->parent);
    auto* values = whole->target().size() == 1 ? whole->exprs() : nullptr;
    return written(tokens_, context->start->getTokenIndex(), (values ? values->stop : context->stop)->getTokenIndex());
  }

  Target target(BpParser::TargetContext* context) {
    Target result;
    result.span = span(context);
    result.type = optional_type(context->type());
    const Expr target = ast_.expr(expr(context->expr()));
    if (const auto* named = std::get_if<NameExpr>(&target.node); named && !target.parenthesized) {
      result.name = {named->name, target.span};
      return result;
    }
    if (const auto* indexed = std::get_if<IndexExpr>(&target.node); indexed && !target.parenthesized) {
      const Expr& base = ast_.expr(indexed->base);
      if (const auto* named = std::get_if<NameExpr>(&base.node); named && !base.parenthesized) {
        result.name = {named->name, base.span};
        result.index = indexed->items;
        if (result.type) error(Code::E0101, result.type->span, "an element has the type of its tensor; leave the type out");
        return result;
      }
      if (std::holds_alternative<IndexExpr>(base.node)) {
        std::string element = written(tokens_, context->start->getTokenIndex(), context->stop->getTokenIndex());
        for (std::size_t at; (at = element.find("][")) != std::string::npos;) element.replace(at, 2, ", ");
        error(Code::E0101, target.span, "only `name[…] = value` can update a part")
            .with_help(fmt::format("write all indices in one pair of brackets: `{}`", excerpt(element)));
        return result;
      }
    }
    error(Code::E0101, target.span, "a name should stand on the left of `=`")
        .with_help(std::holds_alternative<CallExpr>(target.node)
                       ? fill_help("a function is declared by `fn`: `fn {1}`", {{text_of_target(context), true}})
                       : "to compare, write `==`");
    return result;
  }

  BrokenStatements& broken_;
  const Diagnostics& found_;
  std::size_t told_ = 0;  // of these: those of broken statements
};

// In source order, the first of each line: what follows on it is often a consequence.
void report(const Diagnostics& found, Diagnostics& diagnostics) {
  std::map<std::uint32_t, const Diagnostic*> by_line;
  for (const Diagnostic& each : found.all()) by_line.emplace(each.span.line, &each);
  for (const auto& [line, first] : by_line) diagnostics.add(*first);
}

std::vector<std::unique_ptr<antlr4::Token>> kinds_of(const std::vector<Token>& tokens) {
  std::vector<std::unique_ptr<antlr4::Token>> kinds;
  kinds.reserve(tokens.size());
  for (const Token& token : tokens) kinds.push_back(std::make_unique<antlr4::CommonToken>(token.kind));
  return kinds;
}

bool follows_grammar(const std::vector<Token>& tokens) {
  antlr4::ListTokenSource source(kinds_of(tokens));
  antlr4::CommonTokenStream stream(&source);
  BpParser parser(&stream);
  parser.removeErrorListeners();
  parser.setErrorHandler(std::make_shared<antlr4::BailErrorStrategy>());
  try {
    parser.file();
  } catch (const antlr4::ParseCancellationException&) {
    return false;
  }
  return true;
}

// From laid-out tokens to the tree; false when there were so many errors that it says nothing.
bool build(const std::vector<Token>& tokens, Ast& ast, Diagnostics& diagnostics) {
  antlr4::ListTokenSource source(kinds_of(tokens));
  antlr4::CommonTokenStream stream(&source);
  BpParser parser(&stream);
  parser.removeErrorListeners();
  std::vector<Skipped> skipped;
  parser.setErrorHandler(make_error_strategy(tokens, skipped, diagnostics));
  // No rule of the grammar depends on what called it, so the faster prediction decides alike.
  parser.getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(antlr4::atn::PredictionMode::SLL);
  const Diagnostics of_tokens = diagnostics;
  try {
    BpParser::FileContext* tree = parser.file();
    BrokenStatements broken(tokens, skipped, of_tokens);
    StatementBuilder builder(tokens, broken, ast, diagnostics);
    for (auto* statement : tree->statement()) builder.statement(statement, ast.top);
  } catch (const antlr4::ParseCancellationException&) {
    return false;
  }
  return true;
}

}  // namespace

std::optional<Ast> parse(const SourceMap& sources, FileId file, Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.all().size();
  auto ast = parse_partial(sources, file, diagnostics);
  return diagnostics.all().size() == before ? std::move(ast) : std::nullopt;
}

std::optional<Ast> parse_partial(const SourceMap& sources, FileId file, Diagnostics& diagnostics) {
  Ast ast;
  ast.file = file;
  Diagnostics found;
  auto tokens = read_tokens(sources, file, ast.comments, found);
  if (tokens) tokens = lay_out(std::move(*tokens), found);
  const bool good = tokens && build(*tokens, ast, found);
  report(found, diagnostics);
  return good ? std::optional(std::move(ast)) : std::nullopt;
}

bool is_code(std::string_view code) {
  for (const char* place : {"{}\n", "y = x[{}]\n", "{} {{ y = x }}\n", "y = [x {}]\n", "input y {}\n"}) {
    SourceMap sources;
    const FileId file = sources.add("", fmt::format(fmt::runtime(place), code));
    std::vector<Comment> comments;
    Diagnostics silent;
    auto tokens = read_tokens(sources, file, comments, silent);
    if (tokens) tokens = lay_out(std::move(*tokens), silent);
    if (tokens && !silent.has_errors() && follows_grammar(*tokens)) return true;
  }
  return false;
}

}  // namespace bpc::frontend
