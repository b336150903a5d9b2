#include "frontend/names/habits.h"

#include <fmt/format.h>

#include "frontend/builtins/builtins.h"

namespace bpc::frontend {

Captured Habits::captured(ExprId id) const {
  return frontend::captured(sources_, ast_, id);
}

bool Habits::is_name(ExprId id) const {
  return id.valid() && std::holds_alternative<NameExpr>(ast_.expr(id).node);
}

ExprId Habits::negated(ExprId id) const {
  const auto* sign = id.valid() ? std::get_if<UnaryExpr>(&ast_.expr(id).node) : nullptr;
  return sign && sign->spelling == "-" ? sign->operand : ExprId{};
}

bool Habits::starts_comment(const BinaryExpr& link) const {
  if (link.spelling == "//" || link.spelling == "%") return is_name(link.right);
  return link.spelling == "-" && is_name(negated(link.right));
}

bool Habits::is_comment(ExprId id) const {
  return is_name(negated(negated(id)));
}

bool Habits::starts_with_sign(ExprId id) const {
  for (;;) {
    const Expr& expr = ast_.expr(id);
    if (expr.parenthesized) return false;
    const auto* binary = std::get_if<BinaryExpr>(&expr.node);
    if (!binary) return negated(id).valid();
    id = binary->left;
  }
}

bool Habits::report_differentials(const BinaryExpr& quotient) const {
  const Expr &over = ast_.expr(quotient.left), &under = ast_.expr(quotient.right);
  const auto *y = std::get_if<NameExpr>(&over.node), *x = std::get_if<NameExpr>(&under.node);
  auto is_differential = [&](const NameExpr* one) {
    return one && one->name.size() > 1 && one->name[0] == 'd' && !scopes_.find(one->name) && scopes_.find(one->name.substr(1));
  };
  if (quotient.spelling != "/" || !is_differential(y) || !is_differential(x)) return false;
  Span both = over.span;
  both.end_line = under.span.end_line;
  both.end_column = under.span.end_column;
  diagnostics_.error(Code::E0103, both, fmt::format("unknown names `{}` and `{}`", y->name, x->name))
      .with_help(fmt::format("the gradient is `grad({}, {})`", y->name.substr(1), x->name.substr(1)));
  return true;
}

bool Habits::report_called_with_sign(ExprId callee, const BinaryExpr& difference) const {
  const Expr& left = ast_.expr(callee);
  const auto* function = std::get_if<NameExpr>(&left.node);
  if (difference.spelling != "-" || !function || left.parenthesized) return false;
  const Definition* own = scopes_.find(function->name);
  if (own ? own->kind != Definition::Kind::function : !is_builtin_function(function->name)) return false;
  diagnostics_.error(Code::E0209, left.span, fmt::format("`{}` is a function, not a value", function->name))
      .with_help(fill_help("its argument stands in parentheses: `{1}(-{2})`", {captured(callee), captured(difference.right)}));
  return true;
}

bool Habits::report_added_axis(const IndexExpr& index) const {
  for (std::size_t axis = 0; axis < index.items.size(); ++axis) {
    const Expr& item = ast_.expr(index.items[axis]);
    const auto* name = std::get_if<NameExpr>(&item.node);
    if (!name || (name->name != "None" && name->name != "newaxis") || scopes_.find(name->name)) continue;
    diagnostics_.error(Code::E0111, item.span, "an index adds no axis")
        .with_help(fill_help(fmt::format("write `expand_dims({{1}}, {})`", axis), {captured(index.base)}));
    return true;
  }
  return false;
}

std::optional<Habits::Binding> Habits::report_binding(const ExprStmt& statement, Span at) const {
  const auto* binary = std::get_if<BinaryExpr>(&ast_.expr(statement.value).node);
  const auto* name = binary ? std::get_if<NameExpr>(&ast_.expr(binary->left).node) : nullptr;
  if (!name) return std::nullopt;
  const Expr& right = ast_.expr(binary->right);
  const Span& sign = binary->spelling_span;
  const bool arrow = binary->spelling == "<" && std::holds_alternative<UnaryExpr>(right.node) && !right.parenthesized &&
                     sign.end_line == right.span.line && sign.end_column == right.span.column;
  if (binary->spelling != "==" && !arrow) return std::nullopt;
  const ExprId value = arrow ? std::get<UnaryExpr>(right.node).operand : binary->right;
  diagnostics_.error(Code::E0109, at, "this value is not used")
      .with_help(fill_help("to bind a name, write `{1} = {2}`", {{name->name, true}, captured(value)}));
  return Binding{{name->name, ast_.expr(binary->left).span}, value};
}

}  // namespace bpc::frontend
