// Which `tape` ops may run again while a tape that they made before is still in use, so that each run needs memory of its own.
#pragma once

#include <vector>

#include "ir/function.h"

namespace bpc::plan {

// By op. False for all but tapes made anew in a loop that also carries earlier ones.
std::vector<bool> overlapping_tapes(const ir::Function& function);

}  // namespace bpc::plan
