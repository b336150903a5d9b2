#include "backend/llvm/jit.h"

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/ExecutionEngine/Orc/ThreadSafeModule.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "backend/failure/failure.h"
#include "backend/llvm/code_cache.h"
#include "backend/llvm/codegen.h"
#include "backend/llvm/context.h"
#include "backend/plan/costs.h"
#include "runtime/c_abi.h"
#include "support/internal_error.h"

namespace bpc::backend {

namespace {

void succeed(llvm::Error error) {
  bool lacks_memory = false;
  std::string problem;
  llvm::handleAllErrors(std::move(error), [&](const llvm::ErrorInfoBase& info) {
    lacks_memory |= info.convertToErrorCode() == std::errc::not_enough_memory;
    problem = info.message();
  });
  if (lacks_memory) throw std::bad_alloc();
  if (!problem.empty()) throw InternalError("jit", problem);
}

template <class T>
T value_of(llvm::Expected<T> expected) {
  if (!expected) succeed(expected.takeError());
  return std::move(*expected);
}

// What compiled code may call; nothing is looked up in the process.
llvm::orc::SymbolMap callable(llvm::orc::LLJIT& jit) {
  llvm::orc::SymbolMap symbols;
  auto bind = [&](const char* name, auto* function) {
    symbols[jit.mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(function), llvm::JITSymbolFlags::Exported};
  };
  for (const runtime::CFunction& function : runtime::c_functions()) bind(function.name, function.address);
#define BPC_BIND(name) bind(#name, &name);
  BPC_BIND(bpc_hook_print)
  BPC_BIND(bpc_hook_stop)
  BPC_BIND(bpc_hook_grow_tape)
  BPC_BIND(bpc_hook_new_tape)
  BPC_BIND(bpc_hook_copy_tape)
  // What LLVM makes of its intrinsics on processors without the instruction.
  BPC_BIND(memcpy)
  BPC_BIND(memmove)
  BPC_BIND(memset)
  BPC_BIND(floorf)
  BPC_BIND(ceilf)
  BPC_BIND(roundevenf)
  bind("fma", static_cast<double (*)(double, double, double)>(&::fma));
  bind("floor", static_cast<double (*)(double)>(&::floor));
  bind("ceil", static_cast<double (*)(double)>(&::ceil));
  bind("roundeven", static_cast<double (*)(double)>(&::roundeven));
#undef BPC_BIND
  return symbols;
}

struct FreeAligned {
  void operator()(std::byte* memory) const { ::operator delete(memory, std::align_val_t{plan::kAlignment}); }
};
using Memory = std::unique_ptr<std::byte, FreeAligned>;

Memory allocate(std::size_t bytes) {
  return Memory(static_cast<std::byte*>(::operator new(bytes, std::align_val_t{plan::kAlignment})));
}

bool is_left_alone(const llvm::GlobalValue& value) {
  const auto* function = llvm::dyn_cast<llvm::Function>(&value);
  return function && function->hasOptNone();
}

// Where functions are not to be optimised, the others, moved to a module of their own: for LLVM's code generator the level is one of
// modules.
std::unique_ptr<llvm::Module> split_off_optimized(llvm::Module& module) {
  if (std::none_of(module.begin(), module.end(), is_left_alone)) return nullptr;
  for (llvm::Function& function : module)
    if (function.hasLocalLinkage()) function.setLinkage(llvm::Function::ExternalLinkage);
  llvm::ValueToValueMapTy values;
  auto optimized = llvm::CloneModule(module, values, [](const llvm::GlobalValue* value) { return !is_left_alone(*value); });
  for (llvm::Function& function : module)
    if (!function.isDeclaration() && !is_left_alone(function)) function.deleteBody();
  return optimized;
}

// Compiles each module by the machine for its level, unless that was done before.
class Compiler : public llvm::orc::IRCompileLayer::IRCompiler {
 public:
  Compiler(std::unique_ptr<llvm::TargetMachine> machine, const JitOptions& options)
      : IRCompiler(llvm::orc::irManglingOptionsFromTargetOptions(machine->Options)),
        machine_(std::move(machine)),
        level_(options.optimization),
        cache_(options.cache) {}

  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> operator()(llvm::Module& module) override {
    const bool is_quick = level_ > 0 && std::any_of(module.begin(), module.end(), is_left_alone);
    const std::unique_ptr<llvm::TargetMachine> quick = is_quick ? host_machine(0) : nullptr;
    llvm::TargetMachine& machine = is_quick ? *quick : *machine_;
    const std::string name = cache_.name(module, machine);
    if (auto found = cache_.find(name)) return found;
    if (!is_quick) optimize(module, machine, level_);
    auto object = llvm::orc::SimpleCompiler(machine)(module);
    if (object) cache_.keep(name, (*object)->getBuffer());
    return object;
  }

 private:
  std::unique_ptr<llvm::TargetMachine> machine_;
  int level_;
  CodeCache cache_;
};

std::unique_ptr<llvm::orc::LLJIT> jit_of(const plan::Plan& plan, const JitOptions& options) {
  auto context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::TargetMachine> machine = host_machine(options.optimization);
  std::unique_ptr<llvm::Module> module = generate(plan, *context, *machine, options.optimization);
  std::unique_ptr<llvm::Module> optimized = split_off_optimized(*module);
  std::unique_ptr<llvm::orc::LLJIT> jit =
      value_of(llvm::orc::LLJITBuilder()
                   .setDataLayout(machine->createDataLayout())
                   .setCompileFunctionCreator(
                       [&](llvm::orc::JITTargetMachineBuilder) -> llvm::Expected<std::unique_ptr<llvm::orc::IRCompileLayer::IRCompiler>> {
                         return std::make_unique<Compiler>(std::move(machine), options);
                       })
                   .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
                   .setLinkProcessSymbolsByDefault(false)
                   .create());
  succeed(jit->getMainJITDylib().define(llvm::orc::absoluteSymbols(callable(*jit))));
  const llvm::orc::ThreadSafeContext shared(std::move(context));
  succeed(jit->addIRModule(llvm::orc::ThreadSafeModule(std::move(module), shared)));
  if (optimized) succeed(jit->addIRModule(llvm::orc::ThreadSafeModule(std::move(optimized), shared)));
  return jit;
}

std::vector<runtime::StepReport> reports_of(const plan::Plan& plan) {
  std::vector<runtime::StepReport> reports;
  for (const plan::StepCost& cost : plan::step_costs(plan)) {
    runtime::StepReport& report = reports.emplace_back(runtime::StepReport{cost.what, {}, cost.operations, cost.bytes});
    for (plan::PlaceId id : cost.places) report.places.push_back(plan.places[id.index]);
  }
  return reports;
}

// Holds of the plan what a run needs, and nothing of the IR.
class Compiled : public runtime::Executable {
 public:
  Compiled(plan::Plan plan, const JitOptions& options)
      : Executable(std::move(plan.signature)),
        jit_(jit_of(plan, options)),
        entry_(value_of(jit_->lookup(kEntryName)).toPtr<Entry>()),
        sites_(std::move(plan.sites)),
        largest_(plan.largest),
        arena_bytes_(plan.arena_bytes),
        operations_(plan::operations(plan)),
        tapes_(plan.roots) {
    if (plan.is_timed) reports_ = reports_of(plan);
    times_.resize(reports_.size());
    for (const std::vector<std::byte>& bytes : plan.constants) {
      constants_.push_back(allocate(bytes.size()));
      std::copy(bytes.begin(), bytes.end(), constants_.back().get());
    }
    buffers_.resize(signature().inputs.size() + signature().outputs.size());
    for (const Memory& constant : constants_) buffers_.push_back(constant.get());
    buffers_.push_back(nullptr);  // the arena
  }

  runtime::Costs costs() const override {
    runtime::Costs costs{operations_, 0, arena_bytes_};
    for (const auto* ports : {&signature().inputs, &signature().outputs})
      for (const runtime::Port& port : *ports)
        costs.bytes += static_cast<double>(port.type.count()) * static_cast<double>(element_size(port.type.element));
    return costs;
  }

  std::vector<runtime::StepReport> profile() const override {
    std::vector<runtime::StepReport> reports = reports_;
    for (std::size_t i = 0; i < reports.size(); ++i) {
      reports[i].runs = times_[i].runs;
      reports[i].seconds = static_cast<double>(times_[i].nanoseconds) * 1e-9;
    }
    return reports;
  }

  std::optional<runtime::Failure> call(std::span<const void* const> inputs, std::span<void* const> outputs,
                                       const runtime::RunOptions& options) override {
    require_donated(inputs, outputs);
    if (auto failure = exceeds(options.max_memory, 0)) return failure;
    return attempt(needed(0), [&] { return enter(inputs, outputs, options); });
  }

  runtime::RunResult run(std::span<const runtime::Tensor> arguments, const runtime::RunOptions& options) override {
    require_fitting(arguments);
    runtime::RunResult result;
    std::size_t bytes = 0;
    for (const runtime::Port& port : signature().outputs)
      bytes += static_cast<std::size_t>(port.type.count()) * element_size(port.type.element);
    result.failure = exceeds(options.max_memory, bytes);
    if (result.failure) return result;
    result.failure = attempt(needed(bytes), [&] {
      std::vector<const void*> inputs;
      std::vector<void*> outputs;
      for (const runtime::Tensor& argument : arguments) inputs.push_back(argument.raw());
      for (const runtime::Port& port : signature().outputs) {
        result.outputs.push_back(port.donor ? arguments[*port.donor] : runtime::Tensor(port.type));
        outputs.push_back(result.outputs.back().raw());
        if (port.donor) inputs[*port.donor] = outputs.back();
      }
      return enter(inputs, outputs, options);
    });
    if (result.failure) result.outputs.clear();
    return result;
  }

 private:
  std::size_t needed(std::size_t more) const { return runtime::Tensor::live_bytes() + arena_bytes_ + more; }
  // The op whose result takes the most memory, which is planned before the first op runs.
  const Site* largest() const { return largest_.valid() ? &sites_[largest_.index] : nullptr; }

  // What keeps the run from having `more` bytes beside the arena.
  std::optional<runtime::Failure> exceeds(std::size_t limit, std::size_t more) {
    if (limit != 0 && needed(more) + tapes_.bytes() > limit) tapes_.clear();
    if (limit == 0 || needed(more) <= limit) return std::nullopt;
    return memory_failure(largest(), needed(more), limit);
  }

  template <class Work>
  std::optional<runtime::Failure> attempt(std::size_t needed, Work work) {
    try {
      const runtime::MemoryMayRunOut here;
      return work();
    } catch (const std::bad_alloc&) {
      return memory_failure(largest(), needed, 0);
    }
  }

  std::optional<runtime::Failure> enter(std::span<const void* const> inputs, std::span<void* const> outputs,
                                        const runtime::RunOptions& options) {
    if (!arena_) arena_ = allocate(arena_bytes_);
    auto next = std::transform(inputs.begin(), inputs.end(), buffers_.begin(), [](const void* input) {
      return const_cast<void*>(input);  // inputs are only read
    });
    std::copy(outputs.begin(), outputs.end(), next);
    buffers_.back() = arena_.get();
    tapes_.begin_run();
    Run run{sites_, arena_bytes_, options, tapes_, {}, {}};
    std::uint64_t limit = options.max_iterations == 0 ? UINT64_MAX : options.max_iterations;
    RuntimeContext context{&runtime::interrupt_requested, limit, tapes_.roots(), &run, times_.data()};
    entry_(buffers_.data(), &context);
    if (run.error) std::rethrow_exception(run.error);
    return std::move(run.failure);
  }

  std::unique_ptr<llvm::orc::LLJIT> jit_;
  Entry entry_;
  std::vector<Site> sites_;
  plan::SiteId largest_;
  std::size_t arena_bytes_;
  std::optional<double> operations_;          // of a run
  std::vector<runtime::StepReport> reports_;  // of the steps that are timed, without their times
  std::vector<StepTime> times_;
  std::vector<Memory> constants_;
  Memory arena_;  // from the first run on
  TapeMemory tapes_;
  std::vector<void*> buffers_;  // those that the entry is given
};

}  // namespace

std::unique_ptr<runtime::Executable> compile(const ir::Function& function, const JitOptions& options) {
  return compile_for(function, options, host_target());
}

std::unique_ptr<runtime::Executable> compile_for(const ir::Function& function, const JitOptions& options, const plan::Target& target) {
  plan::Plan plan = plan::make_plan(function, target);
  plan.is_timed = options.times;
  return std::make_unique<Compiled>(std::move(plan), options);
}

}  // namespace bpc::backend
