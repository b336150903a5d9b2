// What calls back into the host: prints, failures, kernels of the runtime, random fills.
#include <llvm/IR/MDBuilder.h>

#include "backend/llvm/context.h"
#include "backend/llvm/emitter.h"

namespace bpc::backend {

llvm::FunctionCallee Emitter::hook(const char* name, llvm::Type* result, llvm::ArrayRef<llvm::Type*> parameters) {
  llvm::FunctionCallee callee = module_.getOrInsertFunction(name, llvm::FunctionType::get(result, parameters, false));
  llvm::cast<llvm::Function>(callee.getCallee())->addFnAttr(llvm::Attribute::NoUnwind);
  return callee;
}

// An array of pointers to the items' elements; scalars are spilled.
llvm::Value* Emitter::pointers(const std::vector<plan::Datum>& items) {
  llvm::Type* pointer = builder_.getPtrTy();
  if (items.empty()) return llvm::ConstantPointerNull::get(builder_.getPtrTy());
  llvm::AllocaInst* array = local(pointer, items.size() + 1, "items");
  for (std::size_t i = 0; i < items.size(); ++i) {
    llvm::Value* data = nullptr;
    if (const auto* scalar = std::get_if<plan::RegisterId>(&items[i])) {
      data = local(memory_type(element(*scalar)));
      store(get(*scalar), element(*scalar), data);
    } else {
      data = base(std::get<plan::BufferId>(items[i]));
    }
    builder_.CreateStore(data, builder_.CreateConstInBoundsGEP1_64(pointer, array, i));
  }
  return array;
}

void Emitter::check(llvm::Value* holds, plan::SiteId at, std::uint32_t which, llvm::Value* start, const std::vector<plan::Datum>& shown) {
  llvm::Function* function = builder_.GetInsertBlock()->getParent();
  auto* stop = llvm::BasicBlock::Create(module_.getContext(), "stop", function);
  auto* go_on = llvm::BasicBlock::Create(module_.getContext(), "go_on", function);
  builder_.CreateCondBr(holds, go_on, stop, llvm::MDBuilder(module_.getContext()).createLikelyBranchWeights());
  builder_.SetInsertPoint(stop);
  llvm::Type* pointer = builder_.getPtrTy();
  llvm::FunctionCallee callee =
      hook("bpc_hook_stop", builder_.getVoidTy(), {pointer, builder_.getInt32Ty(), builder_.getInt32Ty(), builder_.getInt64Ty(), pointer});
  llvm::cast<llvm::Function>(callee.getCallee())->addFnAttr(llvm::Attribute::Cold);
  builder_.CreateCall(callee, {context_, site(at), builder_.getInt32(which), start ? start : integer(0), pointers(shown)});
  builder_.CreateRet(integer(1));
  builder_.SetInsertPoint(go_on);
}

void Emitter::emit(const plan::Print& print) {
  llvm::Type* pointer = builder_.getPtrTy();
  llvm::FunctionCallee callee = hook("bpc_hook_print", builder_.getInt64Ty(), {pointer, builder_.getInt32Ty(), pointer});
  llvm::Value* status = builder_.CreateCall(callee, {context_, site(print.site), pointers(print.items)});
  leave_unless_zero(status);
}

void Emitter::emit(const plan::Assert& check) {
  this->check(get(check.condition), check.site, 0, nullptr, check.shown);
}

void Emitter::emit(const plan::CheckIndex& check) {
  llvm::Value* given = convert(get(check.index), element(check.index), Element::i64);
  llvm::Value* negative = builder_.CreateICmpSLT(given, integer(0));
  llvm::Value* start = builder_.CreateSelect(negative, builder_.CreateAdd(given, integer(check.size)), given);
  // As unsigned numbers negative ones are too large. The span is added only to a start in range, so that it cannot overflow.
  llvm::Value* holds = builder_.CreateICmpULT(start, integer(check.empty ? check.size + 1 : check.size));
  if (check.span != 0)
    holds = builder_.CreateAnd(holds, builder_.CreateICmpULT(builder_.CreateAdd(start, integer(check.span)), integer(check.size)));
  this->check(holds, check.site, check.which, given);
  set(check.result, start);
}

// One quick loop over all of them; which is the first outside is found where the failure is told.
void Emitter::emit(const plan::CheckIndices& check) {
  const plan::Buffer& buffer = plan_.at(check.indices);
  llvm::AllocaInst* outside = local(builder_.getInt8Ty(), 1, "outside");
  builder_.CreateStore(builder_.getInt8(0), outside);
  loop(integer(0), integer(buffer.count), 1, [&](llvm::Value* i) {
    llvm::Value* place = builder_.CreateInBoundsGEP(memory_type(buffer.element), base(check.indices), i);
    llvm::Value* index = convert(load(buffer.element, place), buffer.element, Element::i64);
    llvm::Value* is_inside = builder_.CreateICmpULT(builder_.CreateAdd(index, integer(check.size)), integer(2 * check.size));
    llvm::Value* here = builder_.CreateZExt(builder_.CreateNot(is_inside), builder_.getInt8Ty());
    builder_.CreateStore(builder_.CreateOr(builder_.CreateLoad(builder_.getInt8Ty(), outside), here), outside);
  });
  llvm::Value* none = builder_.CreateICmpEQ(builder_.CreateLoad(builder_.getInt8Ty(), outside), builder_.getInt8(0));
  this->check(none, check.site, check.which, nullptr, {check.indices});
}

void Emitter::emit(const plan::Library& call) {
  llvm::Type *pointer = builder_.getPtrTy(), *word = builder_.getInt64Ty();
  std::vector<llvm::Value*> arguments;
  for (plan::BufferId input : call.inputs) arguments.push_back(base(input));
  arguments.push_back(base(call.output));
  arguments.push_back(base(call.work));
  std::vector<llvm::Type*> parameters(arguments.size(), pointer);
  for (std::int64_t size : call.sizes) arguments.push_back(integer(size));
  parameters.resize(arguments.size(), word);
  llvm::Value* status = builder_.CreateCall(hook(("bpc_rt_" + call.function).c_str(), word, parameters), arguments);
  if (!call.site.valid()) return;
  check(builder_.CreateICmpEQ(status, integer(0)), call.site, 0, builder_.CreateSub(status, integer(1)));
}

void Emitter::emit(const plan::Random& random) {
  const plan::Buffer& to = plan_.at(random.to);
  std::string name = std::string("bpc_rt_random_") + (random.normal ? "normal_" : "uniform_") + std::string(element_name(to.element));
  llvm::Type *word = builder_.getInt64Ty(), *pointer = builder_.getPtrTy();
  llvm::Value* turns = nullptr;
  std::int64_t count = 1;
  const auto* scalar = random.turns ? std::get_if<plan::RegisterId>(&*random.turns) : nullptr;
  if (random.turns && !scalar) {
    const auto given = std::get<plan::BufferId>(*random.turns);
    turns = base(given);
    count = plan_.at(given).count;
  } else {
    turns = local(word, 1, "turn");
    builder_.CreateStore(scalar ? convert(get(*scalar), element(*scalar), Element::i64) : integer(0), turns);
  }
  llvm::FunctionCallee callee = hook(name.c_str(), builder_.getVoidTy(), {pointer, word, word, word, pointer, word});
  builder_.CreateCall(callee, {base(random.to), integer(to.count), integer(static_cast<std::int64_t>(random.seed)),
                               integer(static_cast<std::int64_t>(random.stream)), turns, integer(count)});
}

}  // namespace bpc::backend
