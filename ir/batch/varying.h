// Which values in the region of a map differ from index to index, and whether the region can run for all indices at once.
#pragma once

#include <vector>

#include "ir/function.h"

namespace bpc::ir {

class Varying {
 public:
  Varying(const Function& function, const Op& map);
  bool operator[](ValueId id) const { return id.index < varying_.size() && varying_[id.index]; }
  // False where the indices have to go one after the other: an effect; a part replaced at an index that varies; a loop that runs
  // differently often; a branch that is taken by some and whose sides may fail or not end.
  bool can_batch() const { return can_batch_; }

 private:
  bool walk(BlockId block);
  bool visit(const Op& op);
  bool visit_region(const Op& op);
  bool mark(ValueId id, bool varying);
  bool unite(ValueId a, ValueId b);
  bool any(const std::vector<ValueId>& values) const;
  void check(BlockId block);
  bool stands_alone(const Op& op) const;

  const Function& function_;
  std::vector<bool> varying_;
  bool can_batch_ = true;
};

}  // namespace bpc::ir
