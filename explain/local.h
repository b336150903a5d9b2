// What one step does to each of its inputs: its derivative, which the adjoint's own equations give, as a formula and in numbers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "explain/formula.h"
#include "explain/graph.h"

namespace bpc::explain {

// By value of the trace: what formulas call it.
using Naming = std::map<ir::ValueId, std::string>;

// One place where a step reads an input.
struct LocalDerivative {
  ir::ValueId to;
  std::optional<Formula> part;    // of the input's cotangent, made of what arrives; none where no formula says it
  std::optional<Formula> factor;  // where the part is a product with what arrives: the other factor
  runtime::Tensor factor_value;   // likewise
  runtime::Tensor part_value;
};

struct LocalStep {
  std::optional<Formula> formula;  // of the result
  std::optional<Formula> numbers;  // the same with numbers in place of what it reads; where these are scalars
  std::vector<LocalDerivative> uses;
};

// Of a cluster with one result. `arriving`: what formulas call the cotangent of its result, whose value is `cotangent`. `real` is the
// program's default float.
LocalStep local_step(const Trace& trace, const Graph& graph, const Cluster& cluster, const Naming& names, Element real,
                     const std::string& arriving, const runtime::Tensor& cotangent);

// The derivatives of all elements of a result of some ops by one element of an input: how far that reaches.
runtime::Tensor reach(const Trace& trace, const Graph& graph, const std::vector<ir::OpId>& ops, ir::ValueId result, ir::ValueId input,
                      std::int64_t element);

}  // namespace bpc::explain
