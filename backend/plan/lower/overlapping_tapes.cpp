#include "backend/plan/lower/overlapping_tapes.h"

#include <algorithm>
#include <numeric>

namespace bpc::plan {

namespace {

class Analysis {
 public:
  explicit Analysis(const ir::Function& function)
      : function_(function), parents_(function.value_count()), used_(function.value_count()), result_(function.op_count()) {
    std::iota(parents_.begin(), parents_.end(), 0u);
  }

  std::vector<bool> run() {
    for (std::uint32_t b = 0; b < function_.block_count(); ++b) {
      const ir::Block& block = function_.block({b});
      for (ir::ValueId yield : block.yields) used_[yield.index] = true;
      for (ir::OpId id : block.ops) {
        for (ir::ValueId operand : function_.op(id).operands) used_[operand.index] = true;
        join_tapes(function_.op(id));
      }
    }
    walk(function_.body());
    return std::move(result_);
  }

 private:
  // Tapes that may be the same one are in one set.
  std::uint32_t find(ir::ValueId id) {
    std::uint32_t at = id.index;
    while (parents_[at] != at) at = parents_[at] = parents_[parents_[at]];
    return at;
  }
  void join(ir::ValueId a, ir::ValueId b) { parents_[find(a)] = find(b); }

  void join_tapes(const ir::Op& op) {
    if (op.code == ir::Opcode::push || op.code == ir::Opcode::pop) join(op.results[0], op.operands[0]);
    if (op.code != ir::Opcode::if_else && !ir::is_loop(op.code)) return;
    for (std::size_t i = 0; i < op.results.size(); ++i) {
      if (!function_.type(op.results[i]).tape) continue;
      if (op.code == ir::Opcode::if_else) {
        for (ir::BlockId side : op.regions) join(op.results[i], function_.block(side).yields[i]);
        continue;
      }
      join(op.results[i], op.operands[ir::uncarried_operands(op.code) + i]);
      join(op.results[i], function_.block(op.regions.back()).yields[i]);
      for (ir::BlockId region : op.regions) join(op.results[i], function_.block(region).arguments[ir::uncarried_arguments(op.code) + i]);
    }
  }

  void walk(ir::BlockId block) {
    for (ir::OpId id : function_.block(block).ops) {
      const ir::Op& op = function_.op(id);
      if (op.code == ir::Opcode::tape)
        result_[id.index] = std::find(carried_.begin(), carried_.end(), find(op.results[0])) != carried_.end();
      std::size_t outer = carried_.size();
      if (ir::is_loop(op.code))
        for (ir::BlockId region : op.regions)
          for (ir::ValueId argument : function_.block(region).arguments)
            if (function_.type(argument).tape && used_[argument.index]) carried_.push_back(find(argument));
      for (ir::BlockId region : op.regions) walk(region);
      carried_.resize(outer);
    }
  }

  const ir::Function& function_;
  std::vector<std::uint32_t> parents_;
  std::vector<bool> used_;
  std::vector<std::uint32_t> carried_;  // sets of the tapes that the loops around carry and read
  std::vector<bool> result_;
};

}  // namespace

std::vector<bool> overlapping_tapes(const ir::Function& function) {
  return Analysis(function).run();
}

}  // namespace bpc::plan
