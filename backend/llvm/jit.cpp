#include "backend/llvm/jit.h"

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/ExecutionEngine/Orc/ThreadSafeModule.h>

#include <cstring>
#include <new>

#include "backend/failure/failure.h"
#include "backend/llvm/codegen.h"
#include "backend/llvm/context.h"
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

class Compiled : public runtime::Executable {
 public:
  Compiled(const ir::Function& function, const JitOptions& options)
      : function_(function), plan_(plan::make_plan(function)), tapes_(plan_.roots) {
    auto context = std::make_unique<llvm::LLVMContext>();
    std::unique_ptr<llvm::TargetMachine> machine = host_machine(options.optimization);
    std::unique_ptr<llvm::Module> module = generate(plan_, *context, *machine, options.optimization);
    jit_ =
        value_of(llvm::orc::LLJITBuilder()
                     .setDataLayout(machine->createDataLayout())
                     .setCompileFunctionCreator(
                         [&](llvm::orc::JITTargetMachineBuilder) -> llvm::Expected<std::unique_ptr<llvm::orc::IRCompileLayer::IRCompiler>> {
                           return std::make_unique<llvm::orc::TMOwningSimpleCompiler>(std::move(machine));
                         })
                     .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
                     .setLinkProcessSymbolsByDefault(false)
                     .create());
    succeed(jit_->getMainJITDylib().define(llvm::orc::absoluteSymbols(callable(*jit_))));
    succeed(jit_->addIRModule(llvm::orc::ThreadSafeModule(std::move(module), std::move(context))));
    entry_ = value_of(jit_->lookup(kEntryName)).toPtr<Entry>();
    for (const std::vector<std::byte>& bytes : plan_.constants) {
      constants_.push_back(allocate(bytes.size()));
      std::copy(bytes.begin(), bytes.end(), constants_.back().get());
    }
  }

  runtime::RunResult run(std::span<const runtime::Tensor> arguments, const runtime::RunOptions& options) override {
    if (arguments.size() != function_.parameters.size()) throw InternalError("run", "wrong number of arguments");
    runtime::RunResult result;
    std::size_t needed = runtime::Tensor::live_bytes() + plan_.arena_bytes;
    for (const ir::Output& output : function_.outputs) {
      const Type& type = function_.type(output.value);
      needed += static_cast<std::size_t>(type.count()) * element_size(type.element);
    }
    if (options.max_memory != 0 && needed + tapes_.bytes() > options.max_memory) tapes_.clear();
    if (options.max_memory != 0 && needed > options.max_memory) {
      result.failure = memory_failure(function_, largest(), needed, options.max_memory);
      return result;
    }
    try {
      const runtime::MemoryMayRunOut here;
      call(arguments, options, result);
    } catch (const std::bad_alloc&) {
      result = {};
      result.failure = memory_failure(function_, largest(), needed, 0);
    }
    return result;
  }

 private:
  // The op whose result takes the most memory, which is planned before the first op runs.
  const ir::Op* largest() const {
    const plan::Buffer* most = nullptr;
    auto bytes = [](const plan::Buffer& buffer) { return static_cast<std::size_t>(buffer.count) * element_size(buffer.element); };
    for (const plan::Buffer& buffer : plan_.buffers)
      if (buffer.made_for.valid() && (!most || bytes(buffer) > bytes(*most))) most = &buffer;
    return most ? &function_.op(most->made_for) : nullptr;
  }

  void call(std::span<const runtime::Tensor> arguments, const runtime::RunOptions& options, runtime::RunResult& result) {
    std::vector<void*> buffers;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (!same_type(arguments[i].type(), function_.type(function_.parameters[i].value)))
        throw InternalError("run", "argument " + function_.parameters[i].path + " is a " + type_text(arguments[i].type()));
      buffers.push_back(const_cast<std::byte*>(arguments[i].raw()));  // arguments are only read
    }
    std::vector<runtime::Tensor> outputs;
    for (const ir::Output& output : function_.outputs) {
      outputs.emplace_back(function_.type(output.value));
      buffers.push_back(outputs.back().raw());
    }
    for (const Memory& constant : constants_) buffers.push_back(constant.get());
    Memory arena = allocate(plan_.arena_bytes);
    buffers.push_back(arena.get());

    tapes_.begin_run();
    Run run{function_, plan_, options, tapes_, {}, {}};
    std::uint64_t limit = options.max_iterations == 0 ? UINT64_MAX : options.max_iterations;
    RuntimeContext context{&runtime::interrupt_requested, limit, tapes_.roots(), &run};
    std::int64_t status = entry_(buffers.data(), &context);
    if (run.error) std::rethrow_exception(run.error);
    result.failure = std::move(run.failure);
    if (status == 0) result.outputs = std::move(outputs);
  }

  const ir::Function& function_;
  plan::Plan plan_;
  std::unique_ptr<llvm::orc::LLJIT> jit_;
  std::vector<Memory> constants_;
  TapeMemory tapes_;
  Entry entry_ = nullptr;
};

}  // namespace

std::unique_ptr<runtime::Executable> compile(const ir::Function& function, const JitOptions& options) {
  return std::make_unique<Compiled>(function, options);
}

}  // namespace bpc::backend
