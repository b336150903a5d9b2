#include "explain/swept.h"

namespace bpc::explain {

using ir::ValueId;
using runtime::Tensor;

namespace {

void add_to(Tensor& sum, const Tensor& part, double factor) {
  if (sum.count() != part.count()) sum = Tensor::zeros(part.type());
  for (std::int64_t i = 0; i < part.count(); ++i) sum.set_real(i, sum.real_at(i) + factor * part.real_at(i));
}

}  // namespace

Swept::Swept(const Trace& trace, const Graph& graph) {
  if (!trace.sweep) return;
  for (const ir::ReverseSweep::Part& part : trace.sweep->parts) {
    if (!part.by.valid() || part.by.index >= graph.cluster_of.size()) continue;
    const std::size_t cluster = graph.cluster_of[part.by.index];
    if (cluster == SIZE_MAX) continue;
    SweptParts& parts = parts_[{cluster, part.to}];
    parts.of.push_back(&part);
    add_to(parts.sum, trace.value(part.part), 1);
    if (part.is_sum) add_to(parts.sum, trace.value(part.before), -1);
  }
}

SweptParts Swept::parts_to(ValueId value, const std::vector<std::size_t>& clusters) const {
  SweptParts all;
  for (std::size_t cluster : clusters) {
    const auto parts = parts_.find({cluster, value});
    if (parts == parts_.end()) continue;
    all.of.insert(all.of.end(), parts->second.of.begin(), parts->second.of.end());
    add_to(all.sum, parts->second.sum, 1);
  }
  return all;
}

}  // namespace bpc::explain
