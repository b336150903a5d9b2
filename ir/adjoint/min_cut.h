// The cheapest way to cut a directed graph between a source and a sink.
#pragma once

#include <cstddef>
#include <vector>

namespace bpc::ir {

class CutGraph {
 public:
  static constexpr double kNever = 1e300;  // the capacity of an edge that must not be cut

  explicit CutGraph(std::size_t nodes) : edges_at_(nodes) {}
  void add_edge(std::size_t from, std::size_t to, double capacity);

  // By node: whether it stays on the source's side of a minimum cut. Dinic's algorithm (1970): blocking flows along shortest paths.
  std::vector<bool> source_side(std::size_t source, std::size_t sink);

 private:
  struct Edge {
    std::size_t to;
    double left;  // capacity not used yet; the reverse edge is the neighbour with the lowest bit flipped
  };
  bool layer(std::size_t source, std::size_t sink);
  double push(std::size_t source, std::size_t sink);

  std::vector<Edge> edges_;
  std::vector<std::vector<std::size_t>> edges_at_;
  std::vector<std::size_t> distance_, next_;
};

}  // namespace bpc::ir
