// How a pass reads one function and writes another: walk the old one in order, emit into the new one, map values.
#pragma once

#include <vector>

#include "ir/builder.h"
#include "ir/clone.h"

namespace bpc::ir {

class Rewriter {
 public:
  // The new function starts with the old one's name, loss and parameters; outputs are mapped when `finish` is called.
  explicit Rewriter(const Function& from);

  // Called for each old op in program order, regions included (their ops are visited when the region op is copied). It returns true
  // when it has set the op's results itself (or dropped the op), false to have it copied.
  using Visit = Cloner::Visit;
  Function finish(const Visit& visit);

  // ---- for the visit ----

  // Emits into the new function where the walk stands, with the origin of the op that is visited.
  Builder& builder() { return builder_; }
  const Function& to() const { return to_; }
  // The new value that stands for an old one (InternalError when there is none yet).
  ValueId map(ValueId old) const { return copies_.map(old); }
  std::vector<ValueId> map(const std::vector<ValueId>& old) const { return copies_.map(old); }
  // A replacement without a name inherits the old value's, but for a constant that was there before: it would tell of one use among many.
  void set(ValueId old, ValueId replacement);

  // As Cloner::clone and splice, each op in the regions visited; origin, names and all.
  void copy(const Op& op, const std::vector<bool>& keep = {}) { copies_.clone(op, keep); }
  std::vector<ValueId> splice(BlockId region, const std::vector<bool>& keep = {});
  // Puts the first region of an op in its place: what it yields stands for the results.
  void put_inside(const Op& op);

 private:
  const Function& from_;
  Function to_;
  Builder builder_;
  Cloner copies_;
  std::size_t visited_from_ = 0;  // values of the new function before the op that is visited
};

}  // namespace bpc::ir
