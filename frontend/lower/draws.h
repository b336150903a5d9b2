// Which random draws: a stream for each place in the program, inlined copies of a function apart, and a turn for each time it is reached.
#pragma once

#include <cstdint>
#include <optional>

#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

// The stream of the next draw: a hash of the call path and the name that is being assigned (of an initialiser, its param's path), and of
// the number of the draw where one such name has several. It does not change when the script is edited elsewhere.
std::int64_t next_stream(Context& c);

// What tells the turns of the loops and comprehensions around the current place apart: their one counter, or a hash of them, as i64;
// nullopt outside of all. The counters i, j, k of nested loops are hashed as (i a + j) a + k with a multiplier a for which the lattice of
// colliding counters is sparse (the spectral test): two loops of 2^31 turns never collide, three of 2^20.
std::optional<Item> turn_here(Context& c, Span span);

// The indices of a loop; a `while` gets its counter here, the last of what its block carries.
const std::vector<ir::ValueId>& counter_of(Context& c, Counter& counter);

// Counts a loop while it lives.
class Counted {
 public:
  Counted(Context& c, Counter counter) : counters_(c.counters) { counters_.push_back(std::move(counter)); }
  ~Counted() { counters_.pop_back(); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  // Of a `while`: whether a draw has asked for its counter, and the counter.
  bool is_needed() const { return !counters_.back().values.empty(); }
  ir::ValueId value(Context& c) const { return counter_of(c, counters_.back())[0]; }

 private:
  std::vector<Counter>& counters_;
};

}  // namespace bpc::frontend::lowering
