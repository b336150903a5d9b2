// What the tool must know of a script before lowering: what wants data, which names are dims.
#include <fmt/format.h>

#include "frontend/lower.h"
#include "frontend/lower/declarations.h"
#include "frontend/syntax/parse.h"

namespace bpc::frontend {

namespace {

std::optional<std::int64_t> integer(const Ast& ast, ExprId id) {
  const ExprNode& node = ast.expr(id).node;
  if (const auto* number = std::get_if<NumberExpr>(&node)) return number->integer;
  const auto* unary = std::get_if<UnaryExpr>(&node);
  if (!unary || unary->spelling != "-") return std::nullopt;
  const auto* number = std::get_if<NumberExpr>(&ast.expr(unary->operand).node);
  return number && number->integer ? std::optional(-*number->integer) : std::nullopt;
}

std::optional<Selector::Column> column(const Ast& ast, ExprId id) {
  if (const auto* text = std::get_if<StringExpr>(&ast.expr(id).node)) return text->value;
  const auto index = integer(ast, id);
  return index ? std::optional(Selector::Column(*index)) : std::nullopt;
}

std::optional<Selector> range(const Ast& ast, const RangeExpr& range) {
  Selector::Range result;
  if (range.lo.valid() && !(result.from = integer(ast, range.lo))) return std::nullopt;
  if (range.hi.valid() && !(result.to = integer(ast, range.hi))) return std::nullopt;
  if (range.step.valid()) {
    const auto step = integer(ast, range.step);
    if (!step || *step == 0) return std::nullopt;
    result.step = *step;
  }
  return Selector{result};
}

std::optional<Selector> read_selector(const Ast& ast, ExprId id) {
  const ExprNode& node = ast.expr(id).node;
  if (const auto* slice = std::get_if<RangeExpr>(&node)) return range(ast, *slice);
  const auto* list = std::get_if<ListExpr>(&node);
  if (!list) {
    auto single = column(ast, id);
    return single ? std::optional(Selector{std::move(*single)}) : std::nullopt;
  }
  std::vector<Selector::Column> columns;
  for (ExprId item : list->items) {
    auto each = column(ast, item);
    if (!each) return std::nullopt;
    columns.push_back(std::move(*each));
  }
  return columns.empty() ? std::nullopt : std::optional(Selector{std::move(columns)});
}

void add_source(const Program& program, const Ast& ast, const FromClause& from, DataRequest& request, Diagnostics& diagnostics) {
  request.path = lowering::resolved_path(*program.sources, ast.file, from.path);
  request.path_span = from.path_span;
  if (!from.selector.valid()) return;
  if (auto selector = read_selector(ast, from.selector)) {
    request.selector = std::move(*selector);
    return;
  }
  request.is_refused = true;
  const Span span = ast.expr(from.selector).span;
  const auto* name = std::get_if<NameExpr>(&ast.expr(from.selector).node);
  diagnostics.error(Code::E0511, span, fmt::format("the selector [{}] cannot be read", program.sources->text(span)))
      .with_help(name ? fmt::format("a column's name is quoted: [\"{}\"]", name->name) : kSelectorForms);
}

DataRequest request_for(const Name& name, Span span, const std::optional<TypeExpr>& type, ExprId value) {
  DataRequest request;
  request.name = name.text;
  request.span = span;
  if (type) request.element = type->element.empty() ? "real" : type->element;
  request.has_default = value.valid();
  return request;
}

}  // namespace

std::optional<Selector> read_selector(std::string_view text) {
  SourceMap sources;
  Diagnostics silent;
  const FileId file = sources.add("a selector", fmt::format("input x from \"\"[{}]\n", text));
  const auto ast = parse(sources, file, silent);
  const auto* input = ast && ast->top.size() == 1 ? std::get_if<InputStmt>(&ast->stmt(ast->top[0]).node) : nullptr;
  const ExprId id = input && input->from ? input->from->selector : ExprId{};
  const bool is_all = id.valid() && sources.text(ast->expr(id).span) == text;  // no more statements, no comment
  return is_all ? read_selector(*ast, id) : std::nullopt;
}

std::vector<DataRequest> data_requests(const Program& program, Diagnostics& diagnostics) {
  const Ast& ast = *program.asts[0];
  std::vector<DataRequest> requests;
  for (StmtId id : ast.top) {
    const Stmt& statement = ast.stmt(id);
    if (const auto* input = std::get_if<InputStmt>(&statement.node)) {
      requests.push_back(request_for(input->name, statement.span, input->type, input->value));
      requests.back().has_classes = input->of.valid();
      if (const auto* dim = input->of.valid() ? std::get_if<NameExpr>(&ast.expr(input->of).node) : nullptr)
        requests.back().class_dim = dim->name;
      if (input->from) add_source(program, ast, *input->from, requests.back(), diagnostics);
    } else if (const auto* param = std::get_if<ParamStmt>(&statement.node)) {
      requests.push_back(request_for(param->name, statement.span, param->type, param->value));
      requests.back().is_param = true;
      if (requests.back().element.empty()) requests.back().element = "real";  // it is learned
      if (param->from) add_source(program, ast, *param->from, requests.back(), diagnostics);
    }
  }
  return requests;
}

std::vector<std::string> dim_names(const Program& program) {
  std::vector<std::string> names;
  for (const auto& ast : program.asts)
    for (StmtId id : ast->top)
      if (const auto* dim = std::get_if<DimStmt>(&ast->stmt(id).node)) names.push_back(dim->name.text);
  return names;
}

}  // namespace bpc::frontend
