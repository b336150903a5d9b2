#include "ir/adjoint/min_cut.h"

#include <catch2/catch.hpp>
#include <random>

namespace bpc::ir {

namespace {

struct Edge {
  std::size_t from, to;
  double capacity;
};

// What it costs to cut between the nodes of the source's side and the others.
double cost(const std::vector<Edge>& edges, const std::vector<bool>& side) {
  double sum = 0;
  for (const Edge& edge : edges)
    if (side[edge.from] && !side[edge.to]) sum += edge.capacity;
  return sum;
}

// By trying all sides that hold node 0 and not node 1.
double least(const std::vector<Edge>& edges, std::size_t nodes) {
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t mask = 0; mask < std::size_t{1} << nodes; ++mask) {
    std::vector<bool> side(nodes);
    for (std::size_t i = 0; i < nodes; ++i) side[i] = (mask >> i & 1) != 0;
    if (side[0] && !side[1]) best = std::min(best, cost(edges, side));
  }
  return best;
}

std::vector<bool> cut(const std::vector<Edge>& edges, std::size_t nodes) {
  CutGraph graph(nodes);
  for (const Edge& edge : edges) graph.add_edge(edge.from, edge.to, edge.capacity);
  return graph.source_side(0, 1);
}

}  // namespace

TEST_CASE("a cut separates the source from the sink") {
  CHECK(cut({}, 2) == std::vector{true, false});
  CHECK(cut({{0, 1, 3}}, 2) == std::vector{true, false});
  CHECK(cut({{0, 2, 3}, {2, 1, 1}}, 3) == std::vector{true, false, true});
  CHECK(cut({{0, 2, 1}, {2, 1, 3}}, 3) == std::vector{true, false, false});
}

TEST_CASE("an edge that must not be cut is not") {
  CHECK(cut({{0, 2, CutGraph::kNever}, {2, 3, 1e6}, {3, 1, CutGraph::kNever}}, 4) == std::vector{true, false, true, false});
}

TEST_CASE("cuts of small graphs cost the least that any side costs") {
  std::mt19937 random(7);
  for (int graph = 0; graph < 500; ++graph) {
    const std::size_t nodes = 2 + random() % 6;
    std::vector<Edge> edges;
    for (std::size_t i = random() % 20; i > 0; --i)
      edges.push_back({random() % nodes, random() % nodes, static_cast<double>(random() % 9) / 2});
    const std::vector<bool> side = cut(edges, nodes);
    CAPTURE(graph);
    REQUIRE(side[0]);
    REQUIRE_FALSE(side[1]);
    CHECK(cost(edges, side) == Approx(least(edges, nodes)));
  }
}

}  // namespace bpc::ir
