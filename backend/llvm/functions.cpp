// Cutting the code into functions: kernels, and the parts of long programs.
#include <llvm/IR/MDBuilder.h>

#include <algorithm>
#include <unordered_map>

#include "backend/llvm/emitter.h"
#include "backend/plan/dataflow.h"

namespace bpc::backend {

using plan::BufferId;
using plan::RegisterId;

namespace {

// A longer list of steps is cut into functions of this many: LLVM's register allocator takes quadratic time in the size of a function.
constexpr std::size_t kMostSteps = 300;

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
    storages.push_back(plan_.at(id).storage);
  }
  make_unique(storages);
  make_unique(uses);
  std::erase_if(uses, [&](RegisterId id) { return llvm::isa<llvm::Constant>(get(id)); });  // stay constants

  std::vector<llvm::Type*> parameters(storages.size(), builder_.getPtrTy());
  std::vector<llvm::Value*> arguments;
  for (std::uint32_t storage : storages) arguments.push_back(bases_[storage]);
  for (RegisterId id : uses) {
    parameters.push_back(type(element(id)));
    arguments.push_back(get(id));
  }
  std::vector<llvm::Type*> returned;
  for (RegisterId id : results) returned.push_back(type(element(id)));
  llvm::Type* result = returned.empty() ? builder_.getVoidTy() : llvm::StructType::get(module_.getContext(), returned);
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
  llvm::Value* all = returned.empty() ? nullptr : llvm::PoisonValue::get(result);
  for (unsigned i = 0; i < results.size(); ++i) all = builder_.CreateInsertValue(all, get(results[i]), i);
  all ? builder_.CreateRet(all) : builder_.CreateRetVoid();

  for (unsigned i = 0; i < storages.size(); ++i) bases_[storages[i]] = arguments[i];
  for (unsigned i = 0; i < uses.size(); ++i) set(uses[i], arguments[storages.size() + i]);
  builder_.SetInsertPoint(outer);
  llvm::Value* call = builder_.CreateCall(function, arguments);
  for (unsigned i = 0; i < results.size(); ++i) set(results[i], builder_.CreateExtractValue(call, i, plan_.at(results[i]).name));
}

void Emitter::steps(const plan::Steps& steps) {
  std::span<const plan::Step> all(steps);
  if (all.size() <= kMostSteps) return run_of_steps(all);
  for (; !all.empty(); all = all.subspan(std::min(all.size(), kMostSteps))) part(all.first(std::min(all.size(), kMostSteps)));
}

void Emitter::run_of_steps(std::span<const plan::Step> steps) {
  for (const plan::Step& step : steps) std::visit([&](const auto& what) { emit(what); }, step.what);
}

void Emitter::part(std::span<const plan::Step> steps) {
  plan::Registers registers;
  std::vector<RegisterId> constants;
  for (const plan::Step& step : steps) {
    plan::add_registers(step, registers);
    auto* instruction = std::get_if<plan::Instruction>(&step.what);
    if (instruction && std::holds_alternative<plan::Constant>(instruction->what)) constants.push_back(instruction->result);
  }
  std::unordered_map<std::uint32_t, std::uint32_t> reads;
  for (RegisterId id : registers.read) ++reads[id.index];
  std::vector<RegisterId> uses = registers.read, results = registers.written;
  make_unique(uses);
  make_unique(constants);
  make_unique(results);
  auto among = [](const std::vector<RegisterId>& list, RegisterId id) { return std::binary_search(list.begin(), list.end(), id); };
  std::erase_if(uses, [&](RegisterId id) { return !get(id) || llvm::isa<llvm::Constant>(get(id)); });  // made here, or a constant
  std::erase_if(results, [&](RegisterId id) { return among(constants, id) || reads[id.index] == reads_[id.index]; });

  std::vector<llvm::Type*> parameters(2, builder_.getPtrTy()), returned{builder_.getInt64Ty()};
  std::vector<llvm::Value*> arguments{buffers_, context_};
  for (RegisterId id : uses) {
    parameters.push_back(type(element(id)));
    arguments.push_back(get(id));
  }
  for (RegisterId id : results) returned.push_back(type(element(id)));
  llvm::StructType* result = llvm::StructType::get(module_.getContext(), returned);
  auto* function =
      llvm::Function::Create(llvm::FunctionType::get(result, parameters, false), llvm::Function::InternalLinkage, "part", module_);
  function->addFnAttr(llvm::Attribute::NoUnwind);

  llvm::BasicBlock* outer = builder_.GetInsertBlock();
  std::vector<llvm::Value*> outer_bases = std::move(bases_);
  llvm::Value *outer_buffers = buffers_, *outer_context = context_;
  builder_.SetInsertPoint(llvm::BasicBlock::Create(module_.getContext(), "entry", function));
  enter(*function);
  for (unsigned i = 0; i < uses.size(); ++i) set(uses[i], function->getArg(2 + i));
  run_of_steps(steps);
  llvm::Value* all = builder_.CreateInsertValue(llvm::PoisonValue::get(result), integer(0), 0);
  for (unsigned i = 0; i < results.size(); ++i) all = builder_.CreateInsertValue(all, get(results[i]), i + 1);
  builder_.CreateRet(all);

  bases_ = std::move(outer_bases);
  buffers_ = outer_buffers;
  context_ = outer_context;
  for (unsigned i = 0; i < uses.size(); ++i) set(uses[i], arguments[2 + i]);
  builder_.SetInsertPoint(outer);
  llvm::Value* call = builder_.CreateCall(function, arguments);
  leave_unless_zero(builder_.CreateExtractValue(call, 0));
  for (unsigned i = 0; i < results.size(); ++i) set(results[i], builder_.CreateExtractValue(call, i + 1, plan_.at(results[i]).name));
}

void Emitter::leave_unless_zero(llvm::Value* status) {
  llvm::Function* function = builder_.GetInsertBlock()->getParent();
  auto* stop = llvm::BasicBlock::Create(module_.getContext(), "stop", function);
  auto* go_on = llvm::BasicBlock::Create(module_.getContext(), "go_on", function);
  builder_.CreateCondBr(builder_.CreateICmpEQ(status, integer(0)), go_on, stop,
                        llvm::MDBuilder(module_.getContext()).createLikelyBranchWeights());
  builder_.SetInsertPoint(stop);
  leave(status);
  builder_.SetInsertPoint(go_on);
}

void Emitter::leave(llvm::Value* status) {
  llvm::Type* result = builder_.GetInsertBlock()->getParent()->getReturnType();
  builder_.CreateRet(result->isStructTy() ? builder_.CreateInsertValue(llvm::PoisonValue::get(result), status, 0) : status);
}

}  // namespace bpc::backend
