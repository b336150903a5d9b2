// Structured control flow: scalars are carried as phis.
#include "backend/llvm/context.h"
#include "backend/llvm/emitter.h"

namespace bpc::backend {

namespace {

// Turns between two looks at the interrupt flag in a loop that is known to be counted.
constexpr std::int64_t kTurnsPerPoll = 4096;

bool holds_loop(const plan::Steps& steps) {
  for (const plan::Step& step : steps)
    if (!std::holds_alternative<plan::Instruction>(step.what) && !std::holds_alternative<plan::CheckIndex>(step.what)) return true;
  return false;
}

}  // namespace

void Emitter::poll() {
  llvm::Value* place = builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), context_, offsetof(RuntimeContext, interrupt));
  llvm::LoadInst* flag = builder_.CreateAlignedLoad(builder_.getInt8Ty(), builder_.CreateLoad(builder_.getPtrTy(), place), llvm::Align(1));
  flag->setAtomic(llvm::AtomicOrdering::Monotonic);
  check(builder_.CreateICmpEQ(flag, builder_.getInt8(0)), kInterrupted);
}

void Emitter::emit(const plan::If& branch) {
  llvm::Function* function = builder_.GetInsertBlock()->getParent();
  auto block = [&](const char* name) { return llvm::BasicBlock::Create(module_.getContext(), name, function); };
  llvm::BasicBlock *then = block("then"), *otherwise = block("else"), *join = block("join");
  builder_.CreateCondBr(get(branch.condition), then, otherwise);

  builder_.SetInsertPoint(then);
  steps(branch.then);
  for (const plan::JoinedBuffer& joined : branch.buffers) copy(joined.then, joined.result);
  then = builder_.GetInsertBlock();
  builder_.CreateBr(join);

  builder_.SetInsertPoint(otherwise);
  steps(branch.otherwise);
  for (const plan::JoinedBuffer& joined : branch.buffers) copy(joined.otherwise, joined.result);
  otherwise = builder_.GetInsertBlock();
  builder_.CreateBr(join);

  builder_.SetInsertPoint(join);
  for (const plan::JoinedRegister& joined : branch.registers) {
    llvm::PHINode* phi = builder_.CreatePHI(type(element(joined.result)), 2, plan_.at(joined.result).name);
    phi->addIncoming(get(joined.then), then);
    phi->addIncoming(get(joined.otherwise), otherwise);
    set(joined.result, phi);
  }
}

std::vector<llvm::PHINode*> Emitter::carried_phis(const std::vector<plan::CarriedRegister>& registers, llvm::BasicBlock* from) {
  std::vector<llvm::PHINode*> phis;
  for (const plan::CarriedRegister& slot : registers) {
    llvm::PHINode* phi = builder_.CreatePHI(type(element(slot.argument)), 2, plan_.at(slot.argument).name);
    phi->addIncoming(get(slot.init), from);
    set(slot.argument, phi);
    phis.push_back(phi);
  }
  return phis;
}

void Emitter::next_turn(const std::vector<plan::CarriedRegister>& registers, const std::vector<plan::CarriedBuffer>& buffers,
                        std::span<llvm::PHINode* const> phis) {
  for (const plan::CarriedBuffer& slot : buffers) copy(slot.next, slot.argument);
  for (std::size_t i = 0; i < registers.size(); ++i) phis[i]->addIncoming(get(registers[i].next), builder_.GetInsertBlock());
}

// The number of turns is known before the first: they are counted in 64 bits, so that the index cannot overflow its way past the end.
// A body of scalars alone runs in bursts between two looks at the interrupt flag, so that the inner loop is free of them.
void Emitter::emit(const plan::For& loop) {
  llvm::Function* function = builder_.GetInsertBlock()->getParent();
  auto block = [&](const char* name) { return llvm::BasicBlock::Create(module_.getContext(), name, function); };
  auto wide = [&](plan::RegisterId id) { return convert(get(id), element(id), Element::i64); };
  llvm::Value *lo = wide(loop.lo), *hi = wide(loop.hi), *by = wide(loop.by), *zero = integer(0);
  if (auto* constant = llvm::dyn_cast<llvm::ConstantInt>(by); !constant || constant->isZero())
    check(builder_.CreateICmpNE(by, zero), loop.site);
  llvm::Value* up = builder_.CreateICmpSGT(by, zero);
  llvm::Value* distance = builder_.CreateSub(builder_.CreateSelect(up, hi, lo), builder_.CreateSelect(up, lo, hi));
  llvm::Value* runs = builder_.CreateICmpSLT(builder_.CreateSelect(up, lo, hi), builder_.CreateSelect(up, hi, lo));
  llvm::Value* stride = builder_.CreateSelect(up, by, builder_.CreateNeg(by));
  llvm::Value* last = builder_.CreateUDiv(builder_.CreateSub(distance, integer(1)), stride);  // the last turn's number, where it runs

  for (const plan::CarriedBuffer& slot : loop.buffers) copy(slot.init, slot.argument);
  llvm::BasicBlock *before = builder_.GetInsertBlock(), *burst = block("burst"), *turn = block("turn"), *after = block("after");
  builder_.CreateCondBr(runs, burst, after);
  bool bursts = !holds_loop(loop.body);

  builder_.SetInsertPoint(burst);
  llvm::PHINode* first = builder_.CreatePHI(builder_.getInt64Ty(), 2, "first");
  first->addIncoming(zero, before);
  std::vector<llvm::PHINode*> outer_phis = carried_phis(loop.registers, before);
  poll();
  llvm::Value* end = first;
  if (bursts) {
    llvm::Value* left = builder_.CreateSub(last, first);
    llvm::Value* some = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, left, integer(kTurnsPerPoll - 1));
    end = builder_.CreateAdd(first, some, "burst_end");
  }
  llvm::BasicBlock* entered = builder_.GetInsertBlock();
  builder_.CreateBr(turn);

  builder_.SetInsertPoint(turn);
  llvm::PHINode* count = builder_.CreatePHI(builder_.getInt64Ty(), 2, "turn");
  count->addIncoming(first, entered);
  std::vector<llvm::PHINode*> phis;
  for (std::size_t i = 0; i < loop.registers.size(); ++i) {
    llvm::PHINode* phi = builder_.CreatePHI(outer_phis[i]->getType(), 2, outer_phis[i]->getName());
    phi->addIncoming(outer_phis[i], entered);
    set(loop.registers[i].argument, phi);
    phis.push_back(phi);
  }
  llvm::Value* index = builder_.CreateAdd(lo, builder_.CreateMul(count, by));
  index = convert(index, Element::i64, element(loop.index));
  if (!llvm::isa<llvm::Constant>(index) && !index->hasName()) index->setName(plan_.at(loop.index).name);
  set(loop.index, index);
  steps(loop.body);
  next_turn(loop.registers, loop.buffers, phis);
  llvm::BasicBlock *turned = builder_.GetInsertBlock(), *burst_done = block("burst_done");
  count->addIncoming(builder_.CreateAdd(count, integer(1)), turned);
  builder_.CreateCondBr(builder_.CreateICmpEQ(count, end), burst_done, turn);

  builder_.SetInsertPoint(burst_done);
  first->addIncoming(builder_.CreateAdd(end, integer(1)), burst_done);
  for (std::size_t i = 0; i < loop.registers.size(); ++i) outer_phis[i]->addIncoming(get(loop.registers[i].next), burst_done);
  builder_.CreateCondBr(builder_.CreateICmpEQ(end, last), after, burst);

  builder_.SetInsertPoint(after);
  for (const plan::CarriedRegister& slot : loop.registers) {
    llvm::PHINode* phi = builder_.CreatePHI(type(element(slot.result)), 2, plan_.at(slot.result).name);
    phi->addIncoming(get(slot.init), before);
    phi->addIncoming(get(slot.next), burst_done);
    set(slot.result, phi);
  }
}

void Emitter::emit(const plan::While& loop) {
  llvm::Function* function = builder_.GetInsertBlock()->getParent();
  auto block = [&](const char* name) { return llvm::BasicBlock::Create(module_.getContext(), name, function); };
  llvm::Type* word = builder_.getInt64Ty();
  llvm::Value* limit = builder_.CreateLoad(
      word, builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), context_, offsetof(RuntimeContext, iteration_limit)), "limit");
  for (const plan::CarriedBuffer& slot : loop.buffers) copy(slot.init, slot.argument);
  llvm::BasicBlock *before = builder_.GetInsertBlock(), *header = block("while"), *body = block("body"), *after = block("after");
  builder_.CreateBr(header);

  builder_.SetInsertPoint(header);
  llvm::PHINode* count = builder_.CreatePHI(word, 2, "turn");
  count->addIncoming(integer(0), before);
  std::vector<llvm::PHINode*> phis = carried_phis(loop.registers, before);
  steps(loop.condition);
  builder_.CreateCondBr(get(loop.holds), body, after);

  builder_.SetInsertPoint(body);
  check(builder_.CreateICmpNE(count, limit), loop.site);
  poll();
  steps(loop.body);
  next_turn(loop.registers, loop.buffers, phis);
  count->addIncoming(builder_.CreateAdd(count, integer(1)), builder_.GetInsertBlock());
  builder_.CreateBr(header);

  builder_.SetInsertPoint(after);
  for (const plan::CarriedRegister& slot : loop.registers) set(slot.result, get(slot.argument));
}

}  // namespace bpc::backend
