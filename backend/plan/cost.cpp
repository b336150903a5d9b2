#include "backend/plan/cost.h"

#include <algorithm>

namespace bpc::plan {

namespace {

constexpr std::uint32_t kFunction = 16;  // the formulas of exp and log have 20 to 40 instructions, four elements each
constexpr std::uint32_t kGather = 4;     // an index, its check against the end, an address, a load that is not in order

}  // namespace

std::uint32_t element_cost(const ir::Op& op) {
  const ir::OpInfo& info = ir::op_info(op.code);
  if (op.code == ir::Opcode::gather) return kGather;
  if (info.group == ir::Group::contraction) return 1;  // one that adds nothing up
  if (info.group != ir::Group::elementwise) return 0;
  return info.has(ir::cheap) ? 1 : kFunction;
}

bool calls_functions(const Kernel& kernel) {
  return std::any_of(kernel.body.begin(), kernel.body.end(), [](const Instruction& instruction) {
    const auto* compute = std::get_if<Compute>(&instruction.what);
    return compute && !ir::op_info(compute->code).has(ir::cheap) && !scalar::has_formula(compute->code);
  });
}

}  // namespace bpc::plan
