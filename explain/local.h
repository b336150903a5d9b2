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
  // The step's own derivative as code.
  struct Code {
    ir::Function function;
    std::vector<ir::ValueId> sources;  // for each parameter the value of the trace that it stands for; invalid: what arrives
    std::vector<ir::ValueId> parts;    // for each of `uses`
  };
  // Numbers in place of what the formula reads.
  struct Numbers {
    Formula formula;                  // with the names "{0}", "{1}" … for the numbers
    std::vector<ir::ValueId> values;  // of the trace, by number
  };
  std::optional<Formula> formula;  // of the result
  std::optional<Numbers> numbers;  // where all that it reads are scalars
  std::vector<LocalDerivative> uses;
  std::optional<Code> code;  // where there are uses
};
// The formula with the numbers of the run.
Formula in_numbers(const Trace& trace, const LocalStep::Numbers& numbers);

// Of a cluster with one result. `arriving`: what formulas call the cotangent of its result, whose value is `cotangent`. `real` is the
// program's default float.
LocalStep local_step(const Trace& trace, const Graph& graph, const Cluster& cluster, const Naming& names, Element real,
                     const std::string& arriving, const runtime::Tensor& cotangent);

// The derivatives of all elements of a result of some ops by one element of an input: how far that reaches.
runtime::Tensor reach(const Trace& trace, const Graph& graph, const std::vector<ir::OpId>& ops, ir::ValueId result, ir::ValueId input,
                      std::int64_t element);

}  // namespace bpc::explain
