#include <cstring>
#include <new>

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
      if (items) return index_failure(function, op, which, tensor_at(function.type(index_operand(op, which)), items[0]));
      return index_failure(function, op, which, start);
    case ir::Group::library:
      return matrix_failure(function, op, start);
    case ir::Group::elementwise:
      return division_failure(function, op);
    case ir::Group::control:
      if (which == kTooLong) return iteration_failure(function, op, run.options.max_iterations);
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
    case ir::Group::tape:
    case ir::Group::derivative:
      break;
  }
  throw InternalError("run", "no reason to stop at " + std::string(ir::op_info(op.code).name));
}

// Runs `make`, which allocates so many bytes, or records why there is no memory for it.
template <class Make>
void with_memory(Run& run, std::uint32_t site, std::size_t bytes, Make make) {
  const ir::Op& op = run.function.op(run.plan.sites[site]);
  std::size_t needed = runtime::Tensor::live_bytes() + run.plan.arena_bytes + run.tapes.bytes() + bytes;
  if (bytes > 0 && run.options.max_memory != 0 && needed > run.options.max_memory) {
    run.failure = memory_failure(run.function, &op, needed, run.options.max_memory);
    return;
  }
  try {
    make();
  } catch (const std::bad_alloc&) {
    run.failure = memory_failure(run.function, &op, needed, 0);
  }
}

}  // namespace

}  // namespace bpc::backend

bpc::backend::TapeChunk* bpc_hook_grow_tape(bpc::backend::RuntimeContext* context, bpc::backend::TapeChunk* chunk, std::size_t entry,
                                            std::uint32_t site) noexcept {
  bpc::backend::Run& run = *context->run;
  bpc::backend::TapeChunk* next = nullptr;
  bpc::backend::with_memory(run, site, bpc::backend::TapeMemory::bytes_to_follow(*chunk, entry),
                            [&] { next = run.tapes.follow(*chunk, entry); });
  return next;
}

bpc::backend::TapeChunk* bpc_hook_new_tape(bpc::backend::RuntimeContext* context, std::uint32_t site) noexcept {
  bpc::backend::Run& run = *context->run;
  bpc::backend::TapeChunk* root = nullptr;
  bpc::backend::with_memory(run, site, sizeof(bpc::backend::TapeChunk), [&] { root = run.tapes.new_root(); });
  return root;
}

std::int64_t bpc_hook_copy_tape(bpc::backend::RuntimeContext* context, bpc::backend::TapeState* tape, bpc::backend::TapeChunk* root,
                                std::size_t entry, std::uint32_t site) noexcept {
  auto next = [&](bpc::backend::TapeChunk& chunk) { return bpc_hook_grow_tape(context, &chunk, entry, site); };
  *tape = bpc::backend::copy_tape(*tape, *root, next);
  return tape->chunk ? 0 : 1;
}

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
