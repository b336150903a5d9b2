// What bpc knows of each operator and library function, as text: made from ir/ops.def, ir/derivatives, the tables of builtins and the
// comments of the prelude.
#pragma once

#include <string>
#include <vector>

#include "ir/op.h"
#include "support/type.h"

namespace bpc::tool {

class Session;

struct Rule {
  std::string name;                   // what a script calls it: "tanh", "+", ".T", "x[i]"
  std::string group;                  // a heading
  std::string usage;                  // as a script writes it: "sum(x, axis = none, keep = false)", "a + b"
  std::string doc;                    // one line
  std::string shape;                  // of the result, in words
  std::string formulas_for;           // "y = sum(x, axis=1) with x [2, 3]", where the formulas are of one shape
  std::vector<std::string> formulas;  // "dx = dy * (1 - y * y)", for the cotangent dy of the result; or one sentence
  std::string definition;             // of a library function in the language itself, with its adjoint if it has one
  std::string example;                // "v, i = topk([1, 5, 3], 2)"
};

// Everything that a script can call or write as an operator: operators in the order of the table, functions that the compiler makes of
// operators, and those of the prelude.
std::vector<Rule> rule_book();

// A rule is asked for by its name, or by one of the ways it is written: `x[i] += v`.
bool is_asked_by(const std::string& word, const Rule& rule);
// What `bpc rules NAME` prints.
std::string rule_text(const Rule& rule);
// Says that there is no rule of the name, and what may be meant: a rule, or one of the words. The exit code.
int unknown_rule(const Session& session, const std::string& name, const std::vector<Rule>& rules,
                 const std::vector<std::string>& words = {});

// What an example gives when it is run: "[1, 3]", or of an assignment "v = [5, 3]; i = [1, 2]". InternalError where it does not run.
std::string result_of(const std::string& example);

// An application of an operator that shows its rule: operands, named as its formulas name them.
struct Example {
  std::string shape;
  std::vector<std::string> names;
  std::vector<Type> operands;
  ir::Attributes attrs;
  // Of an operator that has a notation in place of a name: what to call it, how it is written, what it does, and an example that runs.
  std::string notation{}, usage{}, sentence{}, script{};
};
Example example_of(const ir::OpInfo& op);

}  // namespace bpc::tool
