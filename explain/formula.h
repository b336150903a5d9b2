// Formulas as a textbook shows them: what the compiler writes as an expression, without what only computers need.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/syntax/ast.h"

namespace bpc::explain {

struct Formula {
  enum class Kind : std::uint8_t { number, name, negative, sum, product, quotient, power, matmul, transpose, call, other };
  Kind kind = Kind::other;
  std::string text;            // a name, the number as it was written, a function, or what is shown as it stands
  double value = 0;            // of a number
  std::vector<Formula> parts;  // of a sum, a difference is a negative part; of a product, factors; of the others, in order

  static Formula number(double value);
  static Formula name(std::string name);
  bool is(Kind other) const { return kind == other; }
  bool is_number(double other) const { return kind == Kind::number && value == other; }
  bool operator==(const Formula&) const = default;
};

// An expression of a tree, with its numbers put together and without what shapes need (reshapes, stretching, casts).
Formula formula_of(const frontend::Ast& ast, frontend::ExprId id);
// The same after something was put in its place.
Formula tidied(Formula formula);
// With the names for which `by` gives something replaced.
Formula replaced(const Formula& formula, const std::function<const Formula*(const std::string& name)>& by);
// Whether the formula is a multiple of the name: a product with it, once. `rest`: the other factors.
bool is_multiple(const Formula& formula, const std::string& name, Formula& rest);
bool mentions(const Formula& formula, const std::string& name);

// On one line: `2·x + 1`, `x.T @ dJ/dz`. In a product, what binds less tightly stands in parentheses.
std::string text_of(const Formula& formula);
// As a factor of a product.
std::string factor_text(const Formula& formula);
std::string latex_of(const Formula& formula);
std::string latex_factor(const Formula& formula);
std::string latex_name(const std::string& name);
// Plain text in a document: nothing of it is taken for a command.
std::string latex_text(const std::string& text);
// "dJ/dw"; of a derivative, "d(dJ/dw)/dw".
std::string derivative_name(const std::string& y, const std::string& x);
// Characters on a terminal.
std::size_t width_of(std::string_view text);
// "2", "-0.5", "1.234e-05": six digits at most.
std::string number_text(double value, int digits = 6);

}  // namespace bpc::explain
