// How tightly the parts of an expression bind (docs/language.md).
#pragma once

#include <optional>
#include <string_view>

#include "frontend/syntax/ast.h"

namespace bpc::frontend {

enum class Level : std::uint8_t { range, conditional, disjunction, conjunction, negation, comparison, sum, product, sign, power, atom };

// Of an operator between two operands; nullopt for what is none.
std::optional<Level> operator_level(std::string_view spelling);
// Of the outermost operator of an expression; what stands in brackets is an atom.
Level level_of(const Expr& expr);

}  // namespace bpc::frontend
