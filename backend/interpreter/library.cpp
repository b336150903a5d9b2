#include "backend/failure/failure.h"
#include "backend/interpreter/evaluate.h"
#include "ir/kernel_sizes.h"
#include "runtime/linalg.h"
#include "scalar/functions.h"
#include "support/element.h"

namespace bpc::interpreter {

namespace {

using ir::Opcode;
using runtime::Tensor;

template <scalar::Real T>
std::int64_t matrix_kernel(Opcode code, Operands operands, Tensor& result, Tensor& work, const std::vector<std::int64_t>& sizes) {
  const T* a = operands[0]->data<T>();
  T* out = result.data<T>();
  double* scratch = work.data<double>();
  auto one = [&](auto kernel) { return kernel(a, out, scratch, sizes[0], sizes[1]); };
  auto two = [&](auto kernel) {
    return kernel(a, operands[1]->data<T>(), out, scratch, sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]);
  };
  if (code == Opcode::cholesky) return one(runtime::cholesky<T>);
  if (code == Opcode::det) return one(runtime::det<T>);
  if (code == Opcode::logdet) return one(runtime::logdet<T>);
  if (code == Opcode::cofactors) return one(runtime::cofactors<T>);
  if (code == Opcode::solve) return two(runtime::solve<T>);
  if (code == Opcode::triangular_solve) return two(runtime::triangular_solve<T>);
  throw InternalError("interpret", std::string(ir::op_info(code).name) + " has no kernel");
}

}  // namespace

Tensor library(const ir::Function& function, const ir::Op& op, Operands operands, const Type& type) {
  const ir::KernelSizes kernel = ir::kernel_sizes(function, op);
  Tensor result(type), work(kernel.work);
  const std::int64_t status = with_element(operands[0]->type().element, [&]<class T>(T) -> std::int64_t {
    if constexpr (scalar::Number<T>) {
      if (op.code == Opcode::argsort)
        return runtime::argsort(operands[0]->data<T>(), result.data<std::int32_t>(), work.data<std::int32_t>(), kernel.sizes[0],
                                kernel.sizes[1], kernel.sizes[2], kernel.sizes[3]);
    }
    if constexpr (scalar::Real<T>) return matrix_kernel<T>(op.code, operands, result, work, kernel.sizes);
    throw InternalError("interpret", "a matrix of type " + type_text(operands[0]->type()));
  });
  if (status != 0 && ir::may_fail(function, op)) throw Stop{backend::matrix_failure(backend::site_of(function, op), status - 1)};
  return result;
}

}  // namespace bpc::interpreter
