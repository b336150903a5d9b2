// Elementwise ops on one element: scalar/functions.h says what each means.
#include <llvm/IR/Intrinsics.h>

#include "backend/llvm/elementary.h"
#include "backend/llvm/scalar.h"
#include "support/internal_error.h"

namespace bpc::backend {

using llvm::Intrinsic::ID;

namespace {

// Operators on registers.
class ScalarEmitter {
 public:
  ScalarEmitter(Code& code, bool is_in_loop) : code_(code), builder_(code.builder), is_in_loop_(is_in_loop) {}

  // A pure function of runtime/c_abi.h.
  llvm::Value* library(const std::string& name, llvm::Type* result, std::initializer_list<llvm::Value*> arguments) {
    std::vector<llvm::Type*> parameters;
    for (llvm::Value* argument : arguments) parameters.push_back(argument->getType());
    std::string suffix = result->isFloatTy() ? "f32" : result->isDoubleTy() ? "f64" : result->isIntegerTy(32) ? "i32" : "i64";
    llvm::FunctionCallee callee = code_.callee("bpc_rt_" + name + suffix, result, parameters);
    Code::set_pure(*llvm::cast<llvm::Function>(callee.getCallee()));
    return builder_.CreateCall(callee, std::vector<llvm::Value*>(arguments));
  }

  // Rounded towards minus infinity; the divisor is not 0. -1 is set apart, because the least integer divided by it traps.
  llvm::Value* floor_division(scalar::Operator code, llvm::Value* a, llvm::Value* b) {
    llvm::Type* type = a->getType();
    llvm::Value* zero = llvm::ConstantInt::get(type, 0);
    llvm::Value* minus_one = builder_.CreateICmpEQ(b, llvm::ConstantInt::getAllOnesValue(type));
    llvm::Value* divisor = builder_.CreateSelect(minus_one, llvm::ConstantInt::get(type, 1), b);
    llvm::Value* rest = builder_.CreateSRem(a, divisor);
    llvm::Value* differ = builder_.CreateICmpSLT(builder_.CreateXor(rest, divisor), zero);
    llvm::Value* adjust = builder_.CreateAnd(builder_.CreateICmpNE(rest, zero), differ);
    if (code == scalar::Operator::mod) return builder_.CreateAdd(rest, builder_.CreateSelect(adjust, divisor, zero));
    llvm::Value* quotient = builder_.CreateSub(builder_.CreateSDiv(a, divisor), builder_.CreateZExt(adjust, type));
    return builder_.CreateSelect(minus_one, builder_.CreateNeg(a), quotient);
  }

  // Of reals. Exponents of -1, 1, 2 and 3 are quotients and products.
  llvm::Value* power(llvm::Value* a, llvm::Value* b) {
    llvm::Value* square = builder_.CreateFMul(a, a);
    const std::pair<double, llvm::Value*> simple[] = {
        {1, a}, {2, square}, {3, builder_.CreateFMul(square, a)}, {-1, builder_.CreateFDiv(llvm::ConstantFP::get(a->getType(), 1), a)}};
    for (const auto& [exponent, value] : simple)
      if (auto* known = llvm::dyn_cast<llvm::ConstantFP>(b); known && known->isExactlyValue(exponent)) return value;
    llvm::Value* result = elementary(code_, scalar::Operator::pow, {a, b}, is_in_loop_);
    for (const auto& [exponent, value] : simple)
      result = builder_.CreateSelect(builder_.CreateFCmpOEQ(b, llvm::ConstantFP::get(b->getType(), exponent)), value, result);
    return result;
  }

  llvm::Value* compute(const plan::Compute& compute, Element result, Element element) {
    using llvm::CmpInst;
    using scalar::Operator;
    bool real = is_real(element);
    llvm::Value* a = code_.get(compute.operands[0]);
    llvm::Value* b = compute.operands.size() > 1 ? code_.get(compute.operands[1]) : nullptr;
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
      std::string name = std::string(scalar::operator_name(compute.code)) + "_";
      if (scalar::source_of(compute.code) == scalar::Source::ordered) return this->library(name, type, {code_.integer(compute.order), a});
      return b ? this->library(name, type, {a, b}) : this->library(name, type, {a});
    };
    auto formula = [&] {
      return b ? elementary(code_, compute.code, {a, b}, is_in_loop_) : elementary(code_, compute.code, {a}, is_in_loop_);
    };
    if (compute.fails.valid()) code_.check(builder_.CreateICmpNE(b, number(0)), compute.fails);
    switch (compute.code) {
      case Operator::neg:
        return real ? builder_.CreateFNeg(a) : builder_.CreateNeg(a);
      case Operator::abs:
        return real ? intrinsic(llvm::Intrinsic::fabs) : builder_.CreateSelect(greater(number(0), a), builder_.CreateNeg(a), a);
      case Operator::sign: {  // NaN stays, both zeros become 0
        llvm::Value* otherwise = real ? builder_.CreateSelect(builder_.CreateFCmpOEQ(a, number(0)), number(0), a) : number(0);
        return builder_.CreateSelect(greater(a, number(0)), number(1), builder_.CreateSelect(greater(number(0), a), number(-1), otherwise));
      }
      case Operator::sqrt:
        return intrinsic(llvm::Intrinsic::sqrt);
      case Operator::trunc:
        return intrinsic(llvm::Intrinsic::trunc);
      case Operator::floor:
        return intrinsic(llvm::Intrinsic::floor);
      case Operator::ceil:
        return intrinsic(llvm::Intrinsic::ceil);
      case Operator::round:
        return intrinsic(llvm::Intrinsic::roundeven);
      case Operator::relu:  // NaN stays, -0 becomes 0
        return builder_.CreateSelect(compare(CmpInst::FCMP_OLE, CmpInst::ICMP_SLE, a, number(0)), number(0), a);
      case Operator::step:
        return builder_.CreateSelect(greater(a, number(0)), number(1), number(0));
      case Operator::logical_not:
        return builder_.CreateNot(a);
      case Operator::stop_grad:
      case Operator::variable:
        return a;
      case Operator::cast:
        return code_.convert(a, element, result);
#define BPC_CALL_elementary(id) case id:
#define BPC_CALL_narrow(id) case id:
#define BPC_CALL_call(id) case id:
#define BPC_CALL_ordered(id) case id:
#define BPC_CALL_emit(id)
#define BPC_CALL_mixed(id)
#define BPC_SCALAR(id, spelling, operands, rule, domain, derivative, traits, code, ...) BPC_CALL_##code(Operator::id)
#include "scalar/operators.def"
        return scalar::has_formula(compute.code) ? formula() : library();
      case Operator::add:
        return real ? builder_.CreateFAdd(a, b) : builder_.CreateAdd(a, b);
      case Operator::sub:
        return real ? builder_.CreateFSub(a, b) : builder_.CreateSub(a, b);
      case Operator::mul:
        return real ? builder_.CreateFMul(a, b) : builder_.CreateMul(a, b);
      case Operator::div:
        return builder_.CreateFDiv(a, b);
      case Operator::strong_mul:
        return builder_.CreateSelect(builder_.CreateFCmpOEQ(a, number(0)), number(0), builder_.CreateFMul(a, b));
      case Operator::floordiv:
      case Operator::mod:
        return real ? formula() : floor_division(compute.code, a, b);
      case Operator::pow:
        return real ? power(a, b) : library();
      case Operator::maximum:
        return builder_.CreateBinaryIntrinsic(real ? llvm::Intrinsic::maximum : llvm::Intrinsic::smax, a, b);
      case Operator::minimum:
        return builder_.CreateBinaryIntrinsic(real ? llvm::Intrinsic::minimum : llvm::Intrinsic::smin, a, b);
      case Operator::lt:
        return greater(b, a);
      case Operator::le:
        return compare(CmpInst::FCMP_OLE, CmpInst::ICMP_SLE, a, b);
      case Operator::gt:
        return greater(a, b);
      case Operator::ge:
        return compare(CmpInst::FCMP_OGE, CmpInst::ICMP_SGE, a, b);
      case Operator::eq:
        return compare(CmpInst::FCMP_OEQ, CmpInst::ICMP_EQ, a, b);
      case Operator::ne:
        return compare(CmpInst::FCMP_UNE, CmpInst::ICMP_NE, a, b);
      case Operator::logical_and:
        return builder_.CreateAnd(a, b);
      case Operator::logical_or:
        return builder_.CreateOr(a, b);
      case Operator::select:
        return builder_.CreateSelect(a, b, code_.get(compute.operands[2]));
    }
    throw InternalError("emit", "no such operator");
  }

 private:
  Code& code_;
  llvm::IRBuilder<>& builder_;
  bool is_in_loop_;
};

}  // namespace

void emit(Code& code, const plan::Instruction& instruction, Indices indices) {
  Element element = code.element(instruction.result);
  llvm::Value* value = nullptr;
  if (const auto* constant = std::get_if<plan::Constant>(&instruction.what)) {
    llvm::Type* type = code.type(element);
    value = is_real(element) ? static_cast<llvm::Value*>(llvm::ConstantFP::get(type, constant->real))
                             : llvm::ConstantInt::get(type, static_cast<std::uint64_t>(constant->integer), true);
  } else if (const auto* position = std::get_if<plan::Position>(&instruction.what)) {
    value = code.convert(code.form(position->at, indices), Element::i64, element);
  } else if (const auto* load = std::get_if<plan::Load>(&instruction.what)) {
    value = code.load(element, code.address(load->from, indices));
  } else if (const auto* compute = std::get_if<plan::Compute>(&instruction.what)) {
    value = ScalarEmitter(code, !indices.empty()).compute(*compute, element, code.element(compute->operands[0]));
  } else if (const auto* index = std::get_if<plan::Index>(&instruction.what)) {
    value = code.convert(code.get(index->from), code.element(index->from), Element::i64);
    llvm::Value* from_end = code.builder.CreateAdd(value, code.integer(index->size));
    if (index->size != 0) value = code.builder.CreateSelect(code.builder.CreateICmpSLT(value, code.integer(0)), from_end, value);
  }
  const std::string& name = code.plan.at(instruction.result).name;
  if (!name.empty() && !llvm::isa<llvm::Constant>(value) && !value->hasName()) value->setName(name);
  code.set(instruction.result, value);
}

}  // namespace bpc::backend
