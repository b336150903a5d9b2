// One element of a param on its way to y: which elements of the next value it moves, how much, and what arrives there.
#pragma once

#include <functional>
#include <vector>

#include "explain/explanation.h"
#include "explain/local.h"

namespace bpc::explain {

struct ElementFollower {
  struct StepOps {
    std::vector<ir::OpId> ops;
    std::vector<ir::ValueId> results, inputs;
  };

  const Trace& trace;
  const Graph& graph;
  const Naming& names;
  std::function<runtime::Tensor(ir::ValueId)> cotangent;
  std::vector<StepOps> steps;  // as they are shown

  // From the element of x on, always to where the largest part of its derivative goes.
  std::vector<ElementStep> follow(ir::ValueId x, std::vector<std::int64_t> index) const;
};

// "W[3, 7]"; a scalar is its name.
std::string element_name(const std::string& name, const Type& type, std::int64_t at);

}  // namespace bpc::explain
