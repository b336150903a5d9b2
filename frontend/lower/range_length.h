// How long a range `lo..hi by step` is, where the text alone can say it.
#pragma once

#include <cstdint>
#include <optional>

#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

// hi - lo, when it does not depend on what is known at run time only: (i+1)*B - i*B is B.
std::optional<std::int64_t> known_distance(Context& c, ExprId lo, ExprId hi);
// The number of steps from lo until hi is reached or passed; none when it lies the other way. The step is not 0.
std::int64_t range_length(std::int64_t lo, std::int64_t hi, std::int64_t step);

}  // namespace bpc::frontend::lowering
