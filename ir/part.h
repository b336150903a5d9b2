// A part of a script: what computes some of its outputs, and nothing else.
#pragma once

#include <functional>

#include "ir/function.h"

namespace bpc::ir {

// Without the other outputs, and without the gradient of the loss where no output is one of its results, so that it is not expanded for
// nothing. What has an effect stays.
Function part(const Function& main, const std::function<bool(const Output&)>& wanted);

}  // namespace bpc::ir
