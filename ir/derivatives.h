// One equation per primitive operator: what the cotangent of its result contributes to the cotangent of an operand.
#pragma once

#include <optional>

#include "ir/builder.h"
#include "ir/static_facts.h"

namespace bpc::ir {

// One op being differentiated. `op` is a copy, because equations append ops to the function that holds it.
struct DifferentiatedOp {
  Builder& builder;
  StaticFacts& facts;
  Op op;
  ValueId cotangent;   // of the op's result, of the result's type
  bool may_be_zeroed;  // a `where` may have made elements of the cotangent zero: they must stay zero
};

// A contribution to the cotangent of operand `i`, in the shape of the operand or of the result: fit_to sums stretched axes back, the
// caller accumulates. nullopt: zero (a flat operator, an operand that is an integer). Control flow is the caller's business: InternalError.
std::optional<ValueId> contribution(const DifferentiatedOp& differentiated, std::size_t i);

// A contribution in the shape of its operand: the one place where stretched axes are summed back, and where one that holds for every
// element is stretched.
ValueId fit_to(Builder& builder, ValueId part, const Type& type);

// Whether the operator's equation makes zeros by selection, so that the contribution may be zeroed even if the cotangent was not.
bool zeroes_cotangent(Opcode code);

// Whether an index or a mask of numbers has left zeros in a cotangent, as that of x where x[i] was read, and what products have made of it
// since, in straight code.
bool is_zero_in_places(const Function& function, ValueId id);

}  // namespace bpc::ir
