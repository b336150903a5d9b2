// Small static facts about values, computed once, in the order of the ops.
#pragma once

#include <optional>
#include <vector>

#include "ir/function.h"

namespace bpc::ir {

// Whether a value may be infinite or NaN: the result of an operator with the trait `unbounded`, or computed from such a value. Inputs,
// params and sums of products of finite values are taken as finite; what a loop carries is finite when it starts so and each turn keeps it
// so.
class StaticFacts {
 public:
  explicit StaticFacts(const Function& function);
  // Catches up with ops appended since, in the order of their ids; what control flow among them gives is taken as infinite.
  void update();
  // Settles what is known of a value that was made since.
  void assume(ValueId id, bool nonfinite);
  // What is known of one value holds of another.
  void set_like(ValueId id, ValueId other) { nonfinite_[id.index] = may_be_nonfinite(other); }
  bool may_be_nonfinite(ValueId id) const { return id.index >= nonfinite_.size() || nonfinite_[id.index]; }

 private:
  void walk(BlockId block);
  void enter(const Op& op);
  bool widen(ValueId id, bool nonfinite);
  bool nonfinite_result(const Op& op) const;

  const Function& function_;
  std::size_t next_op_ = 0;
  std::vector<bool> nonfinite_;  // by value
};

// The number a value holds in every element, when it is a constant. One that a derivative is taken by is none where derivatives are
// expanded: there it is a `variable`, so that no equation writes a number for what may vary.
std::optional<double> constant_value(const Function& function, ValueId id);

}  // namespace bpc::ir
