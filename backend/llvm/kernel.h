// Kernels: loop nests whose accumulators are stack slots, which LLVM turns into registers.
#pragma once

#include "backend/llvm/code.h"

namespace bpc::backend {

// In a function of its own, but for loops that may stop the run and kernels without loops.
void emit(Code& code, const plan::Kernel& kernel);
void emit(Code& code, const plan::Rows& rows);

}  // namespace bpc::backend
