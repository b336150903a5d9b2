// Which loop of a kernel is inside which.
#pragma once

#include "backend/plan/plan.h"

namespace bpc::plan {

// Puts the axes of every kernel in the order that Kernel documents, chosen so that the innermost loop walks memory one element at a time;
// drops axes of size 1 and merges axes that are walked as one.
void order_loops(Plan& plan);

}  // namespace bpc::plan
