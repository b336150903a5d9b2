// Compiled for WebAssembly: what a page that stands alone runs. No LLVM type crosses this header.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "backend/failure/site.h"
#include "ir/function.h"
#include "runtime/executable.h"

namespace bpc::backend {

// A module (WebAssembly 2.0: vectors of 128 bits, bulk memory) that exports its memory, `__heap_base`, the first address that is free, and
//
//   bpc_entry(buffers: i32, context: i32) -> i64    0, or 1 after `env.bpc_hook_stop` was called
//
// It imports, where it needs them, `env.bpc_hook_stop` (context.h) and `env.bpc_rt_far_sin`, `cos` and `tan` (f64 -> f64), which are for
// numbers beyond the range of its own formulas.
//
// `buffers` is the address of an array of addresses of 4 bytes each, aligned as plan::kAlignment says: the inputs, the outputs, the
// constants and the arena. `context` is the address of 32 bytes: at 0 the address of a byte that is 0, at 8 the most turns of a loop (8
// bytes), the rest is not read.
struct WasmModule {
  std::string code;
  runtime::Signature signature;
  std::vector<std::vector<std::byte>> constants;
  std::size_t arena_bytes = 0;
  std::vector<Site> sites;
  // What the program calls and no page has, "cholesky", in which case there is no code; or empty.
  std::vector<std::string> missing;
};

struct NoLinker : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// `function` holds no derivative op. The module is linked by LLVM's wasm-ld, which is run: NoLinker where there is none, InternalError when
// LLVM rejects what was emitted.
WasmModule compile_to_wasm(const ir::Function& function, int optimization);

}  // namespace bpc::backend
