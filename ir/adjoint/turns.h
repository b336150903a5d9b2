// The turns of a loop, last to first.
#pragma once

#include <string>

#include "ir/builder.h"

namespace bpc::ir {

// Bounds of a for_loop that makes the turns of another loop backwards.
struct Turns {
  ValueId lo, hi, by;
  std::string name;         // of its index
  bool is_counted = false;  // the index counts n-1, …, 0 instead of being the loop's own
  bool runs = false;        // there is at least one turn
};

// For a for_loop with constant bounds, its index backwards. Any other loop is made to carry a count of its turns.
Turns reversed_turns(Builder& builder, OpId loop);

// The index of a for_loop in the turn with that number, emitted at the start of `block`.
ValueId index_of_turn(const Builder& builder, BlockId block, const Op& loop, ValueId turn);

}  // namespace bpc::ir
