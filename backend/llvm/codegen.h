// From a function of the IR to optimised LLVM IR for the host, and the host's machine description.
#pragma once

#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>

#include "backend/plan/plan.h"

namespace bpc::backend {

// The processor this runs on, at an optimisation level of 0 to 3. Registers LLVM's native target at the first call.
std::unique_ptr<llvm::TargetMachine> host_machine(int level);

// That processor, as plans are made for it.
plan::Target host_target();

// Emits. Throws InternalError when LLVM's verifier rejects what was emitted. Functions that are alike are one, and small ones are inlined,
// so that each function can be compiled by itself. Where the host's code (all but kernels and contractions) is so long that LLVM would take
// seconds for it, its functions have the attribute optnone and are left as they are: long host code is scalars and calls of kernels, and
// runs in less time than it takes to compile.
std::unique_ptr<llvm::Module> generate(const plan::Plan& plan, llvm::LLVMContext& context, llvm::TargetMachine& machine, int level);

void optimize(llvm::Module& module, llvm::TargetMachine& machine, int level);

}  // namespace bpc::backend
