// The value of each op that has no region, no tape and no effect. Results have the op's result type; operands fit it (ir/shape_rules.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/function.h"
#include "runtime/executable.h"

namespace bpc::interpreter {

// Thrown by an op that fails at run time, caught once at the top of a run.
struct Stop {
  runtime::Failure failure;
};

using Operands = std::span<runtime::Tensor* const>;

// `first_dies`: nobody reads operand 0 afterwards, so that its buffer may become the result.
runtime::Tensor evaluate(const ir::Function& function, const ir::Op& op, Operands operands, bool first_dies);

// reduce.cpp. Sums of f32 accumulate in double, of f64 in long double, one element after the other; integers wrap. Of an empty axis: the
// sum is 0, max -infinity (the least integer), min infinity, any false, all true. A NaN anywhere makes max and min NaN; for argmax and
// argmin the first NaN wins.
runtime::Tensor reduce(const ir::Op& op, const runtime::Tensor& x, const Type& type);
runtime::Tensor arg_reduce(const ir::Op& op, const runtime::Tensor& x, const Type& type);
runtime::Tensor cumulative_sum(const ir::Op& op, const runtime::Tensor& x, const Type& type);

// contract.cpp. Products and sums in double for reals, summed in row-major order of the letters that the result lacks (as they stand in the
// first operand); integers wrap.
runtime::Tensor einsum(const ir::Op& op, const runtime::Tensor& a, const runtime::Tensor& b, const Type& type);

// move.cpp.
runtime::Tensor transpose(const runtime::Tensor& x, const std::vector<std::int64_t>& perm, const Type& type);
runtime::Tensor broadcast(const runtime::Tensor& x, const Type& type);
runtime::Tensor slice(const ir::Function& function, const ir::Op& op, Operands operands, const Type& type);
runtime::Tensor update(const ir::Function& function, const ir::Op& op, runtime::Tensor x, Operands operands);
runtime::Tensor concat(const ir::Op& op, Operands operands, const Type& type);
runtime::Tensor window(const ir::Op& op, const runtime::Tensor& x, const Type& type);
runtime::Tensor window_add(const ir::Op& op, const runtime::Tensor& y, const Type& type);

// library.cpp: ops that are a kernel of runtime/linalg.h or runtime/sorting.h.
runtime::Tensor library(const ir::Function& function, const ir::Op& op, Operands operands, const Type& type);

// gather.cpp.
runtime::Tensor gather(const ir::Function& function, const ir::Op& op, Operands operands, const Type& type);
runtime::Tensor scatter_add(const ir::Function& function, const ir::Op& op, runtime::Tensor x, Operands operands);

}  // namespace bpc::interpreter
