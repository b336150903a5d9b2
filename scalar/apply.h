// Operators on numbers that are known.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "scalar/operator.h"
#include "support/type.h"

namespace bpc::scalar {

// A number of some element type, exactly: a real, or an integer, of which a bool is 0 or 1.
using Value = std::variant<std::int64_t, double>;

// What the operator gives for operands of the element type: what a program that computes it at run time gets. Of `cast` the type is that of
// the result; the condition of `select` is a bool. nullopt for the integer division by zero, which is an error, and for what the operands
// do not decide (`polygamma`, which has an order besides).
std::optional<Value> apply(Operator op, Element element, std::span<const Value> operands);

}  // namespace bpc::scalar
