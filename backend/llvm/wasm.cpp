#include "backend/llvm/wasm.h"

#include <fmt/format.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/FileSystem.h>
#include <llvm/Support/FileUtilities.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/Program.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>

#include <limits>

#include "backend/llvm/codegen.h"
#include "backend/llvm/context.h"
#include "support/internal_error.h"

namespace bpc::backend {

namespace {

constexpr const char* kTriple = "wasm32-unknown-unknown";
constexpr const char* kFeatures = "+simd128,+bulk-memory,+nontrapping-fptoint,+sign-ext,+mutable-globals";

std::unique_ptr<llvm::TargetMachine> wasm_machine() {
  LLVMInitializeWebAssemblyTargetInfo();
  LLVMInitializeWebAssemblyTarget();
  LLVMInitializeWebAssemblyTargetMC();
  LLVMInitializeWebAssemblyAsmPrinter();
  std::string problem;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(kTriple, problem);
  if (!target) throw InternalError("wasm", problem);
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(kTriple, "generic", kFeatures, llvm::TargetOptions(), llvm::Reloc::Static));
}

plan::Target wasm_target() {
  plan::Target target;
  target.vector_bytes = target.tile_bytes = 16;
  target.vector_registers = 16;
  target.fuses = false;
  target.shared_cycles = std::numeric_limits<double>::infinity();  // there is one thread
  return target;
}

// WebAssembly has no such instruction, and the formulas of scalar/elementary.h need the exact product: it is the sum of two numbers
// (Dekker, "A floating-point technique for extending the available precision", 1971), and so is its sum with c (Knuth's two-sum).
void define_fma(llvm::Module& module) {
  llvm::Function* fma = module.getFunction("fma");
  if (!fma || !fma->isDeclaration()) return;
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(module.getContext(), "", fma));
  llvm::Type* real = builder.getDoubleTy();
  llvm::Value *a = fma->getArg(0), *b = fma->getArg(1), *c = fma->getArg(2);
  const auto split = [&](llvm::Value* x) {
    llvm::Value* large = builder.CreateFMul(x, llvm::ConstantFP::get(real, 0x1p27 + 1));
    llvm::Value* high = builder.CreateFSub(large, builder.CreateFSub(large, x));
    return std::pair(high, builder.CreateFSub(x, high));
  };
  const auto [a_high, a_low] = split(a);
  const auto [b_high, b_low] = split(b);
  llvm::Value* product = builder.CreateFMul(a, b);
  llvm::Value* lost = builder.CreateFSub(builder.CreateFMul(a_high, b_high), product);
  lost = builder.CreateFAdd(lost, builder.CreateFMul(a_high, b_low));
  lost = builder.CreateFAdd(lost, builder.CreateFMul(a_low, b_high));
  lost = builder.CreateFAdd(lost, builder.CreateFMul(a_low, b_low));
  llvm::Value* sum = builder.CreateFAdd(product, c);
  llvm::Value* of_c = builder.CreateFSub(sum, product);
  llvm::Value* rest = builder.CreateFAdd(builder.CreateFSub(product, builder.CreateFSub(sum, of_c)), builder.CreateFSub(c, of_c));
  llvm::Value* exact = builder.CreateFAdd(sum, builder.CreateFAdd(rest, lost));
  // Where splitting overflows, or what is lost is too small to be held.
  llvm::Value* is_finite = builder.CreateFCmpORD(builder.CreateFSub(exact, exact), builder.CreateFSub(exact, exact));
  builder.CreateRet(builder.CreateSelect(is_finite, exact, sum));
  fma->setLinkage(llvm::Function::InternalLinkage);
}

// The exact product of two f32 is an f64, and so would be the sum with c but for its last bit: that is made odd where something was lost,
// so that rounding it again rounds as if nothing had been (Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums", 2008).
void define_fmaf(llvm::Module& module) {
  llvm::Function* fma = module.getFunction("fmaf");
  if (!fma || !fma->isDeclaration()) return;
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(module.getContext(), "", fma));
  const auto wide = [&](unsigned i) { return builder.CreateFPExt(fma->getArg(i), builder.getDoubleTy()); };
  llvm::Value *product = builder.CreateFMul(wide(0), wide(1)), *c = wide(2), *sum = builder.CreateFAdd(product, c);
  llvm::Value* of_c = builder.CreateFSub(sum, product);
  llvm::Value* lost = builder.CreateFAdd(builder.CreateFSub(product, builder.CreateFSub(sum, of_c)), builder.CreateFSub(c, of_c));
  llvm::Value *zero = llvm::ConstantFP::get(c->getType(), 0), *bits = builder.CreateBitCast(sum, builder.getInt64Ty());
  // Toward what was lost, a number grows in size if both have one sign. A NaN has lost nothing.
  llvm::Value* grows = builder.CreateICmpEQ(builder.CreateFCmpOGT(lost, zero), builder.CreateFCmpOGT(sum, zero));
  llvm::Value* next = builder.CreateAdd(bits, builder.CreateSelect(grows, builder.getInt64(1), builder.getInt64(-1)));
  llvm::Value* is_even = builder.CreateICmpEQ(builder.CreateAnd(bits, 1), builder.getInt64(0));
  llvm::Value* odd = builder.CreateSelect(builder.CreateAnd(builder.CreateFCmpONE(lost, zero), is_even), next, bits);
  builder.CreateRet(builder.CreateFPTrunc(builder.CreateBitCast(odd, c->getType()), builder.getFloatTy()));
  fma->setLinkage(llvm::Function::InternalLinkage);
}

// Calls of the intrinsic become calls of the functions above, so that those are optimised with the rest.
void replace_fma(llvm::Module& module) {
  std::vector<llvm::CallInst*> calls;
  for (llvm::Function& function : module)
    for (llvm::BasicBlock& block : function)
      for (llvm::Instruction& instruction : block)
        if (auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction))
          if (call->getIntrinsicID() == llvm::Intrinsic::fma) calls.push_back(call);
  for (llvm::CallInst* call : calls) {
    llvm::IRBuilder<> builder(call);
    llvm::Type *type = call->getType(), *scalar = type->getScalarType();
    const llvm::FunctionCallee fma =
        module.getOrInsertFunction(scalar->isFloatTy() ? "fmaf" : "fma", llvm::FunctionType::get(scalar, {scalar, scalar, scalar}, false));
    const auto at = [&](std::size_t i, llvm::Value* lane) {
      llvm::Value* operand = call->getArgOperand(static_cast<unsigned>(i));
      return lane ? builder.CreateExtractElement(operand, lane) : operand;
    };
    llvm::Value* result = nullptr;
    if (auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(type)) {
      result = llvm::PoisonValue::get(type);
      for (unsigned i = 0; i < vector->getNumElements(); ++i) {
        llvm::Value* lane = builder.getInt32(i);
        result = builder.CreateInsertElement(result, builder.CreateCall(fma, {at(0, lane), at(1, lane), at(2, lane)}), lane);
      }
    } else {
      result = builder.CreateCall(fma, {at(0, nullptr), at(1, nullptr), at(2, nullptr)});
    }
    call->replaceAllUsesWith(result);
    call->eraseFromParent();
  }
  define_fma(module);
  define_fmaf(module);
}

// "cholesky" of "bpc_rt_cholesky_f32".
std::string plain_name(llvm::StringRef name) {
  name.consume_front("bpc_rt_");
  for (llvm::StringRef end : {"_f32", "_f64", "_i32", "_i64", "_bool"}) name.consume_back(end);
  return name.str();
}

std::vector<std::string> missing_in(const llvm::Module& module) {
  std::vector<std::string> missing;
  for (const llvm::Function& function : module)
    if (function.isDeclaration() && !function.isIntrinsic() && !function.use_empty() && function.getName() != "bpc_hook_stop" &&
        !function.getName().starts_with("bpc_rt_far_"))
      missing.push_back(function.getName().starts_with("bpc_hook_") ? "tapes and `print`" : plain_name(function.getName()));
  std::sort(missing.begin(), missing.end());
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  return missing;
}

std::string object_of(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream out(object);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, out, nullptr, llvm::CodeGenFileType::ObjectFile))
    throw InternalError("wasm", "LLVM emits no object for it");
  passes.run(module);
  return {object.begin(), object.end()};
}

std::string temporary_file(const char* ending) {
  llvm::SmallString<128> path;
  if (const std::error_code error = llvm::sys::fs::createTemporaryFile("bpc", ending, path)) throw std::system_error(error);
  return path.str().str();
}

std::string linked(const std::string& object) {
  const std::string version = fmt::format("wasm-ld-{}", LLVM_VERSION_MAJOR);
  auto linker = llvm::sys::findProgramByName(version);
  if (!linker) linker = llvm::sys::findProgramByName("wasm-ld");
  if (!linker) throw NoLinker(fmt::format("there is no {}, which links what a page runs", version));
  const std::string in = temporary_file("o"), out = temporary_file("wasm"), said = temporary_file("txt");
  const llvm::FileRemover remove_in(in), remove_out(out), remove_said(said);
  std::error_code error;
  llvm::raw_fd_ostream(in, error) << object;
  if (error) throw std::system_error(error);
  const std::string entry = std::string("--export=") + kEntryName;
  const llvm::StringRef arguments[] = {*linker,
                                       in,
                                       "-o",
                                       out,
                                       entry,
                                       "--no-entry",
                                       "--export=__heap_base",
                                       "--allow-undefined",
                                       "--strip-all",
                                       "--stack-first",
                                       "-z",
                                       "stack-size=262144"};
  const std::optional<llvm::StringRef> streams[] = {llvm::StringRef(""), llvm::StringRef(said), llvm::StringRef(said)};
  if (llvm::sys::ExecuteAndWait(*linker, arguments, std::nullopt, streams) != 0) {
    const auto text = llvm::MemoryBuffer::getFile(said);
    throw InternalError("wasm", text ? (*text)->getBuffer().str() : "wasm-ld failed");
  }
  auto module = llvm::MemoryBuffer::getFile(out);
  if (!module) throw std::system_error(module.getError());
  return (*module)->getBuffer().str();
}

}  // namespace

WasmModule compile_to_wasm(const ir::Function& function, int optimization) {
  plan::Plan plan = plan::make_plan(function, wasm_target());
  llvm::LLVMContext context;
  const std::unique_ptr<llvm::TargetMachine> machine = wasm_machine();
  const std::unique_ptr<llvm::Module> module = generate(plan, context, *machine, optimization);
  replace_fma(*module);
  optimize(*module, *machine, optimization);
  WasmModule result{{}, std::move(plan.signature), std::move(plan.constants), plan.arena_bytes, std::move(plan.sites), missing_in(*module)};
  if (result.missing.empty()) result.code = linked(object_of(*module, *machine));
  return result;
}

}  // namespace bpc::backend
