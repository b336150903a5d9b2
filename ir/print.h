// The text form of the IR; ir/read.h reads it back to the same module, so that print(read(print(m))) == print(m).
#pragma once

#include <string>

#include "ir/function.h"

namespace bpc::ir {

std::string print(const Module& module);

}  // namespace bpc::ir
