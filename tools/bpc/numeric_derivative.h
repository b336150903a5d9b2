// The derivative of a function of one real, from its values.
#pragma once

#include <functional>
#include <optional>

namespace bpc::tool {

struct NumericDerivative {
  double value;
  bool kink;           // the one-sided derivatives differ
  double error;        // of the value, as estimated
  double left, right;  // the one-sided derivatives, to a lower order
};

// Central differences with one step of Richardson extrapolation (Ridders 1982), the step shrinking from 1e-3 max(1, |x|) until the estimate
// agrees with itself. nullopt when `f` gives nullopt (its evaluation failed). `epsilon` is the relative rounding error of `f`, `first` the
// step to begin with, relative to max(1, |x|).
std::optional<NumericDerivative> differentiate(const std::function<std::optional<double>(double)>& f, double x, double epsilon = 2.2e-16,
                                               double first = 1e-3);

}  // namespace bpc::tool
