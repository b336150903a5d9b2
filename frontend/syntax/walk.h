// The children of a tree's nodes, in source order.
#pragma once

#include <type_traits>
#include <variant>

#include "frontend/syntax/ast.h"

namespace bpc::frontend {

template <typename... Functions>
struct overloaded : Functions... {
  using Functions::operator()...;
};

// Calls f(ExprId) for every operand that is present.
template <typename F>
void for_each_child(const ExprNode& node, F&& f) {
  auto visit = [&](ExprId id) {
    if (id.valid()) f(id);
  };
  std::visit(overloaded{
                 [](const NumberExpr&) {},
                 [](const BoolExpr&) {},
                 [](const StringExpr&) {},
                 [](const NameExpr&) {},
                 [&](const UnaryExpr& e) { visit(e.operand); },
                 [&](const BinaryExpr& e) { visit(e.left), visit(e.right); },
                 [&](const ConditionalExpr& e) { visit(e.then), visit(e.condition), visit(e.otherwise); },
                 [&](const RangeExpr& e) { visit(e.lo), visit(e.hi), visit(e.step); },
                 [&](const ListExpr& e) {
                   for (ExprId item : e.items) visit(item);
                 },
                 [&](const CallExpr& e) {
                   for (const Argument& argument : e.arguments) visit(argument.value);
                 },
                 [&](const IndexExpr& e) {
                   visit(e.base);
                   for (ExprId item : e.items) visit(item);
                 },
                 [&](const TransposeExpr& e) { visit(e.operand); },
                 [&](const ComprehensionExpr& e) {
                   visit(e.body);
                   for (const Generator& generator : e.generators) visit(generator.range);
                 },
                 [&](const FunctionExpr& e) { visit(e.fn.expression); },
             },
             node);
}

// Calls f(ExprId) for every value, condition, range and index of a statement that stands outside its blocks and types.
template <typename F>
void for_each_expr(const StmtNode& node, F&& f) {
  auto visit = [&](ExprId id) {
    if (id.valid()) f(id);
  };
  std::visit(
      [&](const auto& s) {
        if constexpr (requires { s.value; }) visit(s.value);
        if constexpr (requires { s.expression; }) visit(s.expression);
        if constexpr (requires { s.condition; }) visit(s.condition);
        if constexpr (requires { s.range; }) visit(s.range);
        if constexpr (requires { s.targets; })
          for (const Target& target : s.targets)
            if (target.index)
              for (ExprId id : *target.index) visit(id);
        if constexpr (requires { s.values; })
          for (ExprId id : s.values) visit(id);
        if constexpr (requires { s.items; })
          for (ExprId id : s.items) visit(id);
      },
      node);
}

// Calls f(name) for every name that an assignment binds, or what may have been one.
template <typename F>
void for_each_assigned(const StmtNode& node, F&& f) {
  if (const auto* assignment = std::get_if<AssignStmt>(&node))
    for (const Target& target : assignment->targets) f(target.name);
  if (const auto* broken = std::get_if<ErrorStmt>(&node))
    for (const Name& name : broken->assigned) f(name);
}

// Calls f(block) for every block of a statement, which is a StmtNode, const or not.
template <typename Node, typename F>
void for_each_block(Node& node, F&& f) {
  if (auto* fn = std::get_if<FnStmt>(&node); fn && !fn->expression.valid()) f(fn->body);
  if (auto* adjoint = std::get_if<AdjointStmt>(&node)) f(adjoint->body);
  if (auto* branch = std::get_if<IfStmt>(&node)) {
    f(branch->then);
    if (branch->otherwise) f(*branch->otherwise);
  }
  if (auto* loop = std::get_if<ForStmt>(&node)) f(loop->body);
  if (auto* loop = std::get_if<WhileStmt>(&node)) f(loop->body);
}

}  // namespace bpc::frontend
