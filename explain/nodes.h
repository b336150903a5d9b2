// The steps of a graph, grouped by the author's calls and loops; which of them are shown.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "explain/explanation.h"
#include "explain/graph.h"

namespace bpc::explain {

struct Node {
  Step::Kind kind = Step::Kind::call;
  std::size_t scope = 0;
  std::size_t parent = SIZE_MAX;
  std::vector<std::size_t> children;
  std::size_t cluster = SIZE_MAX;  // of an operation
  std::int64_t first_turn = 0, last_turn = 0;
  bool is_open = false;
};

struct Folding {
  bool all = false;                               // nothing is folded but the turns that are not shown
  std::set<std::string> unfolded;                 // functions
  std::optional<std::int64_t> iteration;          // the turn of loops that is shown; the last one, if none is said
  std::size_t lines = 34;                         // groups are unfolded while there are no more
  std::function<std::string(const Scope&)> name;  // of the function that a scope is a call of
  std::size_t most_lines = SIZE_MAX;              // where it takes more all the same, the steps of one line of the script are one
  // The line of the script that a node stands in; 0: of none.
  std::function<std::uint32_t(const struct Node&)> line_of;
  // How many lines it takes to show these nodes.
  std::function<std::size_t(const std::vector<struct Node>& nodes, const std::vector<std::size_t>& visible)> lines_of;
};

// The first node is the whole, and open. A node comes after what it stands in, but for statements. Of a loop, turns that are not shown are
// one node before and one behind the one that is.
std::vector<Node> make_nodes(const Trace& trace, const Graph& graph, const Folding& folding);

// Those that are shown, in order.
std::vector<std::size_t> visible_nodes(const std::vector<Node>& nodes);
// By scope: whether what ran there is not shown, as it is of the library, or stands in a step that is folded.
std::vector<bool> hidden_scopes(const Trace& trace, const std::vector<Node>& nodes);
// The clusters of a node, in order.
std::vector<std::size_t> clusters_in(const std::vector<Node>& nodes, std::size_t node);

}  // namespace bpc::explain
