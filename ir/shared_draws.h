// Random draws of processes that have some of the rows of a batch each: the same numbers as one process would draw.
#pragma once

#include <string>
#include <vector>

#include "ir/function.h"

namespace bpc::ir {

// Draws that stand for numbers along the rows: those of a share are a part of those of the whole batch.
struct SharedDraw {
  OpId op;
  std::size_t axis;  // that counts rows
  Type whole;        // of the draw for all of them
};

// The function of a share with those draws that the whole batch would make, cut to its rows: from the one on that a parameter of that name
// says, an i64 that is added.
Function with_shared_draws(const Function& share, const std::vector<SharedDraw>& draws, const std::string& first);

}  // namespace bpc::ir
