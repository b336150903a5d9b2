// Builtin functions: the spelled operators of ir/ops.def, a table of functions made of ops here, and the prelude.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bpc::frontend {

// Whether a script may call this name without defining it.
bool is_builtin_function(std::string_view name);
// Functions that the front end makes of operators, and the forms of the language that look like calls.
struct BuiltinSignature {
  std::string_view name, parameters;
};
std::vector<BuiltinSignature> builtin_signatures();
// All of them, for "did you mean".
std::vector<std::string> builtin_names();

}  // namespace bpc::frontend

namespace bpc::frontend::lowering {

// A spelled operator or one of the table (not the prelude).
bool is_native_builtin(std::string_view name);
// grad, jvp … (derivatives.cpp): their arguments after the first are what they differentiate by.
bool is_derivative_form(std::string_view name);

}  // namespace bpc::frontend::lowering
