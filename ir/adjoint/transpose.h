// The transpose of one op's equation.
#pragma once

#include <optional>
#include <vector>

#include "ir/builder.h"
#include "ir/static_facts.h"

namespace bpc::ir {

// An op and its surroundings, as values of the builder's function.
struct LinearizedOp {
  const Op& op;
  std::vector<ValueId> operands, results;
  std::vector<std::optional<ValueId>> tangents;  // of the operands; nullopt: zero
};

// The tangents of the results (invalid: zero), emitted where the builder stands. nullopt for a custom op whose adjoint is not linear in the
// cotangents.
std::optional<std::vector<ValueId>> transposed(Builder& builder, const StaticFacts& facts, const LinearizedOp& linearized);

}  // namespace bpc::ir
