#pragma once

#include "ir/function.h"

namespace bpc::ir {

// Whether two values are computed in the same way from the same values, as far as a short look tells.
bool computes_same(const Function& function, ValueId a, ValueId b);

}  // namespace bpc::ir
