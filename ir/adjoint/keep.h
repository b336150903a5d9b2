// Keep or recompute: which values of a region its adjoint finds on tapes, and which it computes again.
#pragma once

#include <set>
#include <vector>

#include "ir/function.h"

namespace bpc::ir {

// The values among those defined directly in `region` that are to be kept so that all of `needed` can be had in the adjoint, at the least
// cost: keeping an element costs a push and a pop, computing it again what its op costs, once its operands are there. `free` is a value
// that is there anyway; values outside the region are, but for those of the regions `around`, which have yet to be provided: what reads a
// part of one is not computed again, since all of it would be kept for that. A minimum cut (Kim & Jeong, "Min-cut rematerialization", is
// the same model). Ops with regions, effects or tapes are never run again.
struct KeepChoice {
  std::vector<ValueId> kept;
  std::vector<OpId> recomputed;  // in program order
};
KeepChoice choose_kept(const Function& function, BlockId region, const std::vector<ValueId>& needed, ValueId free,
                       const std::set<BlockId>& around);

}  // namespace bpc::ir
