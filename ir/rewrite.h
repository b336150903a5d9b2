// How a pass reads one function and writes another: walk the old one in order, emit into the new one, map values.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "ir/builder.h"

namespace bpc::ir {

class Rewriter {
 public:
  // The new function starts with the old one's name and parameters; outputs are mapped when `finish` is called.
  explicit Rewriter(const Function& from);

  const Function& from() const { return from_; }
  Builder& builder() { return builder_; }
  // The new value that stands for an old one (InternalError when there is none yet).
  ValueId map(ValueId old) const;
  void set(ValueId old, ValueId replacement);

  // Called for each old op in program order, regions included (their ops are visited when the region op is copied). It returns true
  // when it has set the op's results itself (or dropped the op), false to have it copied.
  using Visit = std::function<bool(const Op& op)>;
  Function finish(const Visit& visit);

  // Copies an op (with its regions, each op in them visited), origin, names and all.
  void copy(const Op& op);

 private:
  void walk(BlockId from, BlockId to);
  OriginId copy_origin(OriginId old);

  const Function& from_;
  Function to_;
  Builder builder_;
  std::vector<ValueId> map_;
  Visit visit_;
};

}  // namespace bpc::ir
