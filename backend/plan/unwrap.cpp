#include "backend/plan/unwrap.h"

#include "ir/rewrite.h"

namespace bpc::plan {

namespace {

bool is_wrapper(ir::Opcode code) {
  return code == ir::Opcode::checkpoint || code == ir::Opcode::custom;
}

}  // namespace

std::optional<Unwrapped> unwrap(const ir::Function& function) {
  bool wraps = false;
  for (std::uint32_t i = 0; i < function.op_count(); ++i) wraps |= is_wrapper(function.op({i}).code);
  if (!wraps) return std::nullopt;
  Unwrapped result;
  ir::Rewriter rewriter(function);
  result.function = rewriter.finish([&](const ir::Op& op) {
    if (!is_wrapper(op.code)) {
      result.original.resize(rewriter.to().op_count() + 1);
      result.original.back() = {static_cast<std::uint32_t>(&op - &function.op({0}))};
      return false;
    }
    rewriter.put_inside(op);
    return true;
  });
  return result;
}

}  // namespace bpc::plan
