#include "ir/adjoint/min_cut.h"

#include <algorithm>
#include <cstdint>

namespace bpc::ir {

void CutGraph::add_edge(std::size_t from, std::size_t to, double capacity) {
  edges_at_[from].push_back(edges_.size());
  edges_.push_back({to, capacity});
  edges_at_[to].push_back(edges_.size());
  edges_.push_back({from, 0});
}

// Distances from the source along edges with capacity left; whether the sink is still reached.
bool CutGraph::layer(std::size_t source, std::size_t sink) {
  distance_.assign(edges_at_.size(), SIZE_MAX);
  next_.assign(edges_at_.size(), 0);
  distance_[source] = 0;
  std::vector<std::size_t> queue{source};
  for (std::size_t at = 0; at < queue.size(); ++at)
    for (std::size_t e : edges_at_[queue[at]])
      if (const Edge& edge = edges_[e]; edge.left > 0 && distance_[edge.to] == SIZE_MAX) {
        distance_[edge.to] = distance_[queue[at]] + 1;
        queue.push_back(edge.to);
      }
  return distance_[sink] != SIZE_MAX;
}

// The flow along one more shortest path; 0 when there is none. An explicit stack: paths are as long as the longest chain of ops.
double CutGraph::push(std::size_t source, std::size_t sink) {
  std::vector<std::size_t> path;  // edges from the source
  std::size_t at = source;
  while (at != sink) {
    bool advanced = false;
    for (; next_[at] < edges_at_[at].size(); ++next_[at]) {
      std::size_t e = edges_at_[at][next_[at]];
      if (edges_[e].left <= 0 || distance_[edges_[e].to] != distance_[at] + 1) continue;
      path.push_back(e);
      at = edges_[e].to;
      advanced = true;
      break;
    }
    if (advanced) continue;
    if (path.empty()) return 0;
    at = edges_[path.back() ^ 1].to;  // a dead end
    path.pop_back();
    ++next_[at];
  }
  double flow = kNever;
  for (std::size_t e : path) flow = std::min(flow, edges_[e].left);
  for (std::size_t e : path) {
    edges_[e].left -= flow;
    edges_[e ^ 1].left += flow;
  }
  return flow;
}

std::vector<bool> CutGraph::source_side(std::size_t source, std::size_t sink) {
  while (layer(source, sink))
    while (push(source, sink) > 0) {
    }
  std::vector<bool> reached;
  for (std::size_t distance : distance_) reached.push_back(distance != SIZE_MAX);
  return reached;
}

}  // namespace bpc::ir
