// Expressions of a script under construction.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "ir/op.h"
#include "support/type.h"

namespace bpc::frontend::script {

// How tightly an expression's outermost operator binds (docs/language.md).
enum Binding : int { conditional = 1, disjunction, conjunction, negation, comparison, sum, product, minus, power, atom };

struct Expr {
  std::string text;
  int binding = atom;
  bool is_literal = false;  // a number without a type of its own: it takes that of what it meets
  bool may_fail = false;    // evaluating it may stop the run, so that it does not move across effects
  std::string base = {};    // of `x + e` and `x - e`: x, if it is a name
  std::string change = {};  // and "+= e" or "-= e"
};

// The text, in parentheses when it binds less tightly than `at_least`.
std::string within(const Expr& expr, int at_least);
// Where the text has the name as a word; npos when it does not.
std::size_t find_word(std::string_view text, std::string_view name);
bool mentions(std::string_view text, std::string_view name);

// A number of the element type as a script writes it; NaN and infinities are divisions by zero.
Expr number(const ir::AttrValue& value, Element element, Element real);
// "[64, 784]"
std::string sizes_text(const Type& type);
// The type as declarations write it, next to the program's default float: "real", "[64, 784]", "i32[3]".
std::string type_spec(const Type& type, Element real);
// "real" for the default float, else "f32", "i32", …: also the name of the cast.
std::string element_spec(Element element, Element real);

}  // namespace bpc::frontend::script
