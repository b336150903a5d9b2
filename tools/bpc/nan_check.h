// --check-nan: which operation made the first NaN or infinity.
#pragma once

#include <memory>

#include "ir/function.h"
#include "runtime/executable.h"
#include "support/source.h"

namespace bpc::tool {

// Interprets `function` (lowered, not simplified) and fails with E0404 at the first operation that makes a NaN or infinity out of finite
// operands, or at an argument that holds one. A constant may be infinite: masks are. Both references must outlive the result.
std::unique_ptr<runtime::Executable> interpret_checking_nan(const ir::Function& function, const SourceMap& sources);

}  // namespace bpc::tool
