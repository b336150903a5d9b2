// Builtin functions: the spelled operators of ir/ops.def, a table of functions made of ops here, and the prelude.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bpc::frontend {

// What `bpc rules` says of a function.
struct Help {
  std::string_view sentence, shape, derivative;  // shape of the result; the derivative as a formula in dy, or in words
  std::string_view example;                      // statements before an expression or assignment, whose values are shown
};

// Whether a script may call this name without defining it.
bool is_builtin_function(std::string_view name);
// Whether it is a function of the library, for scripts or for other functions of the library.
bool is_library_function(std::string_view name);
// Functions that the front end makes of operators, and the forms of the language that look like calls.
struct BuiltinDescription {
  std::string_view name;
  std::string parameters;
  Help help;
};
std::vector<BuiltinDescription> builtin_descriptions();
// Names of numbers, which a script may bind anew.
struct BuiltinConstant {
  std::string_view name;
  double value;
};
std::span<const BuiltinConstant> builtin_constants();
bool is_builtin_constant(std::string_view name);
double builtin_constant(std::string_view name);  // of which there is one
// All functions, for "did you mean".
std::vector<std::string> builtin_names();

}  // namespace bpc::frontend

namespace bpc::frontend::lowering {

// A spelled operator or one of the table (not the prelude).
bool is_native_builtin(std::string_view name);
// grad, jvp … (derivatives.cpp): their arguments after the first are what they differentiate by.
bool is_derivative_form(std::string_view name);

}  // namespace bpc::frontend::lowering
