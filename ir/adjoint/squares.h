// Squares of values that have a kink, made smooth before derivatives are taken: |z|^2 is z^2, and sqrt(s)^2 has the derivative of s. By the
// chain rule alone, the second derivative at the kink would be 0.
#pragma once

#include <vector>

#include "ir/function.h"

namespace bpc::ir {

// Rewrites a*a and a^2, a^4 …, where a is `abs` or `sqrt` of something, or a function with an adjoint that ends in `sqrt` (norm, std),
// reshaped or stretched perhaps. What they compute stays the same to the last bit. `variables`, by value: those that some derivative is
// taken by stay on the way of theirs.
Function square_exactly(const Function& function, const std::vector<bool>& variables);

}  // namespace bpc::ir
