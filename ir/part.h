// A part of a script: what computes some of its outputs, and nothing else.
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "ir/function.h"

namespace bpc::ir {

// Without the other outputs, and without the gradient of the loss where no output is one of its results, so that it is not expanded for
// nothing. What has an effect stays.
Function part(const Function& main, const std::function<bool(const Output&)>& wanted);

// The values of the body that are computed from any of these, by whatever path, themselves included; indexed by value.
std::vector<bool> computed_from(const Function& function, std::span<const ValueId> sources);

// Without the parameters of these paths, and without all that is computed from them or speaks of them. No output may be.
Function without_parameters(const Function& function, const std::set<std::string>& paths);

}  // namespace bpc::ir
