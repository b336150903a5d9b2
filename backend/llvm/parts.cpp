// Work in parts: a function of one part, which the runtime calls from several threads.
#include <llvm/IR/Attributes.h>

#include "backend/llvm/code.h"

namespace bpc::backend {

namespace {

// What the function names of other ones, in the order of first mention.
std::vector<llvm::Value*> named_from_outside(llvm::Function& function) {
  std::vector<llvm::Value*> named;
  auto is_outside = [&](llvm::Value* value) {
    if (auto* instruction = llvm::dyn_cast<llvm::Instruction>(value)) return instruction->getFunction() != &function;
    auto* argument = llvm::dyn_cast<llvm::Argument>(value);
    return argument && argument->getParent() != &function;
  };
  for (llvm::BasicBlock& block : function)
    for (llvm::Instruction& instruction : block)
      for (llvm::Value* operand : instruction.operands())
        if (is_outside(operand) && std::find(named.begin(), named.end(), operand) == named.end()) named.push_back(operand);
  return named;
}

// The same function, which is given what it named from outside, before its own arguments.
llvm::Function* closed(Code& code, llvm::Function& draft, const std::vector<llvm::Value*>& named) {
  std::vector<llvm::Type*> types;
  for (llvm::Value* value : named) types.push_back(value->getType());
  for (const llvm::Argument& own : draft.args()) types.push_back(own.getType());
  llvm::Function* made = code.add_function("part", llvm::Function::InternalLinkage, code.builder.getVoidTy(), types);
  made->splice(made->end(), &draft);
  for (unsigned i = 0; i < named.size(); ++i) {
    named[i]->replaceUsesWithIf(made->getArg(i),
                                [&](const llvm::Use& use) { return llvm::cast<llvm::Instruction>(use.getUser())->getFunction() == made; });
    // Parts of several threads write to different places: for each of them, what was said of pointers holds as before.
    if (const auto* argument = llvm::dyn_cast<llvm::Argument>(named[i])) {
      const llvm::AttributeSet known = argument->getParent()->getAttributes().getParamAttrs(argument->getArgNo());
      made->addParamAttrs(i, llvm::AttrBuilder(code.module.getContext(), known));
    }
  }
  for (llvm::Argument& own : draft.args()) own.replaceAllUsesWith(made->getArg(static_cast<unsigned>(named.size()) + own.getArgNo()));
  draft.eraseFromParent();
  return made;
}

// Takes what the part is given from a frame, as the runtime hands it on.
llvm::Function* from_frame(Code& code, llvm::Function& part, llvm::StructType* frame) {
  llvm::IRBuilder<>& builder = code.builder;
  llvm::Function* made = code.add_function("parts", llvm::Function::InternalLinkage, builder.getVoidTy(),
                                           {builder.getPtrTy(), builder.getInt64Ty(), builder.getInt64Ty()});
  const Code::Inside inside(code, *made, Code::Inside::Sees::nothing);
  std::vector<llvm::Value*> arguments;
  for (unsigned i = 0; i < frame->getNumElements(); ++i)
    arguments.push_back(builder.CreateLoad(frame->getElementType(i), builder.CreateStructGEP(frame, made->getArg(0), i)));
  arguments.insert(arguments.end(), {made->getArg(1), made->getArg(2)});
  builder.CreateCall(&part, arguments);
  builder.CreateRetVoid();
  return made;
}

}  // namespace

void Code::parts(llvm::Value* count, std::int64_t most, const std::function<void(llvm::Value* part, llvm::Value* thread)>& body) {
  llvm::Type* number = builder.getInt64Ty();
  llvm::Function* draft = add_function("draft", llvm::Function::InternalLinkage, builder.getVoidTy(), {number, number});
  {
    const Inside inside(*this, *draft, Inside::Sees::outer);
    body(draft->getArg(0), draft->getArg(1));
    builder.CreateRetVoid();
  }
  const std::vector<llvm::Value*> named = named_from_outside(*draft);
  llvm::Function* part = closed(*this, *draft, named);
  std::vector<llvm::Type*> types;
  for (llvm::Value* value : named) types.push_back(value->getType());
  llvm::StructType* type = llvm::StructType::get(module.getContext(), types);
  llvm::AllocaInst* frame = local(type, 1, "frame");
  for (unsigned i = 0; i < named.size(); ++i) builder.CreateStore(named[i], builder.CreateStructGEP(type, frame, i));
  llvm::FunctionCallee runtime = callee("bpc_rt_parts", builder.getVoidTy(), {number, number, builder.getPtrTy(), builder.getPtrTy()});
  builder.CreateCall(runtime, {count, integer(most), from_frame(*this, *part, type), frame});
}

}  // namespace bpc::backend
