// Pushes and pops in line; only a push to a full chunk calls. What storage says is read where it lies is not copied by a pop.
#include <llvm/IR/MDBuilder.h>

#include "backend/llvm/context.h"
#include "backend/llvm/host.h"

namespace bpc::backend {

namespace {

std::size_t entry_bytes(const plan::Plan& plan, const plan::Datum& value) {
  if (const auto* scalar = std::get_if<plan::RegisterId>(&value)) return element_size(plan.at(*scalar).element);
  return plan.bytes(std::get<plan::BufferId>(value));
}

}  // namespace

// A field of a chunk, which never changes once the chunk is there.
llvm::Value* HostEmitter::chunk_field(llvm::Value* chunk, std::size_t offset, const char* name) {
  llvm::LoadInst* field =
      builder_.CreateLoad(builder_.getPtrTy(), builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), chunk, offset), name);
  field->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(code_.module.getContext(), {}));
  return field;
}

llvm::Value* HostEmitter::chunk_begin(llvm::Value* chunk) {
  return builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), chunk, sizeof(TapeChunk));
}

// A branch that is rarely taken; goes on where it is not.
llvm::BasicBlock* HostEmitter::branch_rarely(llvm::Value* condition, llvm::BasicBlock* otherwise, const char* name) {
  auto* rare = code_.block(name);
  builder_.CreateCondBr(condition, rare, otherwise, llvm::MDBuilder(code_.module.getContext()).createUnlikelyBranchWeights());
  return rare;
}

// A call that gives a chunk, or nullptr when the run has to stop.
llvm::Value* HostEmitter::chunk_from(const char* name, llvm::ArrayRef<llvm::Value*> arguments) {
  std::vector<llvm::Type*> types;
  for (llvm::Value* argument : arguments) types.push_back(argument->getType());
  llvm::FunctionCallee callee = code_.callee(name, builder_.getPtrTy(), types);
  llvm::cast<llvm::Function>(callee.getCallee())->addFnAttr(llvm::Attribute::Cold);
  llvm::Value* chunk = builder_.CreateCall(callee, arguments, "chunk");
  code_.leave_unless_zero(builder_.CreateZExt(builder_.CreateIsNull(chunk), builder_.getInt64Ty()));
  return chunk;
}

llvm::Value* HostEmitter::root(std::uint32_t index) {
  llvm::Value* roots = chunk_field(code_.context(), offsetof(RuntimeContext, roots), "roots");
  return builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), roots, index * sizeof(TapeChunk));
}

void HostEmitter::visit(const plan::NewTape& made) {
  llvm::Value* chunk = made.root ? root(*made.root) : chunk_from("bpc_hook_new_tape", {code_.context(), code_.site(made.site)});
  code_.set(made.to.chunk, chunk);
  code_.set(made.to.top, chunk_begin(chunk));
}

void HostEmitter::visit(const plan::CopyTape& copy) {
  llvm::Type* pointer = builder_.getPtrTy();
  llvm::AllocaInst* state = code_.local(pointer, 2, "state");
  llvm::Value* top = builder_.CreateConstInBoundsGEP1_64(pointer, state, 1);
  builder_.CreateStore(code_.get(copy.from.chunk), state);
  builder_.CreateStore(code_.get(copy.from.top), top);
  llvm::FunctionCallee callee =
      code_.callee("bpc_hook_copy_tape", builder_.getInt64Ty(), {pointer, pointer, pointer, builder_.getInt64Ty(), builder_.getInt32Ty()});
  code_.leave_unless_zero(builder_.CreateCall(
      callee, {code_.context(), state, root(copy.root), code_.integer(static_cast<std::int64_t>(copy.entry)), code_.site(copy.site)}));
  code_.set(copy.to.chunk, builder_.CreateLoad(pointer, state));
  code_.set(copy.to.top, builder_.CreateLoad(pointer, top));
}

void HostEmitter::visit(const plan::Push& push) {
  llvm::Value *chunk = code_.get(push.from.chunk), *top = code_.get(push.from.top);
  std::size_t bytes = entry_bytes(plan_, push.value);
  if (bytes > 0) {
    auto* room = code_.block("room");
    llvm::Value* full = builder_.CreateICmpEQ(top, chunk_field(chunk, offsetof(TapeChunk, end), "end"));
    llvm::BasicBlock* before = builder_.GetInsertBlock();
    builder_.SetInsertPoint(branch_rarely(full, room, "full"));
    llvm::Value* next =
        chunk_from("bpc_hook_grow_tape", {code_.context(), chunk, code_.integer(static_cast<std::int64_t>(bytes)), code_.site(push.site)});
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
      code_.store(code_.get(*scalar), code_.element(*scalar), top);
    } else {
      const auto tensor = std::get<plan::BufferId>(push.value);
      builder_.CreateMemCpy(top, llvm::Align(element_size(plan_.at(tensor).element)), code_.base(tensor), llvm::Align(plan::kAlignment),
                            bytes);
    }
    top = builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), top, bytes);
  }
  code_.set(push.to.chunk, chunk);
  code_.set(push.to.top, top);
}

void HostEmitter::visit(const plan::Pop& pop) {
  llvm::Value *chunk = code_.get(pop.from.chunk), *top = code_.get(pop.from.top);
  std::size_t bytes = entry_bytes(plan_, pop.value);
  const auto* scalar = std::get_if<plan::RegisterId>(&pop.value);
  const auto* tensor = std::get_if<plan::BufferId>(&pop.value);
  llvm::Value* value = nullptr;
  if (bytes > 0) {
    auto block = [&](const char* name) { return code_.block(name); };
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
    const bool in_place = tensor && plan_.storage(*tensor).kind == plan::Storage::Kind::entry;
    if (scalar) {
      value = code_.load(code_.element(*scalar), own_top);
    } else if (!in_place) {
      llvm::Align align(element_size(plan_.at(*tensor).element));
      builder_.CreateMemCpy(code_.base(*tensor), llvm::Align(plan::kAlignment), own_top, align, bytes);
    }
    builder_.CreateBr(done);

    builder_.SetInsertPoint(none);
    llvm::Value* zeros = tensor ? in_place ? code_.in_arena(plan_.storage(*tensor)) : code_.base(*tensor) : nullptr;
    if (tensor) builder_.CreateMemSet(zeros, builder_.getInt8(0), bytes, llvm::Align(plan::kAlignment));
    builder_.CreateBr(done);

    builder_.SetInsertPoint(done);
    chunk = phi(own_chunk, some, chunk, none);
    top = phi(own_top, some, top, none);
    if (in_place) code_.set_base(*tensor, phi(own_top, some, zeros, none));
    if (scalar) code_.set(*scalar, phi(value, some, llvm::Constant::getNullValue(value->getType()), none));
  }
  code_.set(pop.to.chunk, chunk);
  code_.set(pop.to.top, top);
}

}  // namespace bpc::backend
