// Scalar instructions that compute elements of values, in terms of the indices of an iteration space.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "backend/plan/lower/values.h"

namespace bpc::plan {

class Elements {
 public:
  Elements(Values& values, std::size_t axes, std::vector<Instruction>& out) : values_(values), axes_(axes), out_(out) {}
  // The element of `value` at `indices`, one form per axis of the value.
  RegisterId element(ir::ValueId value, std::span<const Affine> indices);
  // The element of x that a gather or scatter_add names, given its indices in the gathered part. The tensors of indices begin at operand
  // `first`; `starts` are their checked values if they are scalars.
  std::vector<Affine> gathered(const ir::Op& op, std::size_t first, std::span<const RegisterId> starts, std::span<const Affine> part);
  RegisterId emit(Element element, decltype(Instruction::what) what);

 private:
  RegisterId lazy(ir::ValueId value, std::span<const Affine> indices);
  RegisterId moved(ir::ValueId value, std::span<const Affine> indices);
  // Of an einsum that adds nothing up.
  RegisterId one_product(const ir::Op& op, std::span<const Affine> indices);
  RegisterId stretched(ir::ValueId operand, std::span<const Affine> indices, const Type& result);

  struct Known {
    std::vector<Affine> indices;
    RegisterId reg;
  };
  Values& values_;
  std::size_t axes_;
  std::vector<Instruction>& out_;
  std::map<ir::ValueId, std::vector<Known>> known_;
};

// Stores the elements that `value` has at the indices of a space of the given sizes to `to`.
Kernel store_kernel(Values& values, ir::ValueId value, const Sizes& space, Access to);
// One element, among the steps.
RegisterId host_element(Values& values, ir::ValueId value, std::span<const Affine> indices);

// The elements of x that a slice or update names: per axis of the part (dropped axes left out if `drop`), its index in x as a form.
std::vector<Affine> slice_indices(const ir::Op& op, std::span<const RegisterId> starts, std::span<const Affine> part);
// The element of x that a window or window_add names, given the indices of an element of the windows.
std::vector<Affine> window_indices(const ir::Op& op, std::span<const Affine> of_windows);
// Whether an index is known not to count from the end.
bool counts_from_start(const ir::Function& function, ir::ValueId index);

}  // namespace bpc::plan
