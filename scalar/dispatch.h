// From an operator known at run time to its function.
#pragma once

#include "scalar/functions.h"
#include "scalar/operator.h"
#include "support/internal_error.h"

namespace bpc::scalar {

// Calls f with a function object that can be called on what the operator takes: one, two or three operands of one type, the condition of
// `select` being a bool. That of `cast`, which wants to be told a type, and those that
// want an order first, such as `polygamma`, can be called on none of these.
template <class F>
auto with_function(Operator op, F&& f) {
  switch (op) {
#define BPC_SCALAR(id, ...) \
  case Operator::id:        \
    return f([](auto... x) -> decltype(scalar::id(x...)) { return scalar::id(x...); });
#include "scalar/operators.def"
  }
  throw InternalError("scalar", "no such operator");
}

}  // namespace bpc::scalar
