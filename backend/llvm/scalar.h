// Scalar instructions, of kernels and of the host: elementwise operators on one element, loads, positions.
#pragma once

#include "backend/llvm/code.h"

namespace bpc::backend {

// Sets the register of the instruction, whose loads and positions are at these indices. What scalar/functions.h says, to the last bit.
void emit(Code& code, const plan::Instruction& instruction, Indices indices);

}  // namespace bpc::backend
