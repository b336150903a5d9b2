// The batched form of one map, emitted op by op. Rules of straight ops are in batch_ops.cpp, of control flow in batch.cpp.
#pragma once

#include <vector>

#include "ir/batch/varying.h"
#include "ir/builder.h"
#include "ir/clone.h"

namespace bpc::ir {

class Batch {
 public:
  Batch(Builder& builder, const Op& map, const Varying& varying);
  std::vector<ValueId> run();

 private:
  // ---- control flow ----
  void block(BlockId from);
  void op(OpId id);
  BlockId region(BlockId from, std::vector<ValueId> yields_like);  // a copy: blocks move as the region grows
  void control(const Op& op);
  void choose(const Op& op);

  // ---- straight ops ----
  void straight(const Op& op);
  ValueId elementwise(const Op& op);
  ValueId contraction(const Op& op);
  ValueId solve(const Op& op);
  ValueId slice(const Op& op);
  ValueId update(const Op& op);
  ValueId gather(const Op& op);
  ValueId scatter(const Op& op);
  ValueId tape(const Op& op);
  void pop(const Op& op);
  ValueId draws(const Op& op);

  // A part of x whose place varies: index tensors for its axes, over the batch axes and then the axes of the part that the place
  // determines.
  struct Place {
    std::vector<std::int64_t> axes;  // of x as it was
    std::vector<Dim> window;         // the part's sizes along them
    std::vector<ValueId> indices;    // of shape batch + window
  };
  Place varying_place(const Op& op, std::size_t first_start);
  ValueId starts_inside(ValueId start, std::int64_t size);
  std::optional<ValueId> along_batch(ValueId x, const Place& place);

  // ---- values ----
  std::size_t rank() const { return sizes_.size(); }
  ValueId now(ValueId old) const { return copies_.map(old); }
  ValueId batched(ValueId old);  // with the batch axes, stretched if it does not vary
  ValueId as_batched(ValueId value);
  std::vector<Dim> with_batch(const std::vector<Dim>& dims) const;
  ValueId widened(ValueId value, std::size_t old_rank, std::size_t to_rank);  // axes of size 1 after the batch axes
  ValueId batch_index(std::size_t axis, const std::vector<Dim>& dims);        // along a batch axis, of shape batch + dims
  ValueId spread(ValueId index, const std::vector<Dim>& dims);                // an index of the batch axes, stretched over more
  std::vector<std::int64_t> shifted(const std::vector<std::int64_t>& axes) const;
  Attributes shifted(const Attributes& attrs) const;
  Attributes shifted_part(const Attributes& attrs) const;
  const Type& old_type(ValueId old) const { return function_.type(old); }

  Builder& builder_;
  Function& function_;
  const Op map_;
  const Varying& varying_;
  std::vector<Dim> sizes_;  // of the index axes
  Cloner copies_;
};

}  // namespace bpc::ir
