// Structured control flow: scalars are carried as phis.
#include <algorithm>

#include "backend/llvm/context.h"
#include "backend/llvm/host.h"

namespace bpc::backend {

using plan::CarriedRegister;
using plan::RegisterId;

namespace {

// Turns between two looks at the interrupt flag in a loop that is known to be counted.
constexpr std::int64_t kTurnsPerPoll = 4096;

// Whether the steps are over in a moment.
bool are_quick(const plan::Plan& plan, const plan::Steps& steps);

bool is_quick(const plan::Plan& plan, const plan::Kernel& kernel) {
  constexpr std::int64_t kFewElements = 64;
  std::int64_t turns = 1;
  for (const plan::Axis& axis : kernel.axes) turns *= axis.size;
  return turns <= kFewElements && std::all_of(kernel.stores.begin(), kernel.stores.end(), [&](const plan::Store& store) {
           return !store.base.valid() || plan.at(store.base).storage == plan.at(store.to.buffer).storage;
         });
}

bool is_quick(const plan::Plan& plan, const plan::If& branch) {
  auto is_shared = [&](const plan::JoinedBuffer& joined) {
    const plan::StorageId storage = plan.at(joined.result).storage;
    return plan.at(joined.then).storage == storage && plan.at(joined.otherwise).storage == storage;
  };
  return std::all_of(branch.buffers.begin(), branch.buffers.end(), is_shared) && are_quick(plan, branch.then) &&
         are_quick(plan, branch.otherwise);
}

bool are_quick(const plan::Plan& plan, const plan::Steps& steps) {
  return std::all_of(steps.begin(), steps.end(), [&](const plan::Step& step) {
    if (const auto* branch = std::get_if<plan::If>(&step.what)) return is_quick(plan, *branch);
    if (const auto* kernel = std::get_if<plan::Kernel>(&step.what)) return is_quick(plan, *kernel);
    if (const auto* push = std::get_if<plan::Push>(&step.what)) return std::holds_alternative<RegisterId>(push->value);
    if (const auto* pop = std::get_if<plan::Pop>(&step.what)) return std::holds_alternative<RegisterId>(pop->value);
    return std::holds_alternative<plan::Instruction>(step.what) || std::holds_alternative<plan::CheckIndex>(step.what);
  });
}

bool are_quick(const plan::Plan& plan, const plan::For& loop) {
  return are_quick(plan, loop.body) && std::all_of(loop.buffers.begin(), loop.buffers.end(), [&](const plan::CarriedBuffer& slot) {
           return plan.at(slot.next).storage == plan.at(slot.argument).storage;
         });
}

}  // namespace

void HostEmitter::poll() {
  llvm::Value* place = code_.context_field(offsetof(RuntimeContext, interrupt));
  llvm::LoadInst* flag = builder_.CreateAlignedLoad(builder_.getInt8Ty(), builder_.CreateLoad(builder_.getPtrTy(), place), llvm::Align(1));
  flag->setAtomic(llvm::AtomicOrdering::Monotonic);
  code_.check(builder_.CreateICmpEQ(flag, builder_.getInt8(0)), plan::SiteId{});
}

llvm::Value* HostEmitter::iteration_limit() {
  return builder_.CreateLoad(builder_.getInt64Ty(), code_.context_field(offsetof(RuntimeContext, iteration_limit)), "limit");
}

void HostEmitter::visit(const plan::If& branch) {
  auto block = [&](const char* name) { return code_.block(name); };
  llvm::BasicBlock *then = block("then"), *otherwise = block("else"), *join = block("join");
  builder_.CreateCondBr(code_.get(branch.condition), then, otherwise);

  using plan::JoinedRegister;
  auto side = [&](llvm::BasicBlock*& at, const plan::Steps& steps, plan::BufferId plan::JoinedBuffer::* tensor,
                  RegisterId JoinedRegister::* scalar) {
    builder_.SetInsertPoint(at);
    this->steps(steps);
    for (const plan::JoinedBuffer& joined : branch.buffers) code_.copy(joined.*tensor, joined.result);
    std::vector<llvm::Value*> values;
    for (const JoinedRegister& joined : branch.registers) values.push_back(code_.get(joined.*scalar));
    at = builder_.GetInsertBlock();
    builder_.CreateBr(join);
    return values;
  };
  std::vector<llvm::Value*> left = side(then, branch.then, &plan::JoinedBuffer::then, &JoinedRegister::then);
  std::vector<llvm::Value*> right = side(otherwise, branch.otherwise, &plan::JoinedBuffer::otherwise, &JoinedRegister::otherwise);

  builder_.SetInsertPoint(join);
  for (std::size_t i = 0; i < branch.registers.size(); ++i) {
    RegisterId result = branch.registers[i].result;
    llvm::PHINode* phi = builder_.CreatePHI(code_.type(result), 2, plan_.at(result).name);
    phi->addIncoming(left[i], then);
    phi->addIncoming(right[i], otherwise);
    code_.set(result, phi);
  }
}

std::vector<llvm::Value*> HostEmitter::values(std::span<const CarriedRegister> registers, RegisterId CarriedRegister::* which) {
  std::vector<llvm::Value*> result;
  for (const CarriedRegister& slot : registers) result.push_back(code_.get(slot.*which));
  return result;
}

std::vector<llvm::PHINode*> HostEmitter::carried_phis(std::span<const CarriedRegister> registers, std::span<llvm::Value* const> inits,
                                                      llvm::BasicBlock* from) {
  std::vector<llvm::PHINode*> phis;
  for (std::size_t i = 0; i < registers.size(); ++i) {
    RegisterId argument = registers[i].argument;
    phis.push_back(builder_.CreatePHI(code_.type(argument), 2, plan_.at(argument).name));
    phis.back()->addIncoming(inits[i], from);
    code_.set(argument, phis.back());
  }
  return phis;
}

std::vector<llvm::Value*> HostEmitter::next_turn(std::span<const CarriedRegister> registers, std::span<const plan::CarriedBuffer> buffers,
                                                 std::span<llvm::PHINode* const> phis) {
  for (const plan::CarriedBuffer& slot : buffers) code_.copy(slot.next, slot.argument);
  std::vector<llvm::Value*> next = values(registers, &CarriedRegister::next);
  for (std::size_t i = 0; i < phis.size(); ++i) phis[i]->addIncoming(next[i], builder_.GetInsertBlock());
  return next;
}

// The number of turns is known before the first: they are counted in 64 bits, so that the index cannot overflow its way past the end.
// A body that is over in a moment runs in bursts between two looks at the interrupt flag, so that the inner loop is free of them.
void HostEmitter::visit(const plan::For& loop) {
  auto block = [&](const char* name) { return code_.block(name); };
  auto wide = [&](plan::RegisterId id) { return code_.convert(code_.get(id), code_.element(id), Element::i64); };
  llvm::Value *lo = wide(loop.lo), *hi = wide(loop.hi), *by = wide(loop.by), *zero = code_.integer(0);
  if (auto* constant = llvm::dyn_cast<llvm::ConstantInt>(by); !constant || constant->isZero())
    code_.check(builder_.CreateICmpNE(by, zero), loop.site);
  llvm::Value* up = builder_.CreateICmpSGT(by, zero);
  llvm::Value* distance = builder_.CreateSub(builder_.CreateSelect(up, hi, lo), builder_.CreateSelect(up, lo, hi));
  llvm::Value* runs = builder_.CreateICmpSLT(builder_.CreateSelect(up, lo, hi), builder_.CreateSelect(up, hi, lo));
  llvm::Value* stride = builder_.CreateSelect(up, by, builder_.CreateNeg(by));
  llvm::Value* last = builder_.CreateUDiv(builder_.CreateSub(distance, code_.integer(1)), stride);  // the last turn's number, where it runs
  code_.check(builder_.CreateOr(builder_.CreateNot(runs), builder_.CreateICmpULT(last, iteration_limit())), loop.site, kTooLong);

  for (const plan::CarriedBuffer& slot : loop.buffers) code_.copy(slot.init, slot.argument);
  std::vector<llvm::Value*> inits = values(loop.registers, &CarriedRegister::init);
  llvm::BasicBlock *before = builder_.GetInsertBlock(), *burst = block("burst"), *turn = block("turn"), *after = block("after");
  builder_.CreateCondBr(runs, burst, after);
  bool bursts = are_quick(plan_, loop);

  builder_.SetInsertPoint(burst);
  llvm::PHINode* first = builder_.CreatePHI(builder_.getInt64Ty(), 2, "first");
  first->addIncoming(zero, before);
  std::vector<llvm::PHINode*> outer_phis = carried_phis(loop.registers, inits, before);
  poll();
  llvm::Value* end = first;
  if (bursts) {
    llvm::Value* left = builder_.CreateSub(last, first);
    llvm::Value* some = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, left, code_.integer(kTurnsPerPoll - 1));
    end = builder_.CreateAdd(first, some, "burst_end");
  }
  llvm::BasicBlock* entered = builder_.GetInsertBlock();
  builder_.CreateBr(turn);

  builder_.SetInsertPoint(turn);
  llvm::PHINode* count = builder_.CreatePHI(builder_.getInt64Ty(), 2, "turn");
  count->addIncoming(first, entered);
  std::vector<llvm::PHINode*> phis = carried_phis(loop.registers, std::vector<llvm::Value*>(outer_phis.begin(), outer_phis.end()), entered);
  llvm::Value* index = builder_.CreateAdd(lo, builder_.CreateMul(count, by));
  if (code_.element(loop.index) == Element::i32) index = builder_.CreateTrunc(index, builder_.getInt32Ty(), "", false, true);
  if (!llvm::isa<llvm::Constant>(index) && !index->hasName()) index->setName(plan_.at(loop.index).name);
  code_.set(loop.index, index);
  steps(loop.body);
  std::vector<llvm::Value*> next = next_turn(loop.registers, loop.buffers, phis);
  llvm::BasicBlock *turned = builder_.GetInsertBlock(), *burst_done = block("burst_done");
  count->addIncoming(builder_.CreateAdd(count, code_.integer(1)), turned);
  builder_.CreateCondBr(builder_.CreateICmpEQ(count, end), burst_done, turn);

  builder_.SetInsertPoint(burst_done);
  first->addIncoming(builder_.CreateAdd(end, code_.integer(1)), burst_done);
  for (std::size_t i = 0; i < loop.registers.size(); ++i) outer_phis[i]->addIncoming(next[i], burst_done);
  builder_.CreateCondBr(builder_.CreateICmpEQ(end, last), after, burst);

  builder_.SetInsertPoint(after);
  for (std::size_t i = 0; i < loop.registers.size(); ++i) {
    RegisterId result = loop.registers[i].result;
    llvm::PHINode* phi = builder_.CreatePHI(code_.type(result), 2, plan_.at(result).name);
    phi->addIncoming(inits[i], before);
    phi->addIncoming(next[i], burst_done);
    code_.set(result, phi);
  }
}

void HostEmitter::visit(const plan::While& loop) {
  auto block = [&](const char* name) { return code_.block(name); };
  llvm::Type* word = builder_.getInt64Ty();
  llvm::Value* limit = iteration_limit();
  for (const plan::CarriedBuffer& slot : loop.buffers) code_.copy(slot.init, slot.argument);
  std::vector<llvm::Value*> inits = values(loop.registers, &CarriedRegister::init);
  llvm::BasicBlock *before = builder_.GetInsertBlock(), *header = block("while"), *body = block("body"), *after = block("after");
  builder_.CreateBr(header);

  builder_.SetInsertPoint(header);
  llvm::PHINode* count = builder_.CreatePHI(word, 2, "turn");
  count->addIncoming(code_.integer(0), before);
  std::vector<llvm::PHINode*> phis = carried_phis(loop.registers, inits, before);
  steps(loop.condition);
  builder_.CreateCondBr(code_.get(loop.holds), body, after);

  builder_.SetInsertPoint(body);
  code_.check(builder_.CreateICmpNE(count, limit), loop.site, kTooLong);
  poll();
  steps(loop.body);
  next_turn(loop.registers, loop.buffers, phis);
  count->addIncoming(builder_.CreateAdd(count, code_.integer(1)), builder_.GetInsertBlock());
  builder_.CreateBr(header);

  builder_.SetInsertPoint(after);
  for (const CarriedRegister& slot : loop.registers) code_.set(slot.result, code_.get(slot.argument));
}

}  // namespace bpc::backend
