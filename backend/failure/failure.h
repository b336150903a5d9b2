// Why a run stopped, in the author's names: one text for every backend. The span of each diagnostic is that of the site; the call sites it
// was inlined through follow as labels, innermost first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "backend/failure/site.h"
#include "runtime/executable.h"

namespace bpc::backend {

// Ctrl-C.
runtime::Failure interrupted();

// E0401: at an Indexing. `position` counts its axes, `start` is what the operand says. In range, for the axis' n, size and step, and s =
// start, or start + n when start is negative:
//   0 <= s < n and 0 <= s + (size - 1) * step < n; for size 0: 0 <= s <= n.
runtime::Failure index_failure(const Site& site, std::size_t position, std::int64_t start);
// The same, for the first element of a tensor of indices that is out of range.
runtime::Failure index_failure(const Site& site, std::size_t position, const runtime::Tensor& indices);

// At an Assertion: E0401 where its one shown value has a label out of range, otherwise E0402.
runtime::Failure assert_failure(const Site& site, std::span<const runtime::Tensor> shown, bool full);

// E0408, E0409: at a Factorization. `place` is batch * n + column, for matrices of n columns.
runtime::Failure matrix_failure(const Site& site, std::int64_t place);

// E0403: at a Division, a divisor is 0.
runtime::Failure division_failure(const Site& site);

// E0405: a loop was about to run more than `limit` times.
runtime::Failure iteration_failure(const Site& site, std::uint64_t limit);

// E0406: `needed` bytes in all are more than `limit`; limit 0: more than there is. Nowhere where `site` is null.
runtime::Failure memory_failure(const Site* site, std::size_t needed, std::size_t limit);

// E0407: the step of a for loop is 0.
runtime::Failure step_failure(const Site& site);

// What is printed at a PrintedLine, without its newline.
std::string printed_line(const Site& site, std::span<const runtime::Tensor> items, bool full);

}  // namespace bpc::backend
