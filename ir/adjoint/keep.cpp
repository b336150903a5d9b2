#include "ir/adjoint/keep.h"

#include <algorithm>
#include <unordered_map>

#include "ir/adjoint/min_cut.h"
#include "ir/shape_rules.h"

namespace bpc::ir {

namespace {

double count(const Function& function, ValueId value) {
  return static_cast<double>(std::max<std::int64_t>(function.type(value).count(), 1));
}

// In units of one cheap elementwise result. A function counts little more than that, in favour of short tapes: it is memory that runs out
// first. backend/plan/cost.h weighs time alone.
double recompute_cost(const Function& function, const Op& op) {
  constexpr double kCheap = 1, kTranscendental = 1.5, kMovement = 0.25, kInteger = 0.25, kFree = 0.01;
  if (may_fail(function, op) && !has_dynamic_index(op)) return CutGraph::kNever;
  double results = count(function, op.results[0]);
  switch (op_info(op.code).group) {
    case Group::elementwise:
      if (is_integer(function.type(op.results[0]).element)) return results * kInteger;  // an index: it stays in a register
      return results * (op_info(op.code).has(cheap) ? kCheap : kTranscendental);
    case Group::reduction:
      return count(function, op.operands[0]);
    case Group::contraction:
      return std::max(1.0, static_cast<double>(multiply_adds(*parse_einsum(op.attrs.string(Attr::spec)), function.type(op.operands[0]),
                                                             function.type(op.operands[1]))));
    case Group::movement:
      return results * (op.code == Opcode::update || op.code == Opcode::scatter_add ? kCheap : kMovement);
    case Group::library: {
      const Type& x = function.type(op.operands[0]);
      return count(function, op.operands[0]) * static_cast<double>(x.dims.back().size);
    }
    case Group::source:
      return kFree;
    case Group::random:
      return results * kTranscendental;
    case Group::tape:
    case Group::control:
    case Group::effect:
    case Group::derivative:
      break;
  }
  return CutGraph::kNever;
}

// Each value of the region is two nodes: it is wanted in the adjoint; it is wanted and not kept. Cutting between them keeps it. One that is
// not kept is computed again (cut towards the sink), and its operands are wanted.
class KeepProblem {
 public:
  KeepProblem(const Function& function, BlockId region, const std::vector<ValueId>& needed, ValueId free, const std::set<BlockId>& around)
      : function_(function), region_(region), needed_(needed), free_(free), around_(around) {
    for (ValueId value : needed) want(value);
    for (std::size_t i = 0; i < values_.size(); ++i)  // grows as operands are wanted
      if (const Op* op = recomputable(values_[i]))
        for (ValueId operand : op->operands) want(operand);
  }

  KeepChoice solve() {
    const std::size_t source = 2 * values_.size(), sink = source + 1;
    CutGraph graph(sink + 1);
    for (ValueId value : needed_)
      if (is_local(value)) graph.add_edge(source, 2 * node_.at(value.index), CutGraph::kNever);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      graph.add_edge(2 * i, 2 * i + 1, kKeep * count(function_, values_[i]));
      const Op* op = recomputable(values_[i]);
      graph.add_edge(2 * i + 1, sink, op ? recompute_cost(function_, *op) + kKeep * only_for_a_part(*op) : CutGraph::kNever);
      if (!op) continue;
      for (ValueId operand : op->operands)
        if (is_local(operand)) graph.add_edge(2 * i + 1, 2 * node_.at(operand.index), CutGraph::kNever);
    }
    std::vector<bool> wanted = graph.source_side(source, sink);
    KeepChoice choice;
    for (std::size_t i = 0; i < values_.size(); ++i)
      if (wanted[2 * i] && !wanted[2 * i + 1]) choice.kept.push_back(values_[i]);
    for (OpId op : function_.block(region_).ops)
      if (auto found = node_.find(result_of(op)); found != node_.end() && wanted[2 * found->second + 1]) choice.recomputed.push_back(op);
    return choice;
  }

 private:
  static constexpr double kKeep = 2;  // a push and a pop

  // The elements that a region around would have to keep so that a part of them can be read again.
  double only_for_a_part(const Op& op) const {
    const bool reads = op.code == Opcode::slice || op.code == Opcode::gather;
    const bool is_kept = reads && around_.contains(function_.value(op.operands[0]).block);
    return is_kept && count(function_, op.operands[0]) > count(function_, op.results[0]) ? count(function_, op.operands[0]) : 0;
  }

  std::uint32_t result_of(OpId op) const {
    const auto& results = function_.op(op).results;
    return results.empty() ? UINT32_MAX : results[0].index;
  }
  bool is_local(ValueId value) const { return function_.value(value).block == region_ && value != free_; }
  const Op* recomputable(ValueId value) const {
    const Op* op = function_.def(value);
    return op && recompute_cost(function_, *op) < CutGraph::kNever ? op : nullptr;
  }
  void want(ValueId value) {
    if (is_local(value) && node_.emplace(value.index, values_.size()).second) values_.push_back(value);
  }

  const Function& function_;
  BlockId region_;
  const std::vector<ValueId>& needed_;
  ValueId free_;
  const std::set<BlockId>& around_;
  std::vector<ValueId> values_;
  std::unordered_map<std::uint32_t, std::size_t> node_;  // by value: its place in values_
};

}  // namespace

KeepChoice choose_kept(const Function& function, BlockId region, const std::vector<ValueId>& needed, ValueId free,
                       const std::set<BlockId>& around) {
  return KeepProblem(function, region, needed, free, around).solve();
}

}  // namespace bpc::ir
