// How the kernel of a library op (runtime/linalg.h, runtime/sorting.h) is called.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/function.h"

namespace bpc::ir {

// Its sizes, in order, and the elements it works in.
struct KernelSizes {
  std::vector<std::int64_t> sizes;
  Type work;
};
KernelSizes kernel_sizes(const Function& function, const Op& op);

}  // namespace bpc::ir
