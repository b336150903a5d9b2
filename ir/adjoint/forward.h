// Forward mode: tangents of values, from x on, appended at the builder's position.
//
// An operator has one equation, the one that gives the cotangents of its operands. It is linear in the cotangent of the result, and its
// transpose gives the tangent of the result: the equation is written down for an unknown cotangent, and differentiated by it (the transpose
// of a linear program is its gradient; compare Radul et al., "You Only Linearize Once", 2022).
#pragma once

#include <set>
#include <unordered_map>
#include <vector>

#include "ir/adjoint/varied.h"
#include "ir/builder.h"
#include "ir/clone.h"
#include "ir/static_facts.h"
#include "support/diagnostics.h"

namespace bpc::ir {

class ForwardSweep {
 public:
  // `tangent` has the type of x.
  ForwardSweep(Builder& builder, ValueId x, ValueId tangent, Diagnostics& diagnostics);

  // The tangent of y. Control flow between x and y runs again here, with the tangents beside the values. E0306 where an author's adjoint is
  // not linear in its cotangents.
  ValueId run(ValueId y);
  // Of a value on the way to y, after `run`; invalid: zero.
  ValueId tangent(ValueId value) const { return has_tangent(value) ? tangents_.at(value.index) : ValueId(); }

 private:
  enum class Where { here, copied };  // straight code stands where it was, or is copied into a region of its own

  void choose_replays(const std::vector<std::vector<OpId>>& before);
  void block(const std::vector<OpId>& ops, Where where);
  void op(OpId id, Where where);
  void tape_op(OpId id);
  void region_op(OpId id);
  BlockId region(BlockId from, const std::vector<bool>& active, bool carries, bool yields_tangents);
  void straight(const Op& op);
  std::vector<ValueId> mapped(const std::vector<ValueId>& values) const { return copies_.map(values); }
  ValueId tangent_or_zero(ValueId value);
  void add_tangent(ValueId value, ValueId part);
  bool has_tangent(ValueId value) const { return tangents_.contains(value.index); }
  // Whether x reaches it: x itself has its tangent already, whatever it was made by.
  bool moves(ValueId value) const { return value != x_ && varied_[value]; }

  Builder& builder_;
  Function& function_;
  Diagnostics& diagnostics_;
  ValueId x_;
  Varied varied_;
  StaticFacts facts_;
  Cloner copies_;                                        // of values that control flow makes again
  std::vector<bool> wanted_;                             // by value: y was computed from it
  std::set<OpId> replays_;                               // ops before this place to go through again
  std::unordered_map<std::uint32_t, ValueId> tangents_;  // by value as it was
};

}  // namespace bpc::ir
