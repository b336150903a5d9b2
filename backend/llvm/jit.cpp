#include "backend/llvm/jit.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/ExecutionEngine/Orc/CompileUtils.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "backend/failure/failure.h"
#include "backend/llvm/code_cache.h"
#include "backend/llvm/codegen.h"
#include "backend/llvm/context.h"
#include "backend/plan/step_costs.h"
#include "runtime/c_abi.h"
#include "runtime/pool.h"
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
  BPC_BIND(truncf)
  BPC_BIND(roundevenf)
  BPC_BIND(fmaf)
  bind("fma", static_cast<double (*)(double, double, double)>(&::fma));
  bind("floor", static_cast<double (*)(double)>(&::floor));
  bind("ceil", static_cast<double (*)(double)>(&::ceil));
  bind("trunc", static_cast<double (*)(double)>(&::trunc));
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

// ---- pieces of a module, which threads compile side by side ----

// As bitcode, which each thread reads into an LLVM context of its own.
struct Piece {
  llvm::SmallString<0> bitcode;
  int level = 0;
};

constexpr std::size_t kPieceInstructions = 2000;  // about a hundredth of a second at -O2
constexpr std::size_t kMostPieces = 16;

bool is_left_alone(const llvm::Function& function) {
  return function.hasOptNone();
}

// The functions of each piece: those that are not to be optimised by themselves, since for LLVM's code generator the level is one of
// modules; the others dealt out by size, the largest first. How many pieces there are depends on the module alone, so that all of them are
// found again.
std::vector<std::vector<const llvm::Function*>> deal_out(const llvm::Module& module) {
  std::vector<const llvm::Function*> left_alone, others;
  std::size_t instructions = 0;
  for (const llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    (is_left_alone(function) ? left_alone : others).push_back(&function);
    if (!is_left_alone(function)) instructions += function.getInstructionCount();
  }
  std::stable_sort(others.begin(), others.end(),
                   [](const llvm::Function* a, const llvm::Function* b) { return a->getInstructionCount() > b->getInstructionCount(); });
  const std::size_t most = std::min(others.size(), kMostPieces);
  std::vector<std::vector<const llvm::Function*>> pieces(
      std::clamp<std::size_t>(instructions / kPieceInstructions, 1, std::max<std::size_t>(most, 1)));
  std::vector<std::size_t> sizes(pieces.size(), 0);
  for (const llvm::Function* function : others) {
    const auto smallest = static_cast<std::size_t>(std::min_element(sizes.begin(), sizes.end()) - sizes.begin());
    pieces[smallest].push_back(function);
    sizes[smallest] += function->getInstructionCount();
  }
  if (!left_alone.empty()) pieces.push_back(std::move(left_alone));
  std::erase_if(pieces, [](const auto& piece) { return piece.empty(); });
  return pieces;
}

Piece piece_of(const llvm::Module& module, int level) {
  Piece piece{{}, level};
  llvm::raw_svector_ostream out(piece.bitcode);
  llvm::WriteBitcodeToFile(module, out);
  return piece;
}

std::vector<Piece> pieces_of(llvm::Module& module, int level) {
  const std::vector<std::vector<const llvm::Function*>> functions = deal_out(module);
  if (functions.size() == 1) return {piece_of(module, level)};
  for (llvm::Function& function : module)
    if (function.hasLocalLinkage()) function.setLinkage(llvm::Function::ExternalLinkage);
  std::vector<Piece> pieces;
  for (const std::vector<const llvm::Function*>& own : functions) {
    llvm::ValueToValueMapTy values;
    const auto is_own = [&](const llvm::GlobalValue* value) {
      const auto* function = llvm::dyn_cast<llvm::Function>(value);
      return !function || std::find(own.begin(), own.end(), function) != own.end();
    };
    pieces.push_back(piece_of(*llvm::CloneModule(module, values, is_own), is_left_alone(*own.front()) ? 0 : level));
  }
  return pieces;
}

// Compiled for its level, unless that was done before.
std::unique_ptr<llvm::MemoryBuffer> object_of(const Piece& piece, const CodeCache& cache) {
  const std::unique_ptr<llvm::TargetMachine> machine = host_machine(piece.level);
  const std::string name = cache.name(piece.bitcode, *machine);
  if (auto found = cache.find(name)) return found;
  llvm::LLVMContext context;
  const auto module = value_of(llvm::parseBitcodeFile(llvm::MemoryBufferRef(piece.bitcode, "bpc"), context));
  optimize(*module, *machine, piece.level);
  auto object = value_of(llvm::orc::SimpleCompiler(*machine)(*module));
  cache.keep(name, object->getBuffer());
  return object;
}

std::vector<std::unique_ptr<llvm::MemoryBuffer>> objects_of(const std::vector<Piece>& pieces, const CodeCache& cache) {
  struct Job {
    const std::vector<Piece>& pieces;
    const CodeCache& cache;
    std::vector<std::unique_ptr<llvm::MemoryBuffer>> objects;
    std::vector<std::exception_ptr> errors;
  } job{pieces, cache, {}, std::vector<std::exception_ptr>(pieces.size())};
  job.objects.resize(pieces.size());
  const auto count = std::ssize(pieces);
  const auto compile_one = [](void* given, std::int64_t number, std::int64_t) {
    auto& job = *static_cast<Job*>(given);
    const auto i = static_cast<std::size_t>(number);
    try {
      job.objects[i] = object_of(job.pieces[i], job.cache);
    } catch (...) {
      job.errors[i] = std::current_exception();
    }
  };
  runtime::run_parts(count, count, compile_one, &job);
  for (const std::exception_ptr& error : job.errors)
    if (error) std::rethrow_exception(error);
  return std::move(job.objects);
}

std::unique_ptr<llvm::orc::LLJIT> jit_of(const plan::Plan& plan, const JitOptions& options) {
  llvm::LLVMContext context;
  const std::unique_ptr<llvm::TargetMachine> machine = host_machine(options.optimization);
  const std::unique_ptr<llvm::Module> module = generate(plan, context, *machine, options.optimization);
  auto objects = objects_of(pieces_of(*module, options.optimization), CodeCache(options.cache));
  std::unique_ptr<llvm::orc::LLJIT> jit = value_of(llvm::orc::LLJITBuilder()
                                                       .setDataLayout(machine->createDataLayout())
                                                       .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
                                                       .setLinkProcessSymbolsByDefault(false)
                                                       .create());
  succeed(jit->getMainJITDylib().define(llvm::orc::absoluteSymbols(callable(*jit))));
  for (auto& object : objects) succeed(jit->addObjectFile(std::move(object)));
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
