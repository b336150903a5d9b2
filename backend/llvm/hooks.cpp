#include <cstring>

#include "backend/failure/failure.h"
#include "backend/llvm/context.h"
#include "runtime/number_text.h"
#include "support/internal_error.h"

namespace bpc::backend {

namespace {

runtime::Tensor tensor_at(const Type& type, const void* data) {
  runtime::Tensor tensor(type);
  if (tensor.bytes() > 0) std::memcpy(tensor.raw(), data, tensor.bytes());
  return tensor;
}

void print_line(const Run& run, const ir::Op& op, const void* const* items) {
  const auto& texts = op.attrs.strings(ir::Attr::text);
  std::string line = texts.empty() ? std::string() : texts[0];
  for (std::size_t i = 0; i < op.operands.size(); ++i) {
    line += runtime::tensor_text(tensor_at(run.function.type(op.operands[i]), items[i]), run.options.full);
    if (i + 1 < texts.size()) line += texts[i + 1];
  }
  if (run.options.print) run.options.print(line);
}

runtime::Failure failure_at(const Run& run, const ir::Op& op, std::uint32_t which, std::int64_t start, const void* const* items) {
  const ir::Function& function = run.function;
  switch (ir::op_info(op.code).group) {
    case ir::Group::movement:
      return index_failure(function, op, which, start);
    case ir::Group::elementwise:
      return division_failure(function, op);
    case ir::Group::control:
      if (op.code == ir::Opcode::while_loop) return iteration_failure(function, op, run.options.max_iterations);
      return step_failure(function, op);
    case ir::Group::effect: {
      std::vector<runtime::Tensor> shown;
      for (std::size_t i = 1; i < op.operands.size(); ++i) shown.push_back(tensor_at(function.type(op.operands[i]), items[i - 1]));
      return assert_failure(function, op, shown, run.options.full);
    }
    case ir::Group::reduction:
    case ir::Group::contraction:
    case ir::Group::source:
    case ir::Group::random:
    case ir::Group::derivative:
      break;
  }
  throw InternalError("run", "no reason to stop at " + std::string(ir::op_info(op.code).name));
}

}  // namespace

}  // namespace bpc::backend

std::int64_t bpc_hook_print(bpc::backend::RuntimeContext* context, std::uint32_t site, const void* const* items) noexcept {
  bpc::backend::Run& run = *context->run;
  try {
    bpc::backend::print_line(run, run.function.op(run.plan.sites[site]), items);
    return 0;
  } catch (...) {
    run.error = std::current_exception();
    return 1;
  }
}

void bpc_hook_stop(bpc::backend::RuntimeContext* context, std::uint32_t site, std::uint32_t which, std::int64_t start,
                   const void* const* items) noexcept {
  bpc::backend::Run& run = *context->run;
  try {
    run.failure = site == bpc::backend::kInterrupted
                      ? bpc::backend::interrupted()
                      : bpc::backend::failure_at(run, run.function.op(run.plan.sites[site]), which, start, items);
  } catch (...) {
    run.error = std::current_exception();
  }
}
