#include "backend/llvm/codegen.h"

#include <llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h>
#include <llvm/IR/DiagnosticHandler.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Passes/StandardInstrumentations.h>
#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/Transforms/IPO/AlwaysInliner.h>
#include <llvm/Transforms/IPO/GlobalDCE.h>
#include <llvm/Transforms/IPO/MergeFunctions.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/ADCE.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/GVN.h>
#include <llvm/Transforms/Scalar/IndVarSimplify.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/LoopDeletion.h>
#include <llvm/Transforms/Scalar/LoopIdiomRecognize.h>
#include <llvm/Transforms/Scalar/LoopPassManager.h>
#include <llvm/Transforms/Scalar/LoopUnrollPass.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Vectorize/LoopVectorize.h>

#include <unistd.h>

#include <new>

#include "backend/llvm/elementary.h"
#include "backend/llvm/host.h"
#include "support/internal_error.h"

namespace bpc::backend {

namespace {

// The twins on vectors that loops call now (elementary.h).
struct InlineTwins : llvm::PassInfoMixin<InlineTwins> {
  llvm::PreservedAnalyses run(llvm::Module& module, llvm::ModuleAnalysisManager& analyses) {
    for (llvm::Function& function : module)
      if (function.hasFnAttribute(kTwin)) function.addFnAttr(llvm::Attribute::AlwaysInline);
    return llvm::AlwaysInlinerPass().run(module, analyses);
  }
};

// The pipeline is made for what the emitter writes: functions without calls to each other but for kernels and parts, loops already rotated.
// LLVM's default pipeline runs three times as many passes for the same code.
llvm::ModulePassManager pipeline(int level) {
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  passes.addPass(llvm::EarlyCSEPass(true));
  passes.addPass(llvm::SimplifyCFGPass());
  passes.addPass(llvm::InstCombinePass());
  passes.addPass(llvm::createFunctionToLoopPassAdaptor(llvm::LICMPass(llvm::LICMOptions()), /*UseMemorySSA=*/true));
  llvm::LoopPassManager counting;
  counting.addPass(llvm::LoopIdiomRecognizePass());
  counting.addPass(llvm::IndVarSimplifyPass());
  counting.addPass(llvm::LoopDeletionPass());
  if (level >= 2) counting.addPass(llvm::LoopFullUnrollPass(level));
  passes.addPass(llvm::createFunctionToLoopPassAdaptor(std::move(counting)));
  passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  if (level >= 2) {
    passes.addPass(llvm::LoopVectorizePass());
    passes.addPass(llvm::InstCombinePass());
    // Of the loops that became one turn, and the accumulators in them.
    passes.addPass(llvm::SimplifyCFGPass());
    passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
    if (level == 3) passes.addPass(llvm::LoopUnrollPass(llvm::LoopUnrollOptions(level)));
  }
  llvm::FunctionPassManager last;
  last.addPass(llvm::GVNPass());
  last.addPass(llvm::InstCombinePass());
  last.addPass(llvm::createFunctionToLoopPassAdaptor(llvm::LICMPass(llvm::LICMOptions()), /*UseMemorySSA=*/true));
  last.addPass(llvm::SimplifyCFGPass());
  last.addPass(llvm::ADCEPass());
  llvm::ModulePassManager modules;
  modules.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(passes)));
  if (level >= 2) modules.addPass(InlineTwins());
  modules.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(last)));
  modules.addPass(llvm::GlobalDCEPass());
  return modules;
}

// Layers and turns that are alike are compiled once (Code::outline).
llvm::ModulePassManager tidying() {
  llvm::ModulePassManager modules;
  modules.addPass(llvm::MergeFunctionsPass());
  modules.addPass(llvm::AlwaysInlinerPass());
  return modules;
}

void run(llvm::ModulePassManager passes, llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager calls;
  llvm::ModuleAnalysisManager modules;
  llvm::PassInstrumentationCallbacks callbacks;
  llvm::OptNoneInstrumentation skip(false);  // functions with optnone, which new passes would not look for
  skip.registerCallbacks(callbacks);
  llvm::PassBuilder builder(&machine, llvm::PipelineTuningOptions(), std::nullopt, &callbacks);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(calls);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, calls, modules);
  passes.run(module, modules);
}

// Instructions of host code, which take LLVM 1 to 2 seconds at -O2, and a tenth of that at -O0.
constexpr std::size_t kMostOptimized = 50'000;

// LLVM's remarks are for who writes a pass: that a loop was not made vectors of is no news for who runs a script.
class Quiet : public llvm::DiagnosticHandler {
 public:
  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override { return info.getSeverity() != llvm::DS_Error; }
};

// Where memory runs out LLVM would abort: whoever answers for `new` has the word.
void answer_exhaustion(void*, const char*, bool) {
  if (std::new_handler handler = std::get_new_handler()) handler();
}

}  // namespace

std::unique_ptr<llvm::TargetMachine> host_machine(int level) {
  static const bool registered = [] {
    llvm::install_bad_alloc_error_handler(answer_exhaustion);
    return !llvm::InitializeNativeTarget() && !llvm::InitializeNativeTargetAsmPrinter();
  }();
  auto host = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!registered || !host) throw InternalError("codegen", "LLVM does not know this processor");
  host->setCodeGenOptLevel(level == 0   ? llvm::CodeGenOptLevel::None
                           : level == 1 ? llvm::CodeGenOptLevel::Less
                           : level == 2 ? llvm::CodeGenOptLevel::Default
                                        : llvm::CodeGenOptLevel::Aggressive);
  host->setRelocationModel(llvm::Reloc::PIC_);
  host->setCodeModel(llvm::CodeModel::Small);
  auto machine = host->createTargetMachine();
  if (!machine) throw InternalError("codegen", llvm::toString(machine.takeError()));
  return std::move(*machine);
}

// Kernels have vectors of at least 256 bits, which LLVM splits where there are only 128.
plan::Target host_target() {
  const llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  plan::Target target;
  target.fuses = features.lookup("fma") || features.lookup("neon");
  target.tile_bytes = features.lookup("avx512f") ? 64 : features.lookup("avx") ? 32 : 16;
  target.vector_bytes = std::max<std::size_t>(target.tile_bytes, 32);
  target.vector_registers = features.lookup("avx512f") || features.lookup("neon") ? 32 : 16;
#ifdef _SC_LEVEL1_DCACHE_SIZE
  // 0 or -1 where the system does not say.
  if (const long bytes = sysconf(_SC_LEVEL1_DCACHE_SIZE); bytes > 0) target.near_bytes = static_cast<std::size_t>(bytes);
  if (const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE); bytes > 0) target.far_bytes = static_cast<std::size_t>(bytes);
#endif
  return target;
}

std::unique_ptr<llvm::Module> generate(const plan::Plan& plan, llvm::LLVMContext& context, llvm::TargetMachine& machine, int level) {
  context.setDiagnosticHandler(std::make_unique<Quiet>());
  auto module = std::make_unique<llvm::Module>("bpc", context);
  module->setDataLayout(machine.createDataLayout());
  module->setTargetTriple(machine.getTargetTriple().str());
  Code code(plan, *module);
  const std::vector<llvm::Function*> host = HostEmitter(code).run();
  std::size_t instructions = 0;
  for (const llvm::Function* function : host) instructions += function->getInstructionCount();
  if (level > 0 && instructions > kMostOptimized)
    for (llvm::Function* function : host) {
      function->addFnAttr(llvm::Attribute::NoInline);
      function->addFnAttr(llvm::Attribute::OptimizeNone);
    }
  for (llvm::Function& function : *module) {
    if (function.isDeclaration()) continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    function.addFnAttr("target-features", machine.getTargetFeatureString());
  }
  if (level > 0) run(tidying(), *module, machine);
  std::string problem;
  llvm::raw_string_ostream out(problem);
  if (llvm::verifyModule(*module, &out)) throw InternalError("codegen", problem);
  return module;
}

void optimize(llvm::Module& module, llvm::TargetMachine& machine, int level) {
  module.getContext().setDiagnosticHandler(std::make_unique<Quiet>());
  if (level > 0) run(pipeline(level), module, machine);
}

}  // namespace bpc::backend
