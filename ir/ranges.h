// The interval that an integer value is known to lie in, whatever the run.
#pragma once

#include <cstdint>
#include <optional>

#include "ir/function.h"

namespace bpc::ir {

struct Range {
  std::int64_t lo, hi;  // both inclusive
};

// From constants, iota, the indices of loops with constant bounds and of maps, argmax, and sums, differences and multiples of these;
// nullopt where nothing is known.
std::optional<Range> integer_range(const Function& function, ValueId id);

// How many turns a for_loop has from lo up to hi (down, for a negative by), exclusive. by is not 0.
std::uint64_t turn_count(std::int64_t lo, std::int64_t hi, std::int64_t by);

// The bounds of a for_loop where they are constants, small enough that i32 holds what lies a few steps beyond them, too.
struct ConstantBounds {
  std::int64_t lo, hi, by;
  std::int64_t turns;
};
std::optional<ConstantBounds> constant_bounds(const Function& function, const Op& loop);

// Whether the operands from `first` on, which index `axes` of operand 0 one each, stay inside -n..n-1; with `sizes` and `steps` (of a
// slice) for all that the index names.
bool is_known_inside(const Function& function, const Op& op, std::size_t first);

}  // namespace bpc::ir
