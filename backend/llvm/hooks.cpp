#include <new>

#include "backend/failure/failure.h"
#include "backend/llvm/context.h"
#include "support/internal_error.h"

namespace bpc::backend {

namespace {

// The values of these types that the items point to.
std::vector<runtime::Tensor> tensors_at(const std::vector<Type>& types, const void* const* items) {
  std::vector<runtime::Tensor> tensors;
  for (std::size_t i = 0; i < types.size(); ++i) tensors.push_back(runtime::Tensor::borrow(types[i], items[i]));
  return tensors;
}

// By the kind of site: what `which`, `start` and `items` (plan.h) mean there.
struct WhyStopped {
  const Site& site;
  const runtime::RunOptions& options;
  std::uint32_t which;
  std::int64_t start;
  const void* const* items;

  runtime::Failure operator()(const Indexing& indexing) const {
    if (!items) return index_failure(site, which, start);
    return index_failure(site, which, runtime::Tensor::borrow(indexing.axes[which].index_type, items[0]));
  }
  runtime::Failure operator()(const Assertion& assertion) const {
    return assert_failure(site, tensors_at(assertion.types, items), options.full);
  }
  runtime::Failure operator()(const Division&) const { return division_failure(site); }
  runtime::Failure operator()(const Factorization&) const { return matrix_failure(site, start); }
  runtime::Failure operator()(const Elsewhere&) const {
    return which == kTooLong ? iteration_failure(site, options.max_iterations) : step_failure(site);
  }
  runtime::Failure operator()(const PrintedLine&) const { throw InternalError("run", "nothing stops where a line is printed", site.span); }
};

// Runs `make`, which allocates so many bytes, or records why there is no memory for it.
template <class Make>
void with_memory(Run& run, std::uint32_t site, std::size_t bytes, Make make) {
  std::size_t needed = runtime::Tensor::live_bytes() + run.arena_bytes + run.tapes.bytes() + bytes;
  if (bytes > 0 && run.options.max_memory != 0 && needed > run.options.max_memory) {
    run.failure = memory_failure(&run.sites[site], needed, run.options.max_memory);
    return;
  }
  try {
    make();
  } catch (const std::bad_alloc&) {
    run.failure = memory_failure(&run.sites[site], needed, 0);
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
    const bpc::backend::Site& at = run.sites[site];
    const auto values = bpc::backend::tensors_at(std::get<bpc::backend::PrintedLine>(at.what).types, items);
    if (run.options.print) run.options.print(bpc::backend::printed_line(at, values, run.options.full));
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
    if (site == bpc::backend::kInterrupted) {
      run.failure = bpc::backend::interrupted();
    } else {
      const bpc::backend::Site& at = run.sites[site];
      run.failure = std::visit(bpc::backend::WhyStopped{at, run.options, which, start, items}, at.what);
    }
  } catch (...) {
    run.error = std::current_exception();
  }
}
