// Compile-time arithmetic: exact on integers, in double on reals. What the operators mean, scalar/ says.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

// A number, bool, string or `none`: what folds without an op.
bool is_compile_time(const Item& item);
std::string number_text(const Number& number);

// Operators on compile-time operands. Integers stay integers except under `/` and a negative exponent; a weak integer past 64 bits becomes
// a weak real. Appends E0203 (bools), E0210 (a typed integer past 64 bits), E0403 (division by zero).
std::optional<Item> fold_unary(Context& c, Span span, std::string_view spelling, const Item& x);
std::optional<Item> fold_binary(Context& c, Span span, std::string_view spelling, const Item& a, const Item& b);
// An elementwise function of weak numbers, so that `const c = sqrt(2)` is exact in either precision, and one that integers have of integers
// (`max`, `abs`), which may be sizes; nullopt when an operand is none of these, or the function is one that derivatives see (`variable`).
std::optional<Item> fold_function(Context& c, Span span, ir::Opcode code, const std::vector<Item>& operands);

// A compile-time integer, such as an axis; otherwise E0205. `what` says what it is for ("an axis").
std::optional<std::int64_t> to_integer(Context& c, const Item& item, const std::string& what);
std::optional<bool> to_bool(Context& c, const Item& item, const std::string& what);

}  // namespace bpc::frontend::lowering
