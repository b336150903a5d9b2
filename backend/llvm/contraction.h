// Contractions: a packed panel of b, and a register tile of rows x panel accumulators walked along k.
//
// The tile is that of Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008): each element of a is spread over a
// vector and multiplied into a row of the tile. Ragged edges get a panel padded with zeros and tiles with fewer rows.
#pragma once

#include "backend/llvm/code.h"

namespace bpc::backend {

void emit(Code& code, const plan::Contraction& contraction);

}  // namespace bpc::backend
