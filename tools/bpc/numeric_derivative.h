// The derivative of a function of one real, from its values.
#pragma once

#include <functional>
#include <optional>

namespace bpc::tool {

struct NumericDerivative {
  double value;
  bool kink;     // the one-sided derivatives differ
  double error;  // of the value, as estimated
};

// Central differences with one step of Richardson extrapolation (Ridders 1982), the step shrinking from 1e-3 max(1, |x|) until the estimate
// agrees with itself. nullopt when `f` gives nullopt (its evaluation failed).
std::optional<NumericDerivative> differentiate(const std::function<std::optional<double>(double)>& f, double x);

}  // namespace bpc::tool
