#include "ir/batch/vectorise.h"

#include <algorithm>

#include "ir/passes/passes.h"

namespace bpc::ir {

namespace {

bool holds_derivative(const Function& function, BlockId block) {
  const auto& ops = function.block(block).ops;
  return std::any_of(ops.begin(), ops.end(), [&](OpId id) {
    const Op& op = function.op(id);
    return op_info(op.code).group == Group::derivative ||
           std::any_of(op.regions.begin(), op.regions.end(), [&](BlockId region) { return holds_derivative(function, region); });
  });
}

}  // namespace

Function vectorise_maps(const Function& function, Diagnostics&) {
  Rewriter rewriter(function);
  return rewriter.finish([&](const Op& op) {
    if (op.code != Opcode::map || holds_derivative(function, op.regions[0])) return false;
    vectorise_visited(rewriter, op);
    return true;
  });
}

}  // namespace bpc::ir
