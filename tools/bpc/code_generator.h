// Machine code, by a library of its own that is loaded when the first code is generated: LLVM takes longer to load than a small script to
// check or to interpret.
#pragma once

#include "backend/llvm/jit.h"

namespace bpc::tool {

// Ends the process with E0502 when the library is not there.
const backend::CodeGenerator& code_generator();

// Where compiled code is kept: $XDG_CACHE_HOME/bpc, or ~/.cache/bpc. Empty where there is no such place.
std::string code_folder();

}  // namespace bpc::tool
