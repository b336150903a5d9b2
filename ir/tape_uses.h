// Tapes are used linearly: at most once on each way through a program.
#pragma once

#include <vector>

#include "ir/function.h"

namespace bpc::ir {

// A second use of a tape, or (`before` is invalid then) a use in a loop or map that the tape comes from outside of. The users are ops, or
// those whose regions yield the tape.
struct TapeMisuse {
  ValueId tape;
  OpId use, before;
};

// The first misuse of each tape, given a function whose structure is sound. Uses on different sides of an if_else are no second ones.
std::vector<TapeMisuse> tape_misuses(const Function& function);

}  // namespace bpc::ir
