// What the reverse sweep has added to cotangents, by the steps that it came from.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "explain/graph.h"
#include "explain/trace.h"

namespace bpc::explain {

// Parts of one cotangent, and what they add up to: no elements where there are none.
struct SweptParts {
  std::vector<const ir::ReverseSweep::Part*> of;
  runtime::Tensor sum;
};

class Swept {
 public:
  Swept(const Trace& trace, const Graph& graph);

  // What some clusters have added to the cotangent of a value.
  SweptParts parts_to(ir::ValueId value, const std::vector<std::size_t>& clusters) const;

 private:
  std::map<std::pair<std::size_t, ir::ValueId>, SweptParts> parts_;  // by cluster and what it goes to
};

}  // namespace bpc::explain
