// What the tool must know of a script before lowering: which inputs want data, which names are dims.
#include <nlohmann/json.hpp>

#include "frontend/lower.h"
#include "frontend/lower/declarations.h"

namespace bpc::frontend {

namespace {

using nlohmann::json;

// A literal of a selector; null for anything else, which lowering reports.
json selector_json(const Ast& ast, ExprId id) {
  if (!id.valid()) return nullptr;
  const ExprNode& node = ast.expr(id).node;
  if (const auto* text = std::get_if<StringExpr>(&node)) return text->value;
  if (const auto* number = std::get_if<NumberExpr>(&node); number && number->integer) return *number->integer;
  if (const auto* list = std::get_if<ListExpr>(&node)) {
    json items = json::array();
    for (ExprId item : list->items) items.push_back(selector_json(ast, item));
    return items;
  }
  if (const auto* range = std::get_if<RangeExpr>(&node)) {
    json bounds = json::object();
    if (range->lo.valid()) bounds["from"] = selector_json(ast, range->lo);
    if (range->hi.valid()) bounds["to"] = selector_json(ast, range->hi);
    return bounds;
  }
  return nullptr;
}

}  // namespace

std::vector<InputRequest> input_requests(const Program& program) {
  const Ast& ast = *program.asts[0];
  std::vector<InputRequest> requests;
  for (StmtId id : ast.top) {
    const auto* input = std::get_if<InputStmt>(&ast.stmt(id).node);
    if (!input) continue;
    InputRequest request;
    request.name = input->name.text;
    request.span = ast.stmt(id).span;
    if (input->type) request.element = input->type->element.empty() ? "real" : input->type->element;
    request.has_default = input->value.valid();
    if (input->from) {
      request.path = lowering::resolved_path(*program.sources, ast.file, input->from->path);
      request.path_span = input->from->path_span;
      if (input->from->selector.valid()) {
        request.selector = selector_json(ast, input->from->selector).dump();
        request.selector_span = ast.expr(input->from->selector).span;
      }
    }
    requests.push_back(std::move(request));
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
