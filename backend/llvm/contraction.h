// Contractions: blocks of both operands are packed, and a register tile of rows x panel accumulators is walked along k.
//
// The blocks are those of Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008): a block of b in the second
// cache, rows of a in the first; each element of a is spread over a vector and multiplied into a row of the tile. A tile at an edge is
// computed like any other, and stored in part.
#pragma once

#include "backend/llvm/code.h"

namespace bpc::backend {

void emit(Code& code, const plan::Contraction& contraction);

}  // namespace bpc::backend
