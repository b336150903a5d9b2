// Activity analysis, its forward half: which values of a function are computed from one of some xs through real values. The backward half
// needs no analysis for straight code: only what is useful to y ever receives a cotangent.
#pragma once

#include <span>
#include <vector>

#include "ir/function.h"

namespace bpc::ir {

class Varied {
 public:
  Varied(const Function& function, std::span<const ValueId> xs);
  bool operator[](ValueId id) const { return id.index < varied_.size() && varied_[id.index]; }
  // A value made since, which stands for one that was there.
  void set(ValueId id, bool varied);

 private:
  void walk(BlockId block);
  void enter(const Op& op);
  bool mark(ValueId id, bool varied);

  const Function& function_;
  std::vector<bool> varied_;
};

}  // namespace bpc::ir
