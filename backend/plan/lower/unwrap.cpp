#include "backend/plan/lower/unwrap.h"

#include "ir/rewrite.h"

namespace bpc::plan {

namespace {

bool is_wrapper(ir::Opcode code) {
  return code == ir::Opcode::checkpoint || code == ir::Opcode::custom;
}

}  // namespace

std::optional<ir::Function> unwrap(const ir::Function& function) {
  bool wraps = false;
  for (std::uint32_t i = 0; i < function.op_count(); ++i) wraps |= is_wrapper(function.op({i}).code);
  if (!wraps) return std::nullopt;
  ir::Rewriter rewriter(function);
  return rewriter.finish([&](const ir::Op& op) {
    if (!is_wrapper(op.code)) return false;
    rewriter.put_inside(op);
    return true;
  });
}

}  // namespace bpc::plan
