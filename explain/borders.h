// What the steps that are shown read from each other.
#pragma once

#include <vector>

#include "explain/naming.h"
#include "explain/nodes.h"

namespace bpc::explain {

struct Border {
  std::vector<ir::ValueId> results;  // read by other steps; of many that a folded group hands on, those that their author named
  std::vector<ir::ValueId> inputs;   // on the way, made by other steps or by none
};

class Borders {
 public:
  Borders(const Trace& trace, const Graph& graph, const Namer& namer, const std::vector<Node>& nodes,
          const std::vector<std::size_t>& visible);

  // Of a visible node, by its place among them.
  const Border& operator[](std::size_t place) const { return borders_[place]; }
  // Whether the value comes from no step, or is among the results of the one that makes it.
  bool is_handed_on(ir::ValueId value) const;

 private:
  std::size_t maker_of(ir::ValueId value) const;
  bool is_y(ir::ValueId value) const { return trace_.sweep && trace_.sweep->y == value; }
  void leave_few(std::vector<ir::ValueId>& results) const;

  const Trace& trace_;
  const Graph& graph_;
  const Namer& namer_;
  std::vector<std::size_t> node_of_;  // by cluster: the place of its node
  std::vector<Border> borders_;
};

}  // namespace bpc::explain
