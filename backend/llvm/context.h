// What compiled code and its host share during one run: the entry point, the context it is given, and the functions it calls back.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>

#include "backend/failure/site.h"
#include "backend/llvm/tape_memory.h"
#include "runtime/executable.h"

namespace bpc::backend {

// The host's side of a run.
struct Run {
  const std::vector<Site>& sites;
  std::size_t arena_bytes;
  const runtime::RunOptions& options;
  TapeMemory& tapes;
  std::optional<runtime::Failure> failure;
  std::exception_ptr error;  // thrown by a callback; no exception crosses compiled frames
};

// How often a step has run, and how long that took.
struct StepTime {
  std::int64_t runs, nanoseconds;
};

// Read by compiled code at these offsets.
struct RuntimeContext {
  const std::atomic<bool>* interrupt;
  std::uint64_t iteration_limit;  // of each loop; UINT64_MAX: none
  TapeChunk* roots;               // of the plan's tapes
  Run* run;
  StepTime* times;  // of the plan's steps that take time, if they are timed
};

// buffers: the arguments, outputs and constants of the plan, then the arena. Returns 0, or 1 after a callback has recorded why not.
using Entry = std::int64_t (*)(void* const* buffers, RuntimeContext* context);
inline constexpr const char* kEntryName = "bpc_entry";

inline constexpr std::uint32_t kInterrupted = UINT32_MAX;  // in place of a site: the index of no site
inline constexpr std::uint32_t kTooLong = 1;               // which check of a loop: that of the iteration limit

}  // namespace bpc::backend

extern "C" {

// Prints the items (pointers to their elements) of the site. 0, or 1 when the callback threw.
std::int64_t bpc_hook_print(bpc::backend::RuntimeContext* context, std::uint32_t site, const void* const* items) noexcept;
// The chunk to go on in when `chunk` is full, and the root of a new tape. nullptr after recording why there is no memory for it.
bpc::backend::TapeChunk* bpc_hook_grow_tape(bpc::backend::RuntimeContext* context, bpc::backend::TapeChunk* chunk, std::size_t entry,
                                            std::uint32_t site) noexcept;
bpc::backend::TapeChunk* bpc_hook_new_tape(bpc::backend::RuntimeContext* context, std::uint32_t site) noexcept;
// Makes of the tape a copy in chunks that follow a root. 0, or 1 after recording why there is no memory for it.
std::int64_t bpc_hook_copy_tape(bpc::backend::RuntimeContext* context, bpc::backend::TapeState* tape, bpc::backend::TapeChunk* root,
                                std::size_t entry, std::uint32_t site) noexcept;
// Records why the run stops at the site. An index: the dynamic axis and the start; an assertion: the shown items.
void bpc_hook_stop(bpc::backend::RuntimeContext* context, std::uint32_t site, std::uint32_t which, std::int64_t start,
                   const void* const* items) noexcept;

}  // extern "C"
