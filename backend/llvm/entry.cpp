// The entry point, buffers and loops.
#include "backend/llvm/context.h"
#include "backend/llvm/emitter.h"
#include "backend/plan/dataflow.h"

namespace bpc::backend {

using plan::BufferId;
using plan::RegisterId;
using plan::Storage;

Emitter::Emitter(const plan::Plan& plan, llvm::Module& module)
    : plan_(plan),
      module_(module),
      builder_(module.getContext()),
      registers_(plan.registers.size(), nullptr),
      reads_(plan.registers.size(), 0) {}

void Emitter::run() {
  llvm::Type* pointer = builder_.getPtrTy();
  auto* signature = llvm::FunctionType::get(builder_.getInt64Ty(), {pointer, pointer}, false);
  auto* entry = llvm::Function::Create(signature, llvm::Function::ExternalLinkage, kEntryName, module_);
  entry->addFnAttr(llvm::Attribute::NoUnwind);
  builder_.SetInsertPoint(llvm::BasicBlock::Create(module_.getContext(), "entry", entry));
  plan::Registers all;
  for (const plan::Step& step : plan_.body) plan::add_registers(step, all);
  for (RegisterId id : all.read) ++reads_[id.index];
  enter(*entry);
  for (std::size_t i = 0; i < plan_.parameters.size(); ++i) {
    const auto* scalar = std::get_if<RegisterId>(&plan_.parameters[i]);
    if (!scalar) continue;
    const RegisterId id = *scalar;
    arguments_[id.index] = i;
    if (plan_.frame.valid()) continue;  // thousands of them would live across every part: each is read where it is used
    llvm::Value* value = load(element(id), bound(i));
    value->setName(plan_.at(id).name);
    set(id, value);
  }
  steps(plan_.body);
  builder_.CreateRet(builder_.getInt64(0));
}

void Emitter::emit(const plan::SetOutput& output) {
  store(get(output.value), element(output.value), bound(plan_.parameters.size() + output.index));
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

void Emitter::enter(llvm::Function& function) {
  buffers_ = function.getArg(0);
  buffers_->setName("buffers");
  context_ = function.getArg(1);
  context_->setName("context");
  bases_.assign(plan_.storages.size(), nullptr);
}

llvm::Value* Emitter::bound(std::size_t index) {
  return builder_.CreateLoad(builder_.getPtrTy(), builder_.CreateConstInBoundsGEP1_64(builder_.getPtrTy(), buffers_, index));
}

// Computed at the top of the function, where it serves all later uses.
llvm::Value* Emitter::base(BufferId id) {
  llvm::Value*& base = bases_[plan_.at(id).storage.index];
  if (base) return base;
  llvm::IRBuilder<>::InsertPointGuard guard(builder_);
  llvm::BasicBlock& first = builder_.GetInsertBlock()->getParent()->getEntryBlock();
  builder_.SetInsertPoint(&first, first.begin());
  const Storage& storage = plan_.storage(id);
  std::size_t outputs = plan_.parameters.size(), constants = outputs + plan_.outputs.size(), arena = constants + plan_.constants.size();
  switch (storage.kind) {
    case Storage::Kind::argument:
      return base = bound(storage.index);
    case Storage::Kind::output:
      return base = bound(outputs + storage.index);
    case Storage::Kind::constant:
      return base = bound(constants + storage.index);
    case Storage::Kind::arena:
      break;
  }
  // An empty tensor is never read or written.
  if (storage.bytes == 0) return base = llvm::ConstantPointerNull::get(builder_.getPtrTy());
  return base = builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), bound(arena), storage.offset);
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
  set_shape(builder_.CreateCondBr(builder_.CreateICmpSLT(next, to), turn, done), shape_);
  builder_.SetInsertPoint(done);
}

void Emitter::set_shape(llvm::BranchInst* back, Shape shape) {
  if (shape == Shape::ordinary) return;
  llvm::LLVMContext& context = module_.getContext();
  auto property = [&](const char* name, llvm::Constant* value) -> llvm::Metadata* {
    return llvm::MDNode::get(context, {llvm::MDString::get(context, name), llvm::ConstantAsMetadata::get(value)});
  };
  std::vector<llvm::Metadata*> properties{nullptr, shape == Shape::rolled ? property("llvm.loop.vectorize.enable", builder_.getFalse())
                                                                          : property("llvm.loop.interleave.count", builder_.getInt32(1))};
  const char* unrolling = shape == Shape::rolled ? "llvm.loop.unroll.disable" : "llvm.loop.unroll.runtime.disable";
  properties.push_back(llvm::MDNode::get(context, llvm::MDString::get(context, unrolling)));
  llvm::MDNode* loop = llvm::MDNode::getDistinct(context, properties);
  loop->replaceOperandWith(0, loop);
  back->setMetadata(llvm::LLVMContext::MD_loop, loop);
}

}  // namespace bpc::backend
