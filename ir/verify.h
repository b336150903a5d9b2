// The invariants of the IR, all of them, and a check that they hold.
#pragma once

#include <string>
#include <vector>

#include "ir/function.h"

namespace bpc::ir {

// One sentence per violation ("main: op 12 (mul): operand %x is used before it is defined"); empty when all is well. Run after every pass
// in tests and dev builds.
std::vector<std::string> verify(const Function& function);
std::vector<std::string> verify(const Module& module);

}  // namespace bpc::ir
