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
std::int64_t count(const std::vector<std::int64_t>& sizes);

// ---- memory, in elements ----

// Of packed_a: tile after tile of so many rows; one packed along k lies row by row, each of so many elements; one packed across k has the
// rows side by side.
std::int64_t row_length(const Contraction& contraction);
std::int64_t packed_a_count(const Contraction& contraction);
// Of packed_b: panel after panel of depth x panel elements; those behind the last may be written.
std::int64_t packed_b_count(const Contraction& contraction);
// A square of so many elements is turned at once.
std::int64_t turned(const Contraction& contraction);
// Totals in f64, where k is more than one block deep: tile after tile, row by row of tiles.
bool keeps_totals(const Contraction& contraction);
std::int64_t totals_count(const Contraction& contraction);
// Offsets (i64) where an operand does not walk evenly: of a and b along k (depth), and of c along m (height).
std::int64_t offsets_count(const Contraction& contraction);

// tile.cpp: chooses the tile of c, or of c with the roles of a and b exchanged, and gives it the memory to work in. False: a loop over the
// products is faster.
bool choose_tile(Plan& plan, Contraction& contraction);

}  // namespace bpc::plan
