// The chain rule: the ways from what the derivative is of to a value that it is taken by; in forward mode, from that to what it is of.
#pragma once

#include "explain/explanation.h"

namespace bpc::explain {

// The paths through the contributions of an explanation, where they are few and of scalars; and why the gradient is zero, if it is.
Chain chain_of(const Explanation& explanation, QuantityId of);

}  // namespace bpc::explain
