// Params that get no gradient.
#pragma once

#include <string>
#include <vector>

#include "explain/naming.h"

namespace bpc::explain {

// A sentence for each param that `y` has no derivative by: what cuts it off.
std::vector<std::string> absent_gradients(const Trace& trace, const Namer& namer, const std::string& y);

}  // namespace bpc::explain
