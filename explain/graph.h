// A trace cut into steps as a textbook would: an arithmetic expression is one, each function another; what nobody named and only one
// expression reads is part of that.
#pragma once

#include <vector>

#include "explain/trace.h"
#include "ir/textbook.h"

namespace bpc::explain {

// Ops that are shown as one step.
struct Cluster {
  std::vector<ir::OpId> ops;         // in order, those before it on which nothing else depends aside
  std::vector<ir::ValueId> results;  // what is read outside of it
  ir::OpId root;                     // makes the first of them
  std::size_t scope = 0;
};

// Values on the way from what a derivative is taken by to its y; without a derivative, all real values.
struct Graph {
  std::vector<bool> is_active;  // by value
  std::vector<Cluster> clusters;
  std::vector<std::size_t> cluster_of;  // by op; SIZE_MAX for what is not on the way
};

Graph make_graph(const Trace& trace);

// The scopes from the outermost to the one given, the top left out.
std::vector<std::size_t> path_to(const Trace& trace, std::size_t scope);

}  // namespace bpc::explain
