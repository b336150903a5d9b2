// The chain rule of one value: the ways from what the derivative is of to it.
#pragma once

#include "explain/explanation.h"

namespace bpc::explain {

// The paths through the contributions of an explanation, where they are few and of scalars; and why the gradient is zero, if it is.
Chain chain_of(const Explanation& explanation, QuantityId x);

}  // namespace bpc::explain
