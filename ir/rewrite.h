// How a pass reads one function and writes another: walk the old one in order, emit into the new one, map values.
#pragma once

#include <functional>
#include <vector>

#include "ir/builder.h"

namespace bpc::ir {

class Rewriter {
 public:
  // The new function starts with the old one's name, loss and parameters; outputs are mapped when `finish` is called.
  explicit Rewriter(const Function& from);

  // Called for each old op in program order, regions included (their ops are visited when the region op is copied). It returns true
  // when it has set the op's results itself (or dropped the op), false to have it copied.
  using Visit = std::function<bool(const Op& op)>;
  Function finish(const Visit& visit);

  // ---- for the visit ----

  // Emits into the new function where the walk stands, with the origin of the op that is visited.
  Builder& builder() { return builder_; }
  const Function& to() const { return to_; }
  // The new value that stands for an old one (InternalError when there is none yet).
  ValueId map(ValueId old) const;
  std::vector<ValueId> map(const std::vector<ValueId>& old) const;
  // A replacement without a name inherits the old value's, but for a constant that was there before: it would tell of one use among many.
  void set(ValueId old, ValueId replacement);

  // Copies an op (with its regions, each op in them visited), origin, names and all. With `keep`, one flag per result, a region op loses
  // the other results and, if it is a loop, the carried values that go with them: nothing visited may still use these.
  void copy(const Op& op, const std::vector<bool>& keep = {});
  // Emits the ops of a region where the walk stands, each of them visited, and returns what the region yields; with `keep`, one flag per
  // yield, no more than that.
  std::vector<ValueId> splice(BlockId region, const std::vector<bool>& keep = {});
  // Puts the first region of an op in its place: what it yields stands for the results.
  void put_inside(const Op& op);

 private:
  void walk(BlockId from);
  OriginId copy_origin(OriginId old);
  void copy_region(BlockId region, OpId to_op, std::size_t uncarried, const std::vector<bool>& keep, bool yields_carried);

  const Function& from_;
  Function to_;
  Builder builder_;
  std::vector<ValueId> map_;
  std::vector<OriginId> origins_;
  const Visit* visit_ = nullptr;
  std::size_t visited_from_ = 0;  // values of the new function before the op that is visited
};

}  // namespace bpc::ir
