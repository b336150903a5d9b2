// Shape rules of linear algebra and sorting: square, determinant, solve, order. A matrix is the last two axes, those before them are
// batches.
#pragma once

#include <variant>
#include <vector>

#include "ir/op.h"
#include "ir/shape_rules.h"

namespace bpc::ir {

struct Op;
class Function;

std::variant<std::vector<Type>, ShapeError> infer_matrix_types(const ShapeQuery& query);

// How the kernel of a library op (runtime/linalg.h) is called: its sizes, in order, and the elements it works in.
struct KernelSizes {
  std::vector<std::int64_t> sizes;
  Type work;
};
KernelSizes kernel_sizes(const Function& function, const Op& op);

}  // namespace bpc::ir
