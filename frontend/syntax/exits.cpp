#include "frontend/syntax/exits.h"

#include <algorithm>

#include "frontend/syntax/walk.h"

namespace bpc::frontend {

Exits exits_of(const Ast& ast, const Block& block) {
  Exits exits;
  for (StmtId id : block.statements) {
    const Exits own = exits_of(ast, id);
    exits = {exits.turn || own.turn, exits.loop || own.loop, exits.function || own.function};
  }
  return exits;
}

Exits exits_of(const Ast& ast, StmtId id) {
  const StmtNode& node = ast.stmt(id).node;
  if (std::holds_alternative<ContinueStmt>(node)) return {true, false, false};
  if (std::holds_alternative<BreakStmt>(node)) return {false, true, false};
  if (std::holds_alternative<ReturnStmt>(node)) return {false, false, true};
  if (const auto* loop = std::get_if<ForStmt>(&node)) return {false, false, exits_of(ast, loop->body).function};
  if (const auto* loop = std::get_if<WhileStmt>(&node)) return {false, false, exits_of(ast, loop->body).function};
  const auto* branch = std::get_if<IfStmt>(&node);
  if (!branch) return {};
  const Exits then = exits_of(ast, branch->then), otherwise = branch->otherwise ? exits_of(ast, *branch->otherwise) : Exits{};
  return {then.turn || otherwise.turn, then.loop || otherwise.loop, then.function || otherwise.function};
}

bool always_leaves(const Ast& ast, StmtId id) {
  const StmtNode& node = ast.stmt(id).node;
  if (const auto* branch = std::get_if<IfStmt>(&node))
    return branch->otherwise && always_leaves(ast, branch->then) && always_leaves(ast, *branch->otherwise);
  return std::holds_alternative<ContinueStmt>(node) || std::holds_alternative<BreakStmt>(node) || std::holds_alternative<ReturnStmt>(node);
}

bool always_leaves(const Ast& ast, const Block& block) {
  return std::ranges::any_of(block.statements, [&](StmtId id) { return always_leaves(ast, id); });
}

}  // namespace bpc::frontend
