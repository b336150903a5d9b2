#include <llvm/ADT/SmallString.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/Support/raw_ostream.h>

#include "backend/llvm/codegen.h"
#include "backend/llvm/jit.h"
#include "support/internal_error.h"

namespace bpc::backend {

std::string plan_text(const ir::Function& function) {
  return plan::print(plan::make_plan(function, host_target()));
}

namespace {

std::unique_ptr<llvm::Module> optimized(const ir::Function& function, llvm::LLVMContext& context, llvm::TargetMachine& machine, int level) {
  std::unique_ptr<llvm::Module> module = generate(plan::make_plan(function, host_target()), context, machine, level);
  optimize(*module, machine, level);
  return module;
}

}  // namespace

std::string llvm_text(const ir::Function& function, const JitOptions& options) {
  llvm::LLVMContext context;
  auto machine = host_machine(options.optimization);
  auto module = optimized(function, context, *machine, options.optimization);
  std::string text;
  llvm::raw_string_ostream out(text);
  module->print(out, nullptr);
  return text;
}

std::string assembly_text(const ir::Function& function, const JitOptions& options) {
  llvm::LLVMContext context;
  auto machine = host_machine(options.optimization);
  auto module = optimized(function, context, *machine, options.optimization);
  llvm::SmallString<4096> text;
  llvm::raw_svector_ostream out(text);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, out, nullptr, llvm::CodeGenFileType::AssemblyFile))
    throw InternalError("codegen", "LLVM cannot print assembly for this processor");
  passes.run(*module);
  return std::string(text);
}

std::string host_text() {
  auto machine = host_machine(0);
  return std::string(LLVM_VERSION_STRING) + ", " + machine->getTargetTriple().str() + ", " + machine->getTargetCPU().str();
}

}  // namespace bpc::backend
