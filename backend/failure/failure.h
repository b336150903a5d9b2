// Why a run stopped, in the author's names: one text for every backend. The span of each diagnostic is the op's origin; the call sites it
// was inlined through follow as labels, innermost first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ir/function.h"
#include "runtime/executable.h"

namespace bpc::backend {

// Ctrl-C.
runtime::Failure interrupted();

// E0401: the dynamic start of a slice or update, or an index of a gather or scatter_add, is out of range. `position` counts the op's
// dynamic axes (its indexed axes), `start` is what the operand says. In range, for n = the size of x along the axis and s = start, or start
// + n when start is negative:
//   0 <= s < n and 0 <= s + (size - 1) * step < n; for size 0: 0 <= s <= n. An index has size 1.
runtime::Failure index_failure(const ir::Function& function, const ir::Op& op, std::size_t position, std::int64_t start);
// The operand of a gather or scatter_add that indexes the axis at `position`.
ir::ValueId index_operand(const ir::Op& op, std::size_t position);
// The same failure, for the first element of such an operand that is out of range.
runtime::Failure index_failure(const ir::Function& function, const ir::Op& op, std::size_t position, const runtime::Tensor& indices);

// E0401 for an op with the attribute `size`, whose one shown operand has an element outside 0..size-1. Otherwise E0402: `shown` are the
// values of the assert's operands after the condition.
runtime::Failure assert_failure(const ir::Function& function, const ir::Op& op, std::span<const runtime::Tensor> shown, bool full);

// E0408, E0409: a factorization stops. `place` is batch * n + column, for matrices of n columns.
runtime::Failure matrix_failure(const ir::Function& function, const ir::Op& op, std::int64_t place);

// E0403: a divisor of an integer floordiv or mod is 0.
runtime::Failure division_failure(const ir::Function& function, const ir::Op& op);

// E0405: a loop was about to run more than `limit` times.
runtime::Failure iteration_failure(const ir::Function& function, const ir::Op& op, std::uint64_t limit);

// E0406: `needed` bytes in all are more than `limit`; limit 0: more than there is. `op` may be null.
runtime::Failure memory_failure(const ir::Function& function, const ir::Op* op, std::size_t needed, std::size_t limit);

// E0407: the step of a for loop is 0.
runtime::Failure step_failure(const ir::Function& function, const ir::Op& op);

}  // namespace bpc::backend
