// Why nothing goes on from a step on the walk back.
#pragma once

#include "explain/explanation.h"

namespace bpc::explain {

// What a contribution is zero by, though something arrives: "-3 ≤ 0", "tanh is flat at 100", "h1 = 0, since relu(z1) is 0: -3 ≤ 0 (line
// 7)". Empty where it is not zero, or nothing arrives.
std::string why_lost(const Explanation& explanation, const Contribution& contribution);
// Why the gradient of a value is zero: the steps where what arrives is lost, on the way back from y.
std::string why_zero(const Explanation& explanation, QuantityId x);
// Why an element of an input of a visible step moves nothing there: "relu lets nothing through: -5 ≤ 0".
std::string why_stuck(const Explanation& explanation, std::size_t visible, double element);

}  // namespace bpc::explain
