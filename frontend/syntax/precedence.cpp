#include "frontend/syntax/precedence.h"

#include <variant>

#include "frontend/syntax/walk.h"

namespace bpc::frontend {

std::optional<Level> operator_level(std::string_view spelling) {
  struct Row {
    std::string_view spelling;
    Level level;
  };
  static constexpr Row kRows[] = {
#define BPC_PRECEDENCE(spelling, level) {spelling, Level::level},
#include "frontend/syntax/precedence.def"
#undef BPC_PRECEDENCE
  };
  for (const Row& row : kRows)
    if (row.spelling == spelling) return row.level;
  return std::nullopt;
}

Level level_of(const Expr& expr) {
  if (expr.parenthesized) return Level::atom;
  return std::visit(overloaded{
                        [](const UnaryExpr& e) { return e.spelling == "not" ? Level::negation : Level::sign; },
                        [](const BinaryExpr& e) { return operator_level(e.spelling).value(); },
                        [](const ConditionalExpr&) { return Level::conditional; },
                        [](const RangeExpr&) { return Level::range; },
                        [](const auto&) { return Level::atom; },
                    },
                    expr.node);
}

}  // namespace bpc::frontend
