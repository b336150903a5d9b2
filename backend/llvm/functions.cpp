// Cutting the code into functions: kernels, and the parts of long programs.
#include <llvm/IR/MDBuilder.h>

#include <algorithm>
#include <unordered_map>

#include "backend/llvm/emitter.h"
#include "backend/plan/dataflow.h"
#include "support/internal_error.h"

namespace bpc::backend {

using plan::BufferId;
using plan::RegisterId;

namespace {

template <class T>
void make_unique(std::vector<T>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace

void Emitter::outline(const char* name, bool small, const std::vector<BufferId>& buffers, std::vector<RegisterId> uses,
                      const std::vector<RegisterId>& results, const std::function<void()>& body) {
  std::vector<std::uint32_t> storages;
  for (BufferId id : buffers) {
    base(id);
    storages.push_back(plan_.at(id).storage.index);
  }
  make_unique(storages);
  make_unique(uses);
  std::erase_if(uses, [&](RegisterId id) { return llvm::isa_and_nonnull<llvm::Constant>(registers_[id.index]); });  // stay constants

  std::vector<llvm::Type*> parameters(storages.size(), builder_.getPtrTy());
  std::vector<llvm::Value*> arguments;
  for (std::uint32_t storage : storages) arguments.push_back(bases_[storage]);
  std::vector<llvm::Value*> outside;  // the registers used, as they are seen outside
  for (RegisterId id : uses) {
    parameters.push_back(type(id));
    arguments.push_back(get(id));
    outside.push_back(registers_[id.index]);
  }
  std::vector<llvm::Type*> returned;
  for (RegisterId id : results) returned.push_back(type(id));
  auto* all_results = llvm::StructType::get(module_.getContext(), returned);
  // More than two come back through memory: x86 would return a third real on the x87 stack, and LLVM 19 at -O0 takes it from there with an
  // instruction that may name a register which it cannot encode.
  const bool in_memory = results.size() > 2;
  llvm::Type* result = returned.empty() || in_memory ? builder_.getVoidTy() : static_cast<llvm::Type*>(all_results);
  if (in_memory) {
    llvm::BasicBlock& entry = builder_.GetInsertBlock()->getParent()->getEntryBlock();
    arguments.push_back(llvm::IRBuilder<>(&entry, entry.begin()).CreateAlloca(all_results));
    parameters.push_back(builder_.getPtrTy());
  }
  auto* function =
      llvm::Function::Create(llvm::FunctionType::get(result, parameters, false), llvm::Function::InternalLinkage, name, module_);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  if (small) function->addFnAttr(llvm::Attribute::AlwaysInline);
  for (unsigned i = 0; i < storages.size(); ++i) {
    function->addParamAttr(i, llvm::Attribute::NoAlias);
    function->addParamAttr(i, llvm::Attribute::getWithAlignment(module_.getContext(), llvm::Align(plan::kAlignment)));
  }

  llvm::BasicBlock* outer = builder_.GetInsertBlock();
  builder_.SetInsertPoint(llvm::BasicBlock::Create(module_.getContext(), "entry", function));
  for (unsigned i = 0; i < storages.size(); ++i) bases_[storages[i]] = function->getArg(i);
  for (unsigned i = 0; i < uses.size(); ++i) set(uses[i], function->getArg(static_cast<unsigned>(storages.size()) + i));
  body();
  if (result->isVoidTy()) {
    for (unsigned i = 0; i < results.size(); ++i)
      builder_.CreateStore(get(results[i]), builder_.CreateStructGEP(all_results, function->getArg(function->arg_size() - 1), i));
    builder_.CreateRetVoid();
  } else {
    llvm::Value* all = llvm::PoisonValue::get(result);
    for (unsigned i = 0; i < results.size(); ++i) all = builder_.CreateInsertValue(all, get(results[i]), i);
    builder_.CreateRet(all);
  }

  for (unsigned i = 0; i < storages.size(); ++i) bases_[storages[i]] = arguments[i];
  for (unsigned i = 0; i < uses.size(); ++i) set(uses[i], outside[i]);
  builder_.SetInsertPoint(outer);
  llvm::Value* call = builder_.CreateCall(function, arguments);
  for (unsigned i = 0; i < results.size(); ++i)
    set(results[i],
        in_memory ? builder_.CreateLoad(returned[i], builder_.CreateStructGEP(all_results, arguments.back(), i), plan_.at(results[i]).name)
                  : builder_.CreateExtractValue(call, i, plan_.at(results[i]).name));
}

void Emitter::steps(const plan::Steps& steps) {
  std::span<const plan::Step> all(steps);
  if (all.size() <= plan::kMostSteps) return run_of_steps(all);
  for (; !all.empty(); all = all.subspan(std::min(all.size(), plan::kPartSteps))) part(all.first(std::min(all.size(), plan::kPartSteps)));
}

void Emitter::run_of_steps(std::span<const plan::Step> steps) {
  for (const plan::Step& step : steps) std::visit([&](const auto& what) { emit(what); }, step.what);
}

// Registers come in and go out through the frame, parameters stay where the caller put them. As parameters and results, thousands would
// live across every call, and LLVM would take quadratic time again.
void Emitter::part(std::span<const plan::Step> steps) {
  plan::Registers registers;
  for (const plan::Step& step : steps) plan::add_registers(step, registers);
  std::unordered_map<std::uint32_t, std::uint32_t> reads;
  for (RegisterId id : registers.read) ++reads[id.index];
  std::vector<RegisterId> uses = std::move(registers.read);
  make_unique(uses);
  auto needs_no_slot = [&](RegisterId id) {  // in the frame already, not made yet, or a constant
    return !registers_[id.index] || llvm::isa<llvm::Constant>(registers_[id.index]);
  };
  std::erase_if(uses, needs_no_slot);
  std::vector<llvm::Value*> outside;
  for (RegisterId id : uses) {
    put_in_frame(id);
    outside.push_back(std::exchange(registers_[id.index], nullptr));
  }

  llvm::Type* pointer = builder_.getPtrTy();
  auto* signature = llvm::FunctionType::get(builder_.getInt64Ty(), {pointer, pointer}, false);
  auto* function = llvm::Function::Create(signature, llvm::Function::InternalLinkage, "part", module_);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  llvm::BasicBlock* outer = builder_.GetInsertBlock();
  std::vector<llvm::Value*> outer_bases = std::move(bases_);
  llvm::Value *outer_buffers = buffers_, *outer_context = context_;
  builder_.SetInsertPoint(llvm::BasicBlock::Create(module_.getContext(), "entry", function));
  enter(*function);
  run_of_steps(steps);
  for (RegisterId id : registers.written) {
    if (needs_no_slot(id)) continue;
    if (reads[id.index] < reads_[id.index]) put_in_frame(id);  // read again after this part
    set(id, nullptr);
  }
  builder_.CreateRet(integer(0));

  bases_ = std::move(outer_bases);
  buffers_ = outer_buffers;
  context_ = outer_context;
  for (unsigned i = 0; i < uses.size(); ++i) set(uses[i], outside[i]);
  builder_.SetInsertPoint(outer);
  leave_unless_zero(builder_.CreateCall(function, {buffers_, context_}));
}

llvm::Value* Emitter::frame_slot(RegisterId id) {
  if (auto argument = arguments_.find(id.index); argument != arguments_.end()) return bound(argument->second);
  if (!plan_.frame.valid()) throw InternalError("emit", "a register is read before it is made");
  return builder_.CreateConstInBoundsGEP1_64(builder_.getInt64Ty(), base(plan_.frame), id.index);
}

void Emitter::put_in_frame(RegisterId id) {
  llvm::Value* value = get(id);
  if (plan_.at(id).is_address)
    builder_.CreateStore(value, frame_slot(id));
  else
    store(value, element(id), frame_slot(id));
}

llvm::Value* Emitter::get(RegisterId id) {
  if (llvm::Value* value = registers_[id.index]) return value;
  if (plan_.at(id).is_address) return builder_.CreateLoad(builder_.getPtrTy(), frame_slot(id));
  return load(element(id), frame_slot(id));
}

void Emitter::leave_unless_zero(llvm::Value* status) {
  llvm::Function* function = builder_.GetInsertBlock()->getParent();
  auto* stop = llvm::BasicBlock::Create(module_.getContext(), "stop", function);
  auto* go_on = llvm::BasicBlock::Create(module_.getContext(), "go_on", function);
  builder_.CreateCondBr(builder_.CreateICmpEQ(status, integer(0)), go_on, stop,
                        llvm::MDBuilder(module_.getContext()).createLikelyBranchWeights());
  builder_.SetInsertPoint(stop);
  builder_.CreateRet(status);
  builder_.SetInsertPoint(go_on);
}

}  // namespace bpc::backend
