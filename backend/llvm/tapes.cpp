// Pushes and pops in line; only a push to a full chunk calls.
#include <llvm/IR/MDBuilder.h>

#include "backend/llvm/context.h"
#include "backend/llvm/emitter.h"

namespace bpc::backend {

namespace {

std::size_t entry_bytes(const plan::Plan& plan, const plan::Datum& value) {
  if (const auto* scalar = std::get_if<plan::RegisterId>(&value)) return element_size(plan.at(*scalar).element);
  return plan.bytes(std::get<plan::BufferId>(value));
}

}  // namespace

// A field of a chunk, which never changes once the chunk is there.
llvm::Value* Emitter::chunk_field(llvm::Value* chunk, std::size_t offset, const char* name) {
  llvm::LoadInst* field =
      builder_.CreateLoad(builder_.getPtrTy(), builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), chunk, offset), name);
  field->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(module_.getContext(), {}));
  return field;
}

llvm::Value* Emitter::chunk_begin(llvm::Value* chunk) {
  return builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), chunk, sizeof(TapeChunk));
}

// A branch that is rarely taken; goes on where it is not.
llvm::BasicBlock* Emitter::branch_rarely(llvm::Value* condition, llvm::BasicBlock* otherwise, const char* name) {
  auto* rare = llvm::BasicBlock::Create(module_.getContext(), name, builder_.GetInsertBlock()->getParent());
  builder_.CreateCondBr(condition, rare, otherwise, llvm::MDBuilder(module_.getContext()).createUnlikelyBranchWeights());
  return rare;
}

// A call that gives a chunk, or nullptr when the run has to stop.
llvm::Value* Emitter::chunk_from(const char* name, llvm::ArrayRef<llvm::Value*> arguments) {
  std::vector<llvm::Type*> types;
  for (llvm::Value* argument : arguments) types.push_back(argument->getType());
  llvm::FunctionCallee callee = hook(name, builder_.getPtrTy(), types);
  llvm::cast<llvm::Function>(callee.getCallee())->addFnAttr(llvm::Attribute::Cold);
  llvm::Value* chunk = builder_.CreateCall(callee, arguments, "chunk");
  leave_unless_zero(builder_.CreateZExt(builder_.CreateIsNull(chunk), builder_.getInt64Ty()));
  return chunk;
}

llvm::Value* Emitter::root(std::uint32_t index) {
  llvm::Value* roots = chunk_field(context_, offsetof(RuntimeContext, roots), "roots");
  return builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), roots, index * sizeof(TapeChunk));
}

void Emitter::emit(const plan::NewTape& made) {
  llvm::Value* chunk = made.root ? root(*made.root) : chunk_from("bpc_hook_new_tape", {context_, site(made.site)});
  set(made.to.chunk, chunk);
  set(made.to.top, chunk_begin(chunk));
}

void Emitter::emit(const plan::CopyTape& copy) {
  llvm::Type* pointer = builder_.getPtrTy();
  llvm::AllocaInst* state = local(pointer, 2, "state");
  llvm::Value* top = builder_.CreateConstInBoundsGEP1_64(pointer, state, 1);
  builder_.CreateStore(get(copy.from.chunk), state);
  builder_.CreateStore(get(copy.from.top), top);
  llvm::FunctionCallee callee =
      hook("bpc_hook_copy_tape", builder_.getInt64Ty(), {pointer, pointer, pointer, builder_.getInt64Ty(), builder_.getInt32Ty()});
  leave_unless_zero(
      builder_.CreateCall(callee, {context_, state, root(copy.root), integer(static_cast<std::int64_t>(copy.entry)), site(copy.site)}));
  set(copy.to.chunk, builder_.CreateLoad(pointer, state));
  set(copy.to.top, builder_.CreateLoad(pointer, top));
}

void Emitter::emit(const plan::Push& push) {
  llvm::Value *chunk = get(push.from.chunk), *top = get(push.from.top);
  std::size_t bytes = entry_bytes(plan_, push.value);
  if (bytes > 0) {
    llvm::Function* function = builder_.GetInsertBlock()->getParent();
    auto* room = llvm::BasicBlock::Create(module_.getContext(), "room", function);
    llvm::Value* full = builder_.CreateICmpEQ(top, chunk_field(chunk, offsetof(TapeChunk, end), "end"));
    llvm::BasicBlock* before = builder_.GetInsertBlock();
    builder_.SetInsertPoint(branch_rarely(full, room, "full"));
    llvm::Value* next = chunk_from("bpc_hook_grow_tape", {context_, chunk, integer(static_cast<std::int64_t>(bytes)), site(push.site)});
    llvm::Value* begin = chunk_begin(next);
    llvm::BasicBlock* grown = builder_.GetInsertBlock();
    builder_.CreateBr(room);

    builder_.SetInsertPoint(room);
    auto either = [&](llvm::Value* old, llvm::Value* made) {
      llvm::PHINode* phi = builder_.CreatePHI(builder_.getPtrTy(), 2);
      phi->addIncoming(old, before);
      phi->addIncoming(made, grown);
      return phi;
    };
    chunk = either(chunk, next);
    top = either(top, begin);
    if (const auto* scalar = std::get_if<plan::RegisterId>(&push.value)) {
      store(get(*scalar), element(*scalar), top);
    } else {
      const auto tensor = std::get<plan::BufferId>(push.value);
      builder_.CreateMemCpy(top, llvm::Align(element_size(plan_.at(tensor).element)), base(tensor), llvm::Align(plan::kAlignment), bytes);
    }
    top = builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), top, bytes);
  }
  set(push.to.chunk, chunk);
  set(push.to.top, top);
}

void Emitter::emit(const plan::Pop& pop) {
  llvm::Value *chunk = get(pop.from.chunk), *top = get(pop.from.top);
  std::size_t bytes = entry_bytes(plan_, pop.value);
  const auto* scalar = std::get_if<plan::RegisterId>(&pop.value);
  const auto* tensor = std::get_if<plan::BufferId>(&pop.value);
  llvm::Value* value = nullptr;
  if (bytes > 0) {
    llvm::Function* function = builder_.GetInsertBlock()->getParent();
    auto block = [&](const char* name) { return llvm::BasicBlock::Create(module_.getContext(), name, function); };
    auto phi = [&](llvm::Value* a, llvm::BasicBlock* from_a, llvm::Value* b, llvm::BasicBlock* from_b) {
      llvm::PHINode* either = builder_.CreatePHI(a->getType(), 2);
      either->addIncoming(a, from_a);
      either->addIncoming(b, from_b);
      return either;
    };
    llvm::BasicBlock *before = builder_.GetInsertBlock(), *some = block("some"), *back = block("back"), *none = block("none"),
                     *done = block("popped");
    builder_.SetInsertPoint(branch_rarely(builder_.CreateICmpEQ(top, chunk_begin(chunk)), some, "emptied"));
    llvm::Value* previous = chunk_field(chunk, offsetof(TapeChunk, previous), "previous");
    builder_.CreateCondBr(builder_.CreateIsNull(previous), none, back);
    builder_.SetInsertPoint(back);
    llvm::Value* end = chunk_field(previous, offsetof(TapeChunk, end), "end");
    builder_.CreateBr(some);

    builder_.SetInsertPoint(some);
    llvm::Value *own_chunk = phi(chunk, before, previous, back), *own_top = phi(top, before, end, back);
    own_top = builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), own_top, -static_cast<std::int64_t>(bytes));
    if (scalar) {
      value = load(element(*scalar), own_top);
    } else {
      llvm::Align align(element_size(plan_.at(*tensor).element));
      builder_.CreateMemCpy(base(*tensor), llvm::Align(plan::kAlignment), own_top, align, bytes);
    }
    builder_.CreateBr(done);

    builder_.SetInsertPoint(none);
    if (tensor) builder_.CreateMemSet(base(*tensor), builder_.getInt8(0), bytes, llvm::Align(plan::kAlignment));
    builder_.CreateBr(done);

    builder_.SetInsertPoint(done);
    chunk = phi(own_chunk, some, chunk, none);
    top = phi(own_top, some, top, none);
    if (scalar) set(*scalar, phi(value, some, llvm::Constant::getNullValue(value->getType()), none));
  }
  set(pop.to.chunk, chunk);
  set(pop.to.top, top);
}

}  // namespace bpc::backend
