// Small static facts about values, computed once, in the order of the ops.
#pragma once

#include <optional>
#include <vector>

#include "ir/function.h"

namespace bpc::ir {

// Whether a value may be infinite or NaN: the result of an operator with the trait `unbounded`, of control flow, or computed from such a
// value. Inputs, params and sums of products of finite values are taken as finite. `update` catches up with ops appended since.
class StaticFacts {
 public:
  explicit StaticFacts(const Function& function) : function_(function) {}
  void update();
  bool may_be_nonfinite(ValueId id) const;

 private:
  bool nonfinite_result(const Op& op) const;
  const Function& function_;
  std::size_t next_op_ = 0;
  std::vector<bool> nonfinite_;
};

// The number a value holds in every element, when it is a constant.
std::optional<double> constant_value(const Function& function, ValueId id);

}  // namespace bpc::ir
