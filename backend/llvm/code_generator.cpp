#include "backend/llvm/jit.h"

namespace bpc::backend {

extern "C" const CodeGenerator* bpc_code_generator() {
  static constexpr CodeGenerator kFunctions{compile, plan_text, llvm_text, assembly_text, compile_to_wasm, host_text};
  return &kFunctions;
}

}  // namespace bpc::backend
