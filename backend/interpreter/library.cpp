#include "backend/failure/failure.h"
#include "backend/interpreter/evaluate.h"
#include "ir/kernel_sizes.h"
#include "runtime/factors.h"
#include "runtime/linalg.h"
#include "runtime/sorting.h"
#include "scalar/functions.h"
#include "support/element.h"

namespace bpc::interpreter {

namespace {

using ir::Opcode;
using runtime::Tensor;

using Sizes = const std::vector<std::int64_t>&;

// A kernel of runtime/linalg.h or runtime/sorting.h on tensors, by what it takes.
template <class T>
std::int64_t call(std::int64_t (*kernel)(const T*, T*, double*, std::int64_t, std::int64_t), Operands operands, Tensor& result,
                  Tensor& work, Sizes sizes) {
  return kernel(operands[0]->data<T>(), result.data<T>(), work.data<double>(), sizes[0], sizes[1]);
}

template <class T>
std::int64_t call(std::int64_t (*kernel)(const T*, const T*, T*, double*, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                                         std::int64_t, std::int64_t),
                  Operands operands, Tensor& result, Tensor& work, Sizes sizes) {
  return kernel(operands[0]->data<T>(), operands[1]->data<T>(), result.data<T>(), work.data<double>(), sizes[0], sizes[1], sizes[2],
                sizes[3], sizes[4], sizes[5]);
}

template <class T>
std::int64_t call(std::int64_t (*kernel)(const T*, T*, double*, std::int64_t, std::int64_t, std::int64_t), Operands operands,
                  Tensor& result, Tensor& work, Sizes sizes) {
  return kernel(operands[0]->data<T>(), result.data<T>(), work.data<double>(), sizes[0], sizes[1], sizes[2]);
}

template <class T>
std::int64_t call(std::int64_t (*kernel)(const T*, std::int32_t*, std::int64_t*, std::int64_t, std::int64_t, std::int64_t, std::int64_t),
                  Operands operands, Tensor& result, Tensor& work, Sizes sizes) {
  return kernel(operands[0]->data<T>(), result.data<std::int32_t>(), work.data<std::int64_t>(), sizes[0], sizes[1], sizes[2], sizes[3]);
}

#define BPC_TAKES_real scalar::Real
#define BPC_TAKES_number scalar::Number

template <class T>
std::int64_t run(Opcode code, Operands operands, Tensor& result, Tensor& work, Sizes sizes) {
#define BPC_LIBRARY(id, spelling, operand_count, rule, domain, ...) \
  if constexpr (BPC_TAKES_##domain<T>)                              \
    if (code == Opcode::id) return call<T>(runtime::id<T>, operands, result, work, sizes);
#include "scalar/library.def"
  throw InternalError("interpret", std::string(ir::op_info(code).name) + " has no kernel for " + type_text(operands[0]->type()));
}

}  // namespace

Tensor library(const ir::Function& function, const ir::Op& op, Operands operands, const Type& type) {
  const ir::KernelSizes kernel = ir::kernel_sizes(function, op);
  Tensor result(type), work(kernel.work);
  const std::int64_t status =
      with_element(operands[0]->type().element, [&]<class T>(T) { return run<T>(op.code, operands, result, work, kernel.sizes); });
  if (status != 0 && ir::may_fail(function, op)) throw Stop{backend::matrix_failure(backend::site_of(function, op), status - 1)};
  return result;
}

}  // namespace bpc::interpreter
