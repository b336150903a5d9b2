// What calls back into the host: prints, failures, kernels of the runtime, random fills.
#include <llvm/IR/MDBuilder.h>

#include "backend/llvm/context.h"
#include "backend/llvm/host.h"

namespace bpc::backend {

void HostEmitter::visit(const plan::Print& print) {
  llvm::Type* pointer = builder_.getPtrTy();
  llvm::FunctionCallee callee = code_.callee("bpc_hook_print", builder_.getInt64Ty(), {pointer, builder_.getInt32Ty(), pointer});
  llvm::Value* status = builder_.CreateCall(callee, {code_.context(), code_.site(print.site), code_.pointers(print.items)});
  code_.leave_unless_zero(status);
}

void HostEmitter::visit(const plan::Assert& check) {
  code_.check(code_.get(check.condition), check.site, 0, nullptr, check.shown);
}

void HostEmitter::visit(const plan::CheckIndex& check) {
  llvm::Value* given = code_.convert(code_.get(check.index), code_.element(check.index), Element::i64);
  llvm::Value* negative = builder_.CreateICmpSLT(given, code_.integer(0));
  llvm::Value* start = builder_.CreateSelect(negative, builder_.CreateAdd(given, code_.integer(check.size)), given);
  // As unsigned numbers negative ones are too large. The span is added only to a start in range, so that it cannot overflow.
  llvm::Value* holds = builder_.CreateICmpULT(start, code_.integer(check.empty ? check.size + 1 : check.size));
  if (check.span != 0)
    holds =
        builder_.CreateAnd(holds, builder_.CreateICmpULT(builder_.CreateAdd(start, code_.integer(check.span)), code_.integer(check.size)));
  code_.check(holds, check.site, check.which, given);
  code_.set(check.result, start);
}

// One quick loop over all of them; which is the first outside is found where the failure is told.
void HostEmitter::visit(const plan::CheckIndices& check) {
  const plan::Buffer& buffer = plan_.at(check.indices);
  llvm::AllocaInst* outside = code_.local(builder_.getInt8Ty(), 1, "outside");
  builder_.CreateStore(builder_.getInt8(0), outside);
  code_.loop(code_.integer(0), code_.integer(buffer.count), 1, Code::Shape::ordinary, [&](llvm::Value* i) {
    llvm::Value* place = builder_.CreateInBoundsGEP(code_.memory_type(buffer.element), code_.base(check.indices), i);
    llvm::Value* index = code_.convert(code_.load(buffer.element, place), buffer.element, Element::i64);
    llvm::Value* is_inside = builder_.CreateICmpULT(builder_.CreateAdd(index, code_.integer(check.size)), code_.integer(2 * check.size));
    llvm::Value* here = builder_.CreateZExt(builder_.CreateNot(is_inside), builder_.getInt8Ty());
    builder_.CreateStore(builder_.CreateOr(builder_.CreateLoad(builder_.getInt8Ty(), outside), here), outside);
  });
  llvm::Value* none = builder_.CreateICmpEQ(builder_.CreateLoad(builder_.getInt8Ty(), outside), builder_.getInt8(0));
  code_.check(none, check.site, check.which, nullptr, {check.indices});
}

void HostEmitter::visit(const plan::Library& call) {
  llvm::Type *pointer = builder_.getPtrTy(), *word = builder_.getInt64Ty();
  std::vector<llvm::Value*> arguments;
  for (plan::BufferId input : call.inputs) arguments.push_back(code_.base(input));
  arguments.push_back(code_.base(call.output));
  arguments.push_back(code_.base(call.work));
  std::vector<llvm::Type*> parameters(arguments.size(), pointer);
  for (std::int64_t size : call.sizes) arguments.push_back(code_.integer(size));
  parameters.resize(arguments.size(), word);
  llvm::Value* status = builder_.CreateCall(code_.callee("bpc_rt_" + call.function, word, parameters), arguments);
  if (!call.site.valid()) return;
  code_.check(builder_.CreateICmpEQ(status, code_.integer(0)), call.site, 0, builder_.CreateSub(status, code_.integer(1)));
}

void HostEmitter::visit(const plan::Random& random) {
  const plan::Buffer& to = plan_.at(random.to);
  std::string name = std::string("bpc_rt_random_") + (random.normal ? "normal_" : "uniform_") + std::string(element_name(to.element));
  llvm::Type *word = builder_.getInt64Ty(), *pointer = builder_.getPtrTy();
  llvm::Value* turns = nullptr;
  std::int64_t count = 1;
  const auto* scalar = random.turns ? std::get_if<plan::RegisterId>(&*random.turns) : nullptr;
  if (random.turns && !scalar) {
    const auto given = std::get<plan::BufferId>(*random.turns);
    turns = code_.base(given);
    count = plan_.at(given).count;
  } else {
    turns = code_.local(word, 1, "turn");
    builder_.CreateStore(scalar ? code_.convert(code_.get(*scalar), code_.element(*scalar), Element::i64) : code_.integer(0), turns);
  }
  llvm::FunctionCallee callee = code_.callee(name, builder_.getVoidTy(), {pointer, word, word, word, pointer, word});
  builder_.CreateCall(callee, {code_.base(random.to), code_.integer(to.count), code_.integer(static_cast<std::int64_t>(random.seed)),
                               code_.integer(static_cast<std::int64_t>(random.stream)), turns, code_.integer(count)});
}

}  // namespace bpc::backend
