// What a value was computed from, read off the program as written (before any expansion or simplification).
#pragma once

#include <functional>
#include <vector>

#include "ir/function.h"

namespace bpc::ir {

// The values that `y` was computed from through real values, itself included, indexed by value: through operands, both sides of an
// `if`, all turns of a loop, and through gradients (which depend on all that was differentiated). Only stop_grad, integers and bools cut.
std::vector<bool> ancestors(const Function& function, ValueId y);
// The same from several values, not looking beyond a block and the regions inside it: what these were computed from in there.
std::vector<bool> ancestors_within(const Function& function, std::span<const ValueId> ys, BlockId block);

// Calls `visit` with each value that `v` is directly computed from, as above: of what a region op gives and of what its regions start with,
// each of these is one that it may stand for.
void for_each_source(const Function& function, ValueId v, const std::function<void(ValueId)>& visit);

// How the y of a derivative depends on an x of it, as what it differentiates is the turn at hand of the loops around it: what a loop
// carries is a value of its own in each turn, and so is a parameter of an adjoint rule.
struct Dependence {
  enum class How : std::uint8_t {
    none,
    complete,   // by paths within this turn alone
    partial,    // by such paths and others
    elsewhere,  // by others alone
  };
  How how;
  ValueId through;  // partial, elsewhere: an argument of a loop or rule around the derivative, by which y depends on x from elsewhere
};

// Judges the dependences of one derivative, which stands in the block `at`.
class Dependences {
 public:
  Dependences(const Function& function, ValueId y, BlockId at);
  Dependence on(ValueId x) const;

 private:
  // The variables of the turn that x is made in, such as the parameters of its function, but for what this turn makes of x: values of their
  // own, whatever earlier turns have made them from.
  std::vector<bool> held_fixed(ValueId x) const;

  const Function& function_;
  ValueId y_;
  BlockId at_;
  std::vector<bool> reached_;  // by all paths
  bool is_surrounded_;         // by loops or rules
};

}  // namespace bpc::ir
