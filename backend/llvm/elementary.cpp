#include "backend/llvm/elementary.h"

#include <fmt/format.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/MDBuilder.h>

#include "scalar/elementary_f32.h"
#include "scalar/elementary_narrow.h"
#include "support/internal_error.h"

namespace bpc::backend {

namespace {

// Where the formula is being written, for one number or for several side by side.
struct Writer {
  Code& code;
  llvm::IRBuilder<> builder;
  llvm::Type *number, *word;

  llvm::Value* constant(double value) const { return llvm::ConstantFP::get(number, value); }
  llvm::Value* constant(std::uint64_t value) const { return llvm::ConstantInt::get(word, value); }
};

// What stands for a bool, a word and a number, of 64 bits or of 32, while scalar/elementary.h writes code. What is known already has no
// writer.
struct Flag {
  Writer* on;
  llvm::Value* value;
  bool known = false;
};

struct Word {
  Writer* on;
  llvm::Value* value;
  Word operator+(std::uint64_t other) const { return {on, on->builder.CreateAdd(value, on->constant(other))}; }
  Word operator+(Word other) const { return {on, on->builder.CreateAdd(value, other.value)}; }
  Word operator-(std::uint64_t other) const { return {on, on->builder.CreateSub(value, on->constant(other))}; }
  Word operator-(Word other) const { return {on, on->builder.CreateSub(value, other.value)}; }
  Word operator&(std::uint64_t other) const { return {on, on->builder.CreateAnd(value, on->constant(other))}; }
  Word operator<<(std::uint64_t by) const { return {on, on->builder.CreateShl(value, on->constant(by))}; }
  Word operator>>(std::uint64_t by) const { return {on, on->builder.CreateLShr(value, on->constant(by))}; }
};

struct Number {
  Writer* on = nullptr;
  llvm::Value* value = nullptr;
  double known = 0;

  Number(double known) : known(known) {}
  Number(Writer* on, llvm::Value* value) : on(on), value(value) {}
  llvm::Value* at(const Writer& writer) const { return on ? value : writer.constant(known); }
};

Writer* writer_of(const Number& a, const Number& b) {
  return a.on ? a.on : b.on;
}

#define BPC_ARITHMETIC(op, create)                         \
  Number operator op(const Number& a, const Number& b) {   \
    Writer* on = writer_of(a, b);                          \
    if (!on) return a.known op b.known;                    \
    return {on, on->builder.create(a.at(*on), b.at(*on))}; \
  }
BPC_ARITHMETIC(+, CreateFAdd)
BPC_ARITHMETIC(-, CreateFSub)
BPC_ARITHMETIC(*, CreateFMul)
BPC_ARITHMETIC(/, CreateFDiv)
#undef BPC_ARITHMETIC
#define BPC_COMPARISON(op, create)                          \
  Flag operator op(const Number& a, const Number& b) {      \
    Writer* on = writer_of(a, b);                           \
    if (!on) return {nullptr, nullptr, a.known op b.known}; \
    return {on, on->builder.create(a.at(*on), b.at(*on))};  \
  }
BPC_COMPARISON(<, CreateFCmpOLT)
BPC_COMPARISON(>, CreateFCmpOGT)
BPC_COMPARISON(==, CreateFCmpOEQ)
#undef BPC_COMPARISON

Number operator-(const Number& x) {
  if (!x.on) return -x.known;
  return {x.on, x.on->builder.CreateFNeg(x.value)};
}
Number fma(const Number& a, const Number& b, const Number& c) {
  Writer* on = a.on ? a.on : writer_of(b, c);
  if (!on) return std::fma(a.known, b.known, c.known);
  return {on, on->builder.CreateIntrinsic(llvm::Intrinsic::fma, {on->number}, {a.at(*on), b.at(*on), c.at(*on)})};
}
Number fabs(const Number& x) {
  if (!x.on) return std::fabs(x.known);
  return {x.on, x.on->builder.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x.value)};
}
Number sqrt(const Number& x) {
  if (!x.on) return std::sqrt(x.known);
  return {x.on, x.on->builder.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, x.value)};
}
Number trunc(const Number& x) {
  if (!x.on) return std::trunc(x.known);
  return {x.on, x.on->builder.CreateUnaryIntrinsic(llvm::Intrinsic::trunc, x.value)};
}
Number copysign(const Number& x, const Number& sign) {
  Writer* on = writer_of(x, sign);
  if (!on) return std::copysign(x.known, sign.known);
  return {on, on->builder.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, x.at(*on), sign.at(*on))};
}
Number select(const Flag& condition, const Number& a, const Number& b) {
  Writer* on = condition.on;
  if (!on) return condition.known ? a : b;
  return {on, on->builder.CreateSelect(condition.value, a.at(*on), b.at(*on))};
}
Word bits(const Number& x) {
  return {x.on, x.on->builder.CreateBitCast(x.value, x.on->word)};
}
Number from_bits(const Word& x) {
  return {x.on, x.on->builder.CreateBitCast(x.value, x.on->number)};
}

llvm::Value* from_library(Code& code, llvm::IRBuilder<>& builder, const char* name, std::vector<llvm::Value*> operands) {
  llvm::Type *narrow = operands[0]->getType(), *wide = builder.getDoubleTy();
  const std::vector<llvm::Type*> parameters(operands.size(), wide);
  llvm::FunctionCallee library = code.callee(fmt::format("bpc_rt_far_{}", name), wide, parameters);
  Code::set_pure(*llvm::cast<llvm::Function>(library.getCallee()));
  for (llvm::Value*& operand : operands) operand = builder.CreateFPCast(operand, wide);
  return builder.CreateFPCast(builder.CreateCall(library, operands), narrow);
}

// What `near` is where |measure| < limit, and what the library says of the operands elsewhere: a function of all of these, for vectors,
// since it is long and seldom called.
llvm::Function* far_of(Writer& on, double limit, const char* far, std::size_t operands) {
  llvm::Module& module = on.code.module;
  auto* vector = llvm::cast<llvm::FixedVectorType>(on.number);
  const std::string name = fmt::format("far_{}_{}_{}", far, on.number->getScalarSizeInBits(), vector->getNumElements());
  if (llvm::Function* known = module.getFunction(name)) return known;
  llvm::Function* made =
      on.code.add_function(name.c_str(), llvm::GlobalValue::InternalLinkage, vector, std::vector<llvm::Type*>(2 + operands, vector));
  Code::set_pure(*made);
  made->addFnAttr(llvm::Attribute::NoInline);
  made->addFnAttr(llvm::Attribute::Cold);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(module.getContext(), "entry", made));
  llvm::Value *measure = made->getArg(0), *result = made->getArg(1);
  llvm::Value* is_near =
      builder.CreateFCmpOLT(builder.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, measure), llvm::ConstantFP::get(vector, limit));
  for (unsigned lane = 0; lane < vector->getNumElements(); ++lane) {
    std::vector<llvm::Value*> of_lane;
    for (std::size_t i = 0; i < operands; ++i)
      of_lane.push_back(builder.CreateExtractElement(made->getArg(static_cast<unsigned>(2 + i)), lane));
    llvm::Value* there = from_library(on.code, builder, far, of_lane);
    llvm::Value* chosen =
        builder.CreateSelect(builder.CreateExtractElement(is_near, lane), builder.CreateExtractElement(result, lane), there);
    result = builder.CreateInsertElement(result, chosen, lane);
  }
  builder.CreateRet(result);
  return made;
}

// A branch that is seldom taken.
template <class... Operands>
Number reaching(const Number& measure, double limit, const Number& near, const scalar::real::Far<Operands...>& far,
                const std::same_as<Number> auto&... operands) {
  Writer& on = *measure.on;
  llvm::IRBuilder<>& builder = on.builder;
  const bool is_vector = on.number->isVectorTy();
  llvm::Value* is_near = (fabs(measure) < limit).value;
  llvm::Value* all_near = is_vector ? builder.CreateAndReduce(is_near) : is_near;
  llvm::BasicBlock* here = builder.GetInsertBlock();
  auto add_block = [&](const char* name) { return llvm::BasicBlock::Create(on.code.module.getContext(), name, here->getParent()); };
  llvm::BasicBlock *away = add_block("far"), *done = add_block("done");
  builder.CreateCondBr(all_near, done, away, llvm::MDBuilder(builder.getContext()).createLikelyBranchWeights());
  builder.SetInsertPoint(away);
  llvm::Value* result =
      is_vector ? builder.CreateCall(far_of(on, limit, far.name, sizeof...(operands)), {measure.value, near.value, operands.value...})
                : from_library(on.code, builder, far.name, {operands.value...});
  builder.CreateBr(done);
  builder.SetInsertPoint(done);
  llvm::PHINode* joined = builder.CreatePHI(on.number, 2);
  joined->addIncoming(near.value, here);
  joined->addIncoming(result, away);
  return {&on, joined};
}

#define BPC_FORMULA_emit(id, operands) \
  case scalar::Operator::id:           \
    break;
#define BPC_FORMULA_call(id, operands) BPC_FORMULA_emit(id, operands)
#define BPC_FORMULA_ordered(id, operands) BPC_FORMULA_emit(id, operands)
#define BPC_FORMULA_mixed(id, operands)
#define BPC_FORMULA_elementary(id, operands) \
  case scalar::Operator::id:                 \
    return is_f32 ? BPC_APPLY_##operands(scalar::elementary::f32::id) : BPC_APPLY_##operands(scalar::elementary::id);
#define BPC_FORMULA_narrow(id, operands) \
  case scalar::Operator::id:             \
    return is_f32 ? BPC_APPLY_##operands(scalar::elementary::narrow::id) : BPC_APPLY_##operands(scalar::elementary::id);
#define BPC_APPLY_1(f) f(argument(0))
#define BPC_APPLY_2(f) f(argument(0), argument(1))

template <class Argument>
Number formula(scalar::Operator function, bool is_f32, Argument argument) {
  switch (function) {
#define BPC_SCALAR(id, spelling, operands, rule, domain, derivative, traits, code, ...) BPC_FORMULA_##code(id, operands)
#include "scalar/operators.def"
    case scalar::Operator::pow:
      return is_f32 ? scalar::elementary::f32::pow(argument(0), argument(1)) : scalar::elementary::pow(argument(0), argument(1));
      BPC_FORMULA_narrow(floordiv, 2) BPC_FORMULA_narrow(mod, 2)
  }
  throw InternalError("emit", fmt::format("{} is no elementary function", scalar::operator_name(function)));
}

// A function of the module's own, which is made when it is first asked for; of vectors where `lanes` is more than one.
llvm::Function* function_of(Code& code, scalar::Operator function, bool is_f32, unsigned lanes, std::size_t operands) {
  const std::string name = fmt::format("{}_{}_{}", is_f32 ? "elementary_f32" : "elementary_f64", scalar::operator_name(function), lanes);
  if (llvm::Function* known = code.module.getFunction(name)) return known;
  const bool is_narrow = is_f32 && !scalar::widens_f32(function);
  llvm::IRBuilder<>& at = code.builder;
  auto each = [&](llvm::Type* type) -> llvm::Type* { return lanes == 1 ? type : llvm::FixedVectorType::get(type, lanes); };
  llvm::Type* number = each(is_narrow ? at.getFloatTy() : at.getDoubleTy());
  llvm::Type* word = each(is_narrow ? at.getInt32Ty() : at.getInt64Ty());
  const std::vector<llvm::Type*> parameters(operands, number);
  llvm::Function* made = code.add_function(name.c_str(), llvm::GlobalValue::InternalLinkage, number, parameters);
  Code::set_pure(*made);
  if (lanes > 1) made->addFnAttr(kTwin);
  Writer writer{code, llvm::IRBuilder<>(llvm::BasicBlock::Create(code.module.getContext(), "entry", made)), number, word};
  const Number result = formula(function, is_f32, [&](unsigned i) { return Number(&writer, made->getArg(i)); });
  writer.builder.CreateRet(result.value);
  return made;
}

}  // namespace

llvm::Value* elementary(Code& code, scalar::Operator function, llvm::ArrayRef<llvm::Value*> operands, bool is_in_loop) {
  llvm::IRBuilder<>& builder = code.builder;
  const bool is_f32 = operands.front()->getType()->isFloatTy();
  llvm::Function* one = function_of(code, function, is_f32, 1, operands.size());
  std::vector<llvm::Value*> arguments;
  for (llvm::Value* operand : operands) arguments.push_back(builder.CreateFPCast(operand, one->getReturnType()));
  llvm::CallInst* call = builder.CreateCall(one, arguments);
  const bool has_branch = one->size() > 1;
  if (is_in_loop && has_branch) {
    // LLVM's names for functions of vectors, all of whose lanes count (Language Reference, "vector-function-abi-variant"): as many as a
    // vector of f64 has, since others may work beside these, and as f32.
    std::vector<std::string> variants;
    for (std::size_t lanes = code.plan.target.vector_bytes / sizeof(double);
         lanes <= code.plan.target.vector_bytes * 8 / one->getReturnType()->getScalarSizeInBits(); lanes *= 2) {
      const std::string several = function_of(code, function, is_f32, static_cast<unsigned>(lanes), operands.size())->getName().str();
      variants.push_back(fmt::format("_ZGV_LLVM_N{}{}_{}({})", lanes, std::string(operands.size(), 'v'), one->getName().str(), several));
    }
    call->addFnAttr(
        llvm::Attribute::get(code.module.getContext(), "vector-function-abi-variant", fmt::format("{}", fmt::join(variants, ","))));
  }
  call->addFnAttr(is_in_loop && !has_branch ? llvm::Attribute::AlwaysInline : llvm::Attribute::NoInline);
  return builder.CreateFPCast(call, operands.front()->getType());
}

}  // namespace bpc::backend
