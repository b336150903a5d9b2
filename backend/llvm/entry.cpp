// The entry point, buffers and loops.
#include <llvm/IR/Attributes.h>

#include <algorithm>

#include "backend/llvm/context.h"
#include "backend/llvm/emitter.h"

namespace bpc::backend {

using plan::BufferId;
using plan::RegisterId;
using plan::Storage;

Emitter::Emitter(const plan::Plan& plan, llvm::Module& module)
    : plan_(plan),
      module_(module),
      builder_(module.getContext()),
      registers_(plan.registers.size(), nullptr),
      bases_(plan.storages.size(), nullptr) {}

void Emitter::run() {
  llvm::Type* pointer = builder_.getPtrTy();
  auto* signature = llvm::FunctionType::get(builder_.getInt64Ty(), {pointer, pointer}, false);
  entry_ = llvm::Function::Create(signature, llvm::Function::ExternalLinkage, kEntryName, module_);
  entry_->addFnAttr(llvm::Attribute::NoUnwind);
  builder_.SetInsertPoint(llvm::BasicBlock::Create(module_.getContext(), "entry", entry_));
  llvm::Value* buffers = entry_->getArg(0);
  buffers->setName("buffers");
  context_ = entry_->getArg(1);
  context_->setName("context");
  interrupt_ = builder_.CreateLoad(
      pointer, builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), context_, offsetof(RuntimeContext, interrupt)), "interrupt");

  auto bound = [&](std::size_t index, const char* name) {
    return builder_.CreateLoad(pointer, builder_.CreateConstInBoundsGEP1_64(pointer, buffers, index), name);
  };
  std::size_t outputs = plan_.parameters.size(), constants = outputs + plan_.outputs.size(), arena = constants + plan_.constants.size();
  llvm::Value* arena_base = plan_.arena_bytes > 0 ? bound(arena, "arena") : nullptr;
  for (std::size_t i = 0; i < plan_.storages.size(); ++i) {
    const Storage& storage = plan_.storages[i];
    switch (storage.kind) {
      case Storage::Kind::argument:
        bases_[i] = bound(storage.index, "argument");
        break;
      case Storage::Kind::output:
        bases_[i] = bound(outputs + storage.index, "output");
        break;
      case Storage::Kind::constant:
        bases_[i] = bound(constants + storage.index, "constant");
        break;
      case Storage::Kind::arena:  // an empty tensor is never read
        bases_[i] = arena_base ? builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), arena_base, storage.offset)
                               : llvm::ConstantPointerNull::get(builder_.getPtrTy());
        break;
    }
  }
  for (std::size_t i = 0; i < plan_.parameters.size(); ++i) {
    RegisterId id = plan_.parameters[i].scalar;
    if (!id.valid()) continue;
    set(id, load(element(id), bound(i, "argument")));
    get(id)->setName(plan_.at(id).name);
  }
  steps(plan_.body);
  for (std::size_t i = 0; i < plan_.outputs.size(); ++i) {
    RegisterId id = plan_.outputs[i].scalar;
    if (id.valid()) store(get(id), element(id), bound(outputs + i, "output"));
  }
  builder_.CreateRet(builder_.getInt64(0));
}

llvm::Type* Emitter::type(Element element) {
  switch (element) {
    case Element::f32:
      return builder_.getFloatTy();
    case Element::f64:
      return builder_.getDoubleTy();
    case Element::i32:
      return builder_.getInt32Ty();
    case Element::i64:
      return builder_.getInt64Ty();
    case Element::boolean:
      return builder_.getInt1Ty();
  }
  return nullptr;
}

llvm::Type* Emitter::memory_type(Element element) {
  return element == Element::boolean ? builder_.getInt8Ty() : type(element);
}

llvm::Value* Emitter::form(const plan::Affine& at, Indices indices) {
  llvm::Value* sum = nullptr;
  auto add = [&](llvm::Value* value, std::int64_t factor) {
    if (factor == 0) return;
    llvm::Value* term = factor == 1 ? value : builder_.CreateNSWMul(value, integer(factor));
    sum = sum ? builder_.CreateNSWAdd(sum, term) : term;
  };
  for (const auto& [reg, factor] : at.terms) add(get(reg), factor);
  if (at.offset != 0) add(integer(at.offset), 1);
  for (std::size_t i = 0; i < at.strides.size(); ++i) add(indices[i], at.strides[i]);
  return sum ? sum : integer(0);
}

llvm::Value* Emitter::base(BufferId id) {
  return bases_[plan_.at(id).storage];
}

llvm::Value* Emitter::address(const plan::Access& access, Indices indices) {
  return builder_.CreateInBoundsGEP(memory_type(plan_.at(access.buffer).element), base(access.buffer), form(access.at, indices));
}

llvm::Value* Emitter::load(Element element, llvm::Value* address) {
  llvm::Value* value = builder_.CreateAlignedLoad(memory_type(element), address, llvm::Align(element_size(element)));
  return element == Element::boolean ? builder_.CreateICmpNE(value, builder_.getInt8(0)) : value;
}

void Emitter::store(llvm::Value* value, Element element, llvm::Value* address) {
  if (element == Element::boolean) value = builder_.CreateZExt(value, builder_.getInt8Ty());
  builder_.CreateAlignedStore(value, address, llvm::Align(element_size(element)));
}

void Emitter::copy(BufferId from, BufferId to) {
  if (plan_.at(from).storage == plan_.at(to).storage) return;
  llvm::MaybeAlign align(plan::kAlignment);
  builder_.CreateMemCpy(base(to), align, base(from), align, plan_.storage(to).bytes);
}

llvm::AllocaInst* Emitter::local(llvm::Type* type, std::uint64_t count, const char* name) {
  llvm::BasicBlock& first = builder_.GetInsertBlock()->getParent()->getEntryBlock();
  llvm::IRBuilder<> at(&first, first.begin());
  return at.CreateAlloca(count == 1 ? type : llvm::ArrayType::get(type, count), nullptr, name);
}

void Emitter::loop(llvm::Value* from, llvm::Value* to, std::int64_t by, const std::function<void(llvm::Value* index)>& body) {
  auto* first = llvm::dyn_cast<llvm::ConstantInt>(from);
  auto* limit = llvm::dyn_cast<llvm::ConstantInt>(to);
  bool known = first && limit;
  if (known && first->getSExtValue() >= limit->getSExtValue()) return;
  llvm::BasicBlock* before = builder_.GetInsertBlock();
  llvm::Function* function = before->getParent();
  auto* turn = llvm::BasicBlock::Create(module_.getContext(), "loop", function);
  auto* done = llvm::BasicBlock::Create(module_.getContext(), "done", function);
  if (known)
    builder_.CreateBr(turn);
  else
    builder_.CreateCondBr(builder_.CreateICmpSLT(from, to), turn, done);
  builder_.SetInsertPoint(turn);
  llvm::PHINode* index = builder_.CreatePHI(builder_.getInt64Ty(), 2, "i");
  index->addIncoming(from, before);
  body(index);
  llvm::Value* next = builder_.CreateNSWAdd(index, integer(by));
  index->addIncoming(next, builder_.GetInsertBlock());
  builder_.CreateCondBr(builder_.CreateICmpSLT(next, to), turn, done);
  builder_.SetInsertPoint(done);
}

void Emitter::keep_rolled(llvm::BranchInst* back) {
  llvm::LLVMContext& context = module_.getContext();
  auto property = [&](const char* name, llvm::Constant* value) {
    return llvm::MDNode::get(context, {llvm::MDString::get(context, name), llvm::ConstantAsMetadata::get(value)});
  };
  llvm::MDNode* loop =
      llvm::MDNode::getDistinct(context, {nullptr, llvm::MDNode::get(context, {llvm::MDString::get(context, "llvm.loop.unroll.disable")}),
                                          property("llvm.loop.vectorize.enable", builder_.getFalse())});
  loop->replaceOperandWith(0, loop);
  back->setMetadata(llvm::LLVMContext::MD_loop, loop);
}

void Emitter::outline(const char* name, bool small, std::vector<std::uint32_t> storages, std::vector<RegisterId> uses,
                      const std::vector<RegisterId>& results, const std::function<void()>& body) {
  auto unique = [](auto& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  };
  unique(storages);
  unique(uses);
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
  for (const plan::Step& step : steps) std::visit([&](const auto& what) { emit(what); }, step.what);
}

}  // namespace bpc::backend
