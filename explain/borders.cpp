#include "explain/borders.h"

#include <algorithm>

namespace bpc::explain {

using ir::OpId;
using ir::ValueId;

Borders::Borders(const Trace& trace, const Graph& graph, const Namer& namer, const std::vector<Node>& nodes,
                 const std::vector<std::size_t>& visible)
    : trace_(trace), graph_(graph), namer_(namer) {
  node_of_.assign(graph_.clusters.size(), SIZE_MAX);
  for (std::size_t i = 0; i < visible.size(); ++i)
    for (std::size_t cluster : clusters_in(nodes, visible[i])) node_of_[cluster] = i;
  borders_.resize(visible.size());
  const auto note = [](std::vector<ValueId>& list, ValueId value) {
    if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
  };
  for (std::size_t c = 0; c < graph_.clusters.size(); ++c) {
    const std::size_t reader = node_of_[c];
    for (ValueId result : graph_.clusters[c].results)
      if (is_y(result) || !trace_.sweep) note(borders_[reader].results, result);
    for (OpId id : graph_.clusters[c].ops)
      for (ValueId operand : trace_.function.op(id).operands) {
        if (!graph_.is_active[operand.index]) continue;
        const std::size_t maker = maker_of(operand);
        if (maker == reader) continue;
        note(borders_[reader].inputs, operand);
        if (maker != SIZE_MAX) note(borders_[maker].results, operand);
      }
  }
  for (std::size_t i = 0; i < borders_.size(); ++i) {
    std::sort(borders_[i].results.begin(), borders_[i].results.end());
    if (nodes[visible[i]].kind != Step::Kind::operation) leave_few(borders_[i].results);
  }
}

void Borders::leave_few(std::vector<ValueId>& results) const {
  constexpr std::size_t kMany = 4;
  if (results.size() <= kMany) return;
  std::vector<ValueId> named;
  for (ValueId result : results)
    if (!namer_.authors_name(result).empty() || is_y(result)) named.push_back(result);
  if (named.empty()) named.push_back(results.back());
  if (named.size() > 2 * kMany) named.erase(named.begin(), named.end() - static_cast<std::ptrdiff_t>(2 * kMany));
  results = std::move(named);
}

std::size_t Borders::maker_of(ValueId value) const {
  const OpId op = trace_.function.value(value).op;
  if (!op.valid() || graph_.cluster_of[op.index] == SIZE_MAX) return SIZE_MAX;
  return node_of_[graph_.cluster_of[op.index]];
}

bool Borders::is_handed_on(ValueId value) const {
  const std::size_t maker = maker_of(value);
  if (maker == SIZE_MAX) return true;
  const std::vector<ValueId>& results = borders_[maker].results;
  return std::find(results.begin(), results.end(), value) != results.end();
}

}  // namespace bpc::explain
