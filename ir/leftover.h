// What a branch that is not taken leaves as an earlier turn of a loop has made it.
#pragma once

#include <vector>

#include "ir/function.h"

namespace bpc::ir {

// Whether y can be, by some sides of the branches of the turn at hand, computed without x, and yet from an argument of a loop that holds
// what an earlier turn has left (`left`, by value): `if c { e = p^2 }` leaves the e of an earlier p. What is `fixed` (by value) counts as
// made from neither. Sides are taken as if they did not depend on each other.
bool may_be_left_over(const Function& function, ValueId y, ValueId x, const std::vector<bool>& left, const std::vector<bool>& fixed);

}  // namespace bpc::ir
