// The interpreter: the definition of what the IR means. Slow, plain, complete.
#pragma once

#include <functional>
#include <memory>

#include "backend/interpreter/count.h"
#include "ir/function.h"
#include "runtime/executable.h"

namespace bpc::backend {

// Called after each op with its operands and results (for --check-nan and explain). A tape is shown as a tensor without elements.
using Observer =
    std::function<void(const ir::Op& op, std::span<const runtime::Tensor* const> operands, std::span<const runtime::Tensor> results)>;

// `function` must hold no derivative op and must outlive the result, as must the counter, if there is one.
std::unique_ptr<runtime::Executable> interpret(const ir::Function& function, Observer observer = {}, Counter* counter = nullptr);

}  // namespace bpc::backend
