#include "ir/kernel_sizes.h"

namespace bpc::ir {

namespace {

std::int64_t count_of(const std::vector<Dim>& dims) {
  return Type(Element::i32, dims).count();
}

// Of the matrices, how many.
std::int64_t batch_of(const Type& matrices) {
  return count_of({matrices.dims.begin(), matrices.dims.end() - 2});
}

}  // namespace

KernelSizes kernel_sizes(const Function& function, const Op& op) {
  const Type& a = function.type(op.operands[0]);
  if (op.code == Opcode::argsort) {
    auto axis = static_cast<std::ptrdiff_t>(op.attrs.integer(Attr::axis));
    const Dim along = a.dims[static_cast<std::size_t>(axis)];
    return {{count_of({a.dims.begin(), a.dims.begin() + axis}), along.size, count_of({a.dims.begin() + axis + 1, a.dims.end()}),
             op.attrs.flag(Attr::descending)},
            Type(Element::i64, {{static_cast<std::int64_t>(element_size(a.element)) / 2 * along.size, {}}})};
  }
  const std::int64_t n = a.dims.back().size;
  if (op_info(op.code).rule == ShapeRule::factors)
    return {{batch_of(a), a.dims[a.rank() - 2].size, n}, Type(Element::f64, {{0, {}}})};  // Eigen has memory of its own
  KernelSizes result{{batch_of(a), n}, {}};
  std::int64_t k = op.code == Opcode::cofactors ? n : 0;  // it solves for the identity
  if (op_info(op.code).rule == ShapeRule::solve) {
    const Type& b = function.type(op.operands[1]);
    k = b.rank() == 1 ? 1 : b.dims.back().size;
    const bool many_a = a.rank() > 2, many_b = b.rank() > 2;
    if (many_b) result.sizes[0] = batch_of(b);
    const bool is_upper = op.code == Opcode::triangular_solve && op.attrs.flag(Attr::upper);
    const std::int64_t form = op.attrs.flag(Attr::transposed) + 2 * is_upper;
    result.sizes.insert(result.sizes.end(), {k, many_a, many_b, form});
  }
  result.work = Type(Element::f64, {{n * n + n * k + n, {}}});
  return result;
}

}  // namespace bpc::ir
