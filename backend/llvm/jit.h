// Compiled execution through LLVM ORC. No LLVM type crosses this header.
#pragma once

#include <memory>
#include <string>

#include "backend/llvm/wasm.h"
#include "ir/function.h"
#include "runtime/executable.h"

namespace bpc::plan {
struct Target;
}

namespace bpc::backend {

struct JitOptions {
  int optimization = 2;    // -O0 to -O3
  std::string cache = {};  // the folder of machine code that was made before (code_cache.h); empty: none
  bool times = false;      // of each step, for Executable::profile
};

// `function` must hold no grad op, and need not outlive the result. Throws InternalError when LLVM rejects what we emitted.
std::unique_ptr<runtime::Executable> compile(const ir::Function& function, const JitOptions& options);
// The same, planned for another target that this machine can stand in for.
std::unique_ptr<runtime::Executable> compile_for(const ir::Function& function, const JitOptions& options, const plan::Target& target);

// What the code does, said without LLVM (plan/plan.h).
std::string plan_text(const ir::Function& function);
// The LLVM IR (after optimisation at that level), or the host's assembly, of a function.
std::string llvm_text(const ir::Function& function, const JitOptions& options);
std::string assembly_text(const ir::Function& function, const JitOptions& options);

// "19.1.7, x86_64-pc-linux-gnu, skylake": LLVM's version, and what it compiles for.
std::string host_text();

// All of the above, for who loads this library while running (tools/bpc/code_generator.h) instead of being linked with it.
struct CodeGenerator {
  decltype(&backend::compile) compile;
  decltype(&backend::plan_text) plan_text;
  decltype(&backend::llvm_text) llvm_text;
  decltype(&backend::assembly_text) assembly_text;
  decltype(&backend::compile_to_wasm) compile_to_wasm;
  decltype(&backend::host_text) host_text;
};
extern "C" const CodeGenerator* bpc_code_generator();

}  // namespace bpc::backend
