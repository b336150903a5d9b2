// Rows: the turns of kernels' outermost axes, cut into as many equal parts.
#pragma once

#include <optional>

#include "backend/plan/plan.h"

namespace bpc::plan {

// How many turns of its outermost axis a kernel has in each of `count` rows.
std::int64_t turns_of_row(const Kernel& kernel, std::int64_t count);
// Elements of a row of the buffer, where the access names, in each row of the kernel, elements of that row of the buffer alone.
std::optional<std::int64_t> row_size(const Kernel& kernel, const Affine& at, std::int64_t count);
// Of the turns of the outermost axis, so many must be together that the tree of what is folded along it stays what it is.
std::int64_t turns_together(const Kernel& kernel);

}  // namespace bpc::plan
