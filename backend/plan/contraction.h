// What a contraction makes of its axes and of the memory it works in: asked for by the passes of the plan and by the code generator.
#pragma once

#include "backend/plan/plan.h"

namespace bpc::plan {

// How one operand is walked along a group of axes, as if it were one: axes that it walks as one are one here.
struct Walk {
  std::vector<std::int64_t> sizes, strides;  // outermost first, no size of 1
  std::int64_t count = 1;
  // Whether all elements are equally far from each other.
  bool is_even() const { return sizes.size() <= 1; }
  std::int64_t stride() const { return sizes.empty() ? 0 : strides.back(); }
  // So many elements lie side by side, again and again.
  std::int64_t run() const { return sizes.empty() ? 1 : strides.back() == 1 ? sizes.back() : 1; }
};
// What to ask for: the strides of an operand, and the axes of the group among them.
enum class Group : std::uint8_t { batch, m, n, k };
Walk walk(const Contraction& contraction, Group group, const Access& operand);
// How far an element is from the first.
std::int64_t offset(const Walk& walk, std::int64_t index);
std::int64_t count(const std::vector<std::int64_t>& sizes);

// Whether one block of an operand is all of it, but for k, so that it is packed at once, for all tiles.
bool packs_a_at_once(const Contraction& contraction);
bool packs_b_at_once(const Contraction& contraction);
// The parts in which operands are packed at once: of so many rows or columns, in whole tiles.
Cut packing_of_a(const Contraction& contraction);
Cut packing_of_b(const Contraction& contraction);

// How many threads at most share the parts.
std::int64_t most_threads(const Contraction& contraction);

// ---- memory, in elements: room for each thread, and for all at once, which one thread does alone ----

// Of packed_a: tile after tile of so many rows; one packed along k lies row by row, each of so many elements; one packed across k has the
// rows side by side.
std::int64_t row_length(const Contraction& contraction);
std::int64_t packed_a_room(const Contraction& contraction);
std::int64_t packed_a_count(const Contraction& contraction);
// Of packed_b: panel after panel, each of so many rows; in those behind the depth zeros may be written.
std::int64_t panel_length(const Contraction& contraction);
std::int64_t packed_b_room(const Contraction& contraction);
std::int64_t packed_b_count(const Contraction& contraction);
// A square of so many elements is turned at once.
std::int64_t turned(const Contraction& contraction);
// Totals in f64, where k is more than one block deep: tile after tile, row by row of tiles. Threads that share the batch have their own.
bool keeps_totals(const Contraction& contraction);
std::int64_t totals_room(const Contraction& contraction);
std::int64_t totals_count(const Contraction& contraction);
// Offsets (i64) where an operand does not walk evenly: of a and b along k (depth), and of c along m (height).
std::int64_t offsets_room(const Contraction& contraction);
std::int64_t offsets_count(const Contraction& contraction);

// tile.cpp: chooses the tile of c, or of c with the roles of a and b exchanged, and gives it the memory to work in. False: a loop over the
// products is faster.
bool choose_tile(Plan& plan, Contraction& contraction);
// About how many cycles so many rows and columns of the result take, in one turn of the batch.
struct Cycles {
  double tiles = 0, packing_a = 0, packing_b = 0;
  double all() const { return tiles + packing_a + packing_b; }
};
Cycles cycles(const Plan& plan, const Contraction& contraction, std::int64_t m, std::int64_t n);
// Gives the contraction, which has room for one part, a grid, and room for its parts.
void set_grid(Plan& plan, Contraction& contraction, const Grid& grid);

}  // namespace bpc::plan
