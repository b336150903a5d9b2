// What bpc knows of each operator and library function, as text: made from ir/ops.def, ir/derivatives and the prelude.
#pragma once

#include <string>
#include <vector>

#include "ir/op.h"
#include "support/type.h"

namespace bpc::tool {

struct Rule {
  std::string name;                   // what a script calls it ("tanh", "+"), or its word in the IR ("slice")
  std::string group;                  // a heading
  std::string usage;                  // "sum(x, axis = none, keep = false)", "a + b"
  std::string doc;                    // one line
  std::string shape;                  // of the result, in words; of an operator
  std::string example;                // "y = sum(x, axis=1) with x [2, 3]", where the formulas are of one shape
  std::vector<std::string> formulas;  // "dx = dy * (1 - y * y)", for the cotangent dy of the result; of an operator
  std::string definition;             // of a library function, with its adjoint if it has one
};

// Operators in the order of the table, library functions, then the functions that the compiler makes of operators.
std::vector<Rule> rule_book();

// An application of an operator that shows its rule: operands, named as its formulas name them.
struct Example {
  std::string shape;
  std::vector<std::string> names;
  std::vector<Type> operands;
  ir::Attributes attrs;
  std::vector<Type> declared;  // the result's type, where the rule needs it
};
Example example_of(const ir::OpInfo& op);

}  // namespace bpc::tool
