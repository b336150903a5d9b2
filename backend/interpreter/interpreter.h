// The interpreter: the definition of what the IR means. Slow, plain, complete.
#pragma once

#include <functional>
#include <memory>

#include "ir/function.h"
#include "runtime/executable.h"

namespace bpc::backend {

// Called after each op with its operands and results (for --check-nan and explain).
using Observer =
    std::function<void(const ir::Op& op, std::span<const runtime::Tensor* const> operands, std::span<const runtime::Tensor> results)>;

// `function` must hold no grad op and must outlive the result.
std::unique_ptr<runtime::Executable> interpret(const ir::Function& function, Observer observer = {});

}  // namespace bpc::backend
