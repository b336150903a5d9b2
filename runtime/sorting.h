// Sorting, which compiled code and the interpreter both call.
#pragma once

#include <cstdint>

#include "scalar/functions.h"

namespace bpc::runtime {

// The indices that sort x[outer, n, inner] along its middle axis: equal elements (0 and -0 are) keep their order, NaNs come last, also in
// descending order. `work` has 2 n elements for elements of 4 bytes, 4 n for those of 8. Never stops: the result is 0, as a library
// kernel's status.
template <scalar::Number T>
std::int64_t argsort(const T* x, std::int32_t* out, std::int64_t* work, std::int64_t outer, std::int64_t n, std::int64_t inner,
                     std::int64_t descending);

}  // namespace bpc::runtime
