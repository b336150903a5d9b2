// What parts of a kernel leave where it is cut along an axis that it reduces: asked for by the plan and by the code generator.
#pragma once

#include "backend/plan/plan.h"

namespace bpc::plan {

// For each lane, in words of 8 bytes: a sum; a compensated one is two, the total and what rounding lost of it.
std::int64_t left_words(const Reduction& fold);
// Of one part: fold after fold, lane after lane. Whole lines of a cache, so that no two threads write to one.
std::int64_t left_words(const Kernel& kernel);

}  // namespace bpc::plan
