#include "explain/loops.h"

#include <algorithm>
#include <map>

namespace bpc::explain {

using ir::OpId;
using ir::ValueId;
using runtime::Tensor;

LoopReader::LoopReader(const Trace& trace, const Graph& graph, const Namer& namer, std::function<Tensor(ValueId)> derivative)
    : trace_(trace), graph_(graph), namer_(namer), derivative_(std::move(derivative)), readers_(trace.function.value_count()) {
  for (const Cluster& cluster : graph.clusters)
    for (OpId id : cluster.ops)
      for (ValueId operand : trace.function.op(id).operands) readers_[operand.index].push_back(cluster.scope);
}

// Of the loop, in which the scope is; -1 outside it.
std::int64_t LoopReader::turn_of(std::size_t scope, std::size_t loop) const {
  for (; scope != 0; scope = trace_.scopes[scope].parent)
    if (trace_.scopes[scope].parent == loop) return trace_.scopes[scope].turn;
  return -1;
}

bool LoopReader::leaves_turn(ValueId value, std::size_t loop, std::int64_t turn) const {
  const std::vector<std::size_t>& readers = readers_[value.index];
  const bool is_y = trace_.sweep && trace_.sweep->y == value;
  return is_y || std::any_of(readers.begin(), readers.end(), [&](std::size_t scope) { return turn_of(scope, loop) != turn; });
}

LoopSummary LoopReader::summary(std::size_t loop, const std::vector<std::size_t>& clusters, std::vector<History>& histories) const {
  LoopSummary summary{SIZE_MAX, trace_.scopes[loop].turns, {}};
  std::map<std::string, std::map<std::int64_t, ValueId>> by_name;
  for (std::size_t cluster : clusters)
    for (ValueId result : graph_.clusters[cluster].results) {
      const std::string name = namer_.authors_name(result);
      const std::int64_t turn = turn_of(graph_.clusters[cluster].scope, loop);
      if (!name.empty() && turn >= 0 && leaves_turn(result, loop, turn)) by_name[name][turn] = result;
    }
  for (const auto& [name, values] : by_name) {
    if (values.size() < 2) continue;
    explain::History history{name, {}, {}, true};
    History& behind = histories.emplace_back();
    for (const auto& [turn, value] : values) history.is_scalar = history.is_scalar && is_scalar(trace_.value(value));
    const auto size = [&](const Tensor& tensor) {
      return tensor.count() == 0 ? 0.0 : history.is_scalar ? tensor.real_at(0) : norm_of(tensor);
    };
    for (const auto& [turn, value] : values) {
      history.values.push_back(size(trace_.value(value)));
      history.derivatives.push_back(size(derivative_(value)));
      behind.push_back(value);
    }
    summary.histories.push_back(std::move(history));
  }
  return summary;
}

}  // namespace bpc::explain
