#include "frontend/names/outline.h"

#include <utility>
#include <vector>

#include "frontend/syntax/walk.h"

namespace bpc::frontend {

namespace {

void calls_in(const Ast& ast, ExprId root, std::set<std::string>& callees) {
  std::vector<ExprId> open{root};
  while (!open.empty()) {
    const Expr& expr = ast.expr(open.back());
    open.pop_back();
    if (const auto* call = std::get_if<CallExpr>(&expr.node)) callees.insert(call->callee.text);
    for_each_child(expr.node, [&](ExprId child) { open.push_back(child); });
  }
}

void calls_in(const Ast& ast, StmtId root, std::set<std::string>& callees) {
  for_each_expr(ast.stmt(root).node, [&](ExprId id) { calls_in(ast, id, callees); });
  for_each_block(ast.stmt(root).node, [&](const Block& block) {
    for (StmtId id : block.statements) calls_in(ast, id, callees);
  });
}

}  // namespace

Outline::Outline(const Ast& ast) {
  auto bind = [&](const Name& name) { bound.emplace(name.text, name.span); };
  for (StmtId id : ast.top) {
    const StmtNode& node = ast.stmt(id).node;
    std::visit(
        [&](const auto& statement) {
          if constexpr (requires { statement.assigned; })
            for (const Name& name : statement.assigned) bind(name);
          if constexpr (requires { statement.targets; })
            for (const Target& target : statement.targets) bind(target.name);
          if constexpr (requires { statement.name; }) bind(statement.name);
        },
        node);
    if (const auto* fn = std::get_if<FnStmt>(&node)) calls_in(ast, id, calls[fn->name.text]);
    if (const auto* rule = std::get_if<AdjointStmt>(&node)) calls_in(ast, id, calls[rule->function.text]);
  }
}

bool Outline::reaches(const std::string& from, const std::string& to) const {
  std::set<std::string> seen;
  std::vector<std::string> open{from};
  while (!open.empty()) {
    std::string name = std::move(open.back());
    open.pop_back();
    if (name == to) return true;
    if (!seen.insert(name).second) continue;
    if (auto found = calls.find(name); found != calls.end()) open.insert(open.end(), found->second.begin(), found->second.end());
  }
  return false;
}

}  // namespace bpc::frontend
