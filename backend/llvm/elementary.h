// The functions of scalar/elementary.h in compiled code.
#pragma once

#include "backend/llvm/code.h"
#include "scalar/operator.h"

namespace bpc::backend {

// The attribute of a function's twin that works on vectors: once loops call it, it is put in place (codegen.cpp).
inline constexpr const char* kTwin = "bpc-twin";

// Calls it on floats or doubles: a function of the module's own, made when it is first called. In a loop nest it is put in place, so that
// the loop can work on vectors, or has a twin that works on vectors, if it has a branch; elsewhere it stays a call, so that a long list of
// scalars stays short.
llvm::Value* elementary(Code& code, scalar::Operator function, llvm::ArrayRef<llvm::Value*> operands, bool is_in_loop);

}  // namespace bpc::backend
