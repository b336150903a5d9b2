// What computing an element costs, beside reading its operands: in arithmetic instructions, of which a core does one or two a cycle. It is
// weighed against a trip to a cache and back; ir/adjoint/keep.cpp weighs the memory of tapes as well, and has numbers of its own.
#pragma once

#include "backend/plan/plan.h"
#include "ir/function.h"

namespace bpc::plan {

std::uint32_t element_cost(const ir::Op& op);

// Whether a function is called for each element.
bool calls_functions(const Kernel& kernel);

}  // namespace bpc::plan
