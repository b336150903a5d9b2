#include "explain/needed.h"

#include <algorithm>
#include <set>

#include "ir/adjoint/existence.h"
#include "ir/clone.h"
#include "ir/dependence.h"

namespace bpc::explain {

using ir::BlockId;
using ir::Op;
using ir::Opcode;
using ir::OpId;
using ir::ValueId;

Needed::Needed(const ir::Function& source, const TraceOptions& options) : source_(source), options_(options) {
  is_differentiated_.assign(source_.op_count(), false);
  for (std::uint32_t d = 0; d < source_.op_count(); ++d) {
    const Op& derivative = source_.op(OpId{d});
    if (!ir::is_derivative(derivative)) continue;
    const std::vector<bool> seen = ir::ancestors(source_, derivative.operands[0]);
    for (std::uint32_t l = 0; l < source_.op_count(); ++l) {
      const Op& loop = source_.op(OpId{l});
      if (is_differentiated_[l] || !(ir::is_loop(loop.code) || loop.code == Opcode::map)) continue;
      const bool is_outside = std::none_of(loop.regions.begin(), loop.regions.end(),
                                           [&](BlockId region) { return ir::is_enclosed(source_, derivative.block, region); });
      is_differentiated_[l] =
          is_outside && std::any_of(loop.results.begin(), loop.results.end(), [&](ValueId result) { return seen[result.index]; });
    }
  }
}

bool Needed::holds(OpId op, OpId inner) const {
  const Op& outer = source_.op(op);
  return op == inner || std::any_of(outer.regions.begin(), outer.regions.end(),
                                    [&](BlockId region) { return ir::is_enclosed(source_, source_.op(inner).block, region); });
}

std::vector<bool> Needed::at_top() const {
  const auto& ops = source_.block(source_.body()).ops;
  std::vector<bool> needed(ops.size(), !options_.derivative.valid());
  if (!options_.derivative.valid()) {
    for (std::size_t i = 0; i < ops.size(); ++i)
      needed[i] = source_.op(ops[i]).code != Opcode::print && !is_authors_assert(source_.op(ops[i]));
    return needed;
  }
  std::set<ValueId> read;
  std::size_t last = 0;  // that an assert could be about
  for (std::size_t i = ops.size(); i-- > 0;) {
    const Op& op = source_.op(ops[i]);
    const bool is_asked_for = holds(ops[i], options_.derivative);
    const bool is_check = op.code == Opcode::assert_true && !is_authors_assert(op) && i < last;
    needed[i] = is_asked_for || is_check || std::any_of(op.results.begin(), op.results.end(), [&](ValueId v) { return read.contains(v); });
    if (!needed[i]) continue;
    if (!is_asked_for) last = std::max(last, i);
    read.insert(op.operands.begin(), op.operands.end());
    for (BlockId region : op.regions) ir::for_each_use(source_, region, [&](ValueId v) { read.insert(v); });
  }
  return needed;
}

bool Needed::is_in_library(const Span& span) const {
  return span.valid() && span.file < options_.in_library.size() && options_.in_library[span.file];
}
bool Needed::is_authors_assert(const Op& op) const {
  return op.code == Opcode::assert_true && !is_in_library(source_.origin(op.origin).span);
}

}  // namespace bpc::explain
