// Elementwise ops on one element: runtime/scalar.h says what each means.
#include <llvm/IR/Intrinsics.h>

#include "backend/llvm/emitter.h"
#include "support/internal_error.h"

namespace bpc::backend {

using llvm::Intrinsic::ID;

void Emitter::emit(const plan::Instruction& instruction, Indices indices) {
  Element element = this->element(instruction.result);
  llvm::Value* value = nullptr;
  if (const auto* constant = std::get_if<plan::Constant>(&instruction.what)) {
    llvm::Type* type = this->type(element);
    value = is_real(element) ? static_cast<llvm::Value*>(llvm::ConstantFP::get(type, constant->real))
                             : llvm::ConstantInt::get(type, static_cast<std::uint64_t>(constant->integer), true);
  } else if (const auto* position = std::get_if<plan::Position>(&instruction.what)) {
    value = convert(form(position->at, indices), Element::i64, element);
  } else if (const auto* load = std::get_if<plan::Load>(&instruction.what)) {
    value = this->load(element, address(load->from, indices));
  } else if (const auto* compute = std::get_if<plan::Compute>(&instruction.what)) {
    value = this->compute(*compute, element, this->element(compute->operands[0]));
  } else if (const auto* index = std::get_if<plan::Index>(&instruction.what)) {
    value = convert(get(index->from), this->element(index->from), Element::i64);
    llvm::Value* from_end = builder_.CreateAdd(value, integer(index->size));
    if (index->size != 0) value = builder_.CreateSelect(builder_.CreateICmpSLT(value, integer(0)), from_end, value);
  }
  const std::string& name = plan_.at(instruction.result).name;
  if (!name.empty() && !llvm::isa<llvm::Constant>(value) && !value->hasName()) value->setName(name);
  set(instruction.result, value);
}

llvm::Value* Emitter::convert(llvm::Value* value, Element from, Element to) {
  if (from == to) return value;
  llvm::Type* type = this->type(to);
  if (to == Element::boolean)
    return is_real(from) ? builder_.CreateFCmpUNE(value, llvm::ConstantFP::get(value->getType(), 0))
                         : builder_.CreateICmpNE(value, llvm::ConstantInt::get(value->getType(), 0));
  if (from == Element::boolean) return is_real(to) ? builder_.CreateUIToFP(value, type) : builder_.CreateZExt(value, type);
  if (is_real(from) && is_real(to)) return builder_.CreateFPCast(value, type);
  if (is_real(to)) return builder_.CreateSIToFP(value, type);
  if (is_real(from)) return builder_.CreateIntrinsic(llvm::Intrinsic::fptosi_sat, {type, value->getType()}, {value});
  if (auto* index = llvm::dyn_cast<llvm::TruncInst>(value); index && index->hasNoSignedWrap()) return index->getOperand(0);  // of a loop
  return builder_.CreateSExtOrTrunc(value, type);
}

// A pure function of runtime/c_abi.h.
llvm::Value* Emitter::library(const std::string& name, llvm::Type* result, std::initializer_list<llvm::Value*> arguments) {
  std::vector<llvm::Type*> parameters;
  for (llvm::Value* argument : arguments) parameters.push_back(argument->getType());
  std::string suffix = result->isFloatTy() ? "f32" : result->isDoubleTy() ? "f64" : result->isIntegerTy(32) ? "i32" : "i64";
  llvm::FunctionCallee callee = hook(("bpc_rt_" + name + suffix).c_str(), result, parameters);
  auto* function = llvm::cast<llvm::Function>(callee.getCallee());
  function->setMemoryEffects(llvm::MemoryEffects::none());
  function->addFnAttr(llvm::Attribute::WillReturn);
  return builder_.CreateCall(callee, std::vector<llvm::Value*>(arguments));
}

// Rounded towards minus infinity; the divisor is not 0. -1 is set apart, because the least integer divided by it traps.
llvm::Value* Emitter::floor_division(ir::Opcode code, llvm::Value* a, llvm::Value* b) {
  llvm::Type* type = a->getType();
  llvm::Value* zero = llvm::ConstantInt::get(type, 0);
  llvm::Value* minus_one = builder_.CreateICmpEQ(b, llvm::ConstantInt::getAllOnesValue(type));
  llvm::Value* divisor = builder_.CreateSelect(minus_one, llvm::ConstantInt::get(type, 1), b);
  llvm::Value* rest = builder_.CreateSRem(a, divisor);
  llvm::Value* differ = builder_.CreateICmpSLT(builder_.CreateXor(rest, divisor), zero);
  llvm::Value* adjust = builder_.CreateAnd(builder_.CreateICmpNE(rest, zero), differ);
  if (code == ir::Opcode::mod) return builder_.CreateAdd(rest, builder_.CreateSelect(adjust, divisor, zero));
  llvm::Value* quotient = builder_.CreateSub(builder_.CreateSDiv(a, divisor), builder_.CreateZExt(adjust, type));
  return builder_.CreateSelect(minus_one, builder_.CreateNeg(a), quotient);
}

llvm::Value* Emitter::power(llvm::Value* a, llvm::Value* b, Element element) {
  if (auto* exponent = llvm::dyn_cast<llvm::ConstantFP>(b)) {
    double value = element == Element::f32 ? exponent->getValueAPF().convertToFloat() : exponent->getValueAPF().convertToDouble();
    if (value == 1) return a;
    if (value == 2) return builder_.CreateFMul(a, a);
    if (value == 3) return builder_.CreateFMul(builder_.CreateFMul(a, a), a);
    if (value == -1) return builder_.CreateFDiv(llvm::ConstantFP::get(a->getType(), 1), a);
  }
  return library("pow_", a->getType(), {a, b});
}

llvm::Value* Emitter::compute(const plan::Compute& compute, Element result, Element element) {
  using enum ir::Opcode;
  using llvm::CmpInst;
  bool real = is_real(element);
  llvm::Value* a = get(compute.operands[0]);
  llvm::Value* b = compute.operands.size() > 1 ? get(compute.operands[1]) : nullptr;
  llvm::Type* type = a->getType();
  auto number = [&](std::int64_t value) -> llvm::Constant* {
    return real ? llvm::ConstantFP::get(type, static_cast<double>(value))
                : llvm::ConstantInt::get(type, static_cast<std::uint64_t>(value), true);
  };
  auto compare = [&](CmpInst::Predicate reals, CmpInst::Predicate integers, llvm::Value* x, llvm::Value* y) {
    return real ? builder_.CreateFCmp(reals, x, y) : builder_.CreateICmp(integers, x, y);
  };
  auto greater = [&](llvm::Value* x, llvm::Value* y) { return compare(CmpInst::FCMP_OGT, CmpInst::ICMP_SGT, x, y); };
  auto intrinsic = [&](ID id) { return builder_.CreateUnaryIntrinsic(id, a); };
  auto library = [&] {
    std::string name = std::string(ir::op_info(compute.code).name) + "_";
    return b ? this->library(name, type, {a, b}) : this->library(name, type, {a});
  };
  if (compute.fails != UINT32_MAX) check(builder_.CreateICmpNE(b, number(0)), compute.fails);
  switch (compute.code) {
    case neg:
      return real ? builder_.CreateFNeg(a) : builder_.CreateNeg(a);
    case ir::Opcode::abs:
      return real ? intrinsic(llvm::Intrinsic::fabs) : builder_.CreateSelect(greater(number(0), a), builder_.CreateNeg(a), a);
    case sign: {  // NaN stays, both zeros become 0
      llvm::Value* otherwise = real ? builder_.CreateSelect(builder_.CreateFCmpOEQ(a, number(0)), number(0), a) : number(0);
      return builder_.CreateSelect(greater(a, number(0)), number(1), builder_.CreateSelect(greater(number(0), a), number(-1), otherwise));
    }
    case ir::Opcode::sqrt:
      return intrinsic(llvm::Intrinsic::sqrt);
    case rsqrt: {  // rounded once
      llvm::Value* root = builder_.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, builder_.CreateFPCast(a, builder_.getDoubleTy()));
      return builder_.CreateFPCast(builder_.CreateFDiv(llvm::ConstantFP::get(builder_.getDoubleTy(), 1), root), type);
    }
    case ir::Opcode::floor:
      return intrinsic(llvm::Intrinsic::floor);
    case ir::Opcode::ceil:
      return intrinsic(llvm::Intrinsic::ceil);
    case ir::Opcode::round:
      return intrinsic(llvm::Intrinsic::roundeven);
    case relu:  // NaN stays, -0 becomes 0
      return builder_.CreateSelect(compare(CmpInst::FCMP_OLE, CmpInst::ICMP_SLE, a, number(0)), number(0), a);
    case step:
      return builder_.CreateSelect(greater(a, number(0)), number(1), number(0));
    case logical_not:
      return builder_.CreateNot(a);
    case stop_grad:
    case variable:
      return a;
    case cast:
      return convert(a, element, result);
    case ir::Opcode::exp:
    case ir::Opcode::expm1:
    case ir::Opcode::log:
    case ir::Opcode::log1p:
    case ir::Opcode::sin:
    case ir::Opcode::cos:
    case ir::Opcode::tan:
    case ir::Opcode::asin:
    case ir::Opcode::acos:
    case ir::Opcode::atan:
    case ir::Opcode::sinh:
    case ir::Opcode::cosh:
    case ir::Opcode::tanh:
    case ir::Opcode::erf:
    case ir::Opcode::lgamma:
    case sigmoid:
    case softplus:
    case ir::Opcode::atan2:
      return library();
    case polygamma:
      return this->library("polygamma_", type, {integer(compute.order), a});

    case add:
      return real ? builder_.CreateFAdd(a, b) : builder_.CreateAdd(a, b);
    case sub:
      return real ? builder_.CreateFSub(a, b) : builder_.CreateSub(a, b);
    case mul:
      return real ? builder_.CreateFMul(a, b) : builder_.CreateMul(a, b);
    case ir::Opcode::div:
      return builder_.CreateFDiv(a, b);
    case strong_mul:
      return builder_.CreateSelect(builder_.CreateFCmpOEQ(a, number(0)), number(0), builder_.CreateFMul(a, b));
    case floordiv:
    case mod:
      return real ? library() : floor_division(compute.code, a, b);
    case ir::Opcode::pow:
      return power(a, b, element);
    case maximum:
      return builder_.CreateBinaryIntrinsic(real ? llvm::Intrinsic::maximum : llvm::Intrinsic::smax, a, b);
    case minimum:
      return builder_.CreateBinaryIntrinsic(real ? llvm::Intrinsic::minimum : llvm::Intrinsic::smin, a, b);
    case lt:
      return greater(b, a);
    case le:
      return compare(CmpInst::FCMP_OLE, CmpInst::ICMP_SLE, a, b);
    case gt:
      return greater(a, b);
    case ge:
      return compare(CmpInst::FCMP_OGE, CmpInst::ICMP_SGE, a, b);
    case eq:
      return compare(CmpInst::FCMP_OEQ, CmpInst::ICMP_EQ, a, b);
    case ne:
      return compare(CmpInst::FCMP_UNE, CmpInst::ICMP_NE, a, b);
    case logical_and:
      return builder_.CreateAnd(a, b);
    case logical_or:
      return builder_.CreateOr(a, b);
    case select:
      return builder_.CreateSelect(a, b, get(compute.operands[2]));

    case reduce_sum:
    case reduce_max:
    case reduce_min:
    case reduce_any:
    case reduce_all:
    case argmax:
    case argmin:
    case cumsum:
    case einsum:
    case reshape:
    case transpose:
    case broadcast:
    case slice:
    case update:
    case gather:
    case scatter_add:
    case concat:
    case window:
    case window_add:
    case cholesky:
    case triangular_solve:
    case solve:
    case det:
    case logdet:
    case cofactors:
    case argsort:
    case constant:
    case iota:
    case random_uniform:
    case random_normal:
    case tape:
    case push:
    case pop:
    case if_else:
    case for_loop:
    case while_loop:
    case map:
    case checkpoint:
    case custom:
    case ir::Opcode::print:
    case assert_true:
    case grad:
    case vjp:
    case jvp:
      break;
  }
  throw InternalError("emit", "not an elementwise op: " + std::string(ir::op_info(compute.code).name));
}

}  // namespace bpc::backend
