// What one step does to each of its inputs: its derivative, which the adjoint's own equations give, as a formula and in numbers.
#pragma once

#include <functional>
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
  std::optional<Formula> part;    // what it makes of what arrives; none where no formula says it
  std::optional<Formula> factor;  // where the part is a product with what arrives: the other factor
  runtime::Tensor factor_value;   // likewise
  runtime::Tensor part_value;
  std::size_t code = 0, at = 0;  // into LocalStep::codes, and into the parts there
};

// What formulas call a derivative that arrives, and its number. In reverse mode it is that of the step's result, in forward mode that of
// each input.
struct Arriving {
  bool is_forward = false;
  std::function<std::string(ir::ValueId)> name;
  std::function<runtime::Tensor(ir::ValueId)> value;  // no elements: zero
};

struct LocalStep {
  // The step's own derivative as code.
  struct Code {
    ir::Function function;
    std::vector<ir::ValueId> sources;  // for each parameter the value of the trace that it stands for; invalid: what arrives
    std::vector<ir::ValueId> parts;
  };
  // Numbers in place of what the formula reads.
  struct Numbers {
    Formula formula;                  // with the names "{0}", "{1}" … for the numbers
    std::vector<ir::ValueId> values;  // of the trace, by number
  };
  std::optional<Formula> formula;  // of the result
  std::optional<Numbers> numbers;  // where all that it reads are scalars
  std::vector<LocalDerivative> uses;
  std::vector<Code> codes;  // one for all uses, in forward mode one for each
};
// The formula with the numbers of the run.
Formula in_numbers(const Trace& trace, const LocalStep::Numbers& numbers);

// Of a cluster with one result. `real` is the program's default float.
LocalStep local_step(const Trace& trace, const Graph& graph, const Cluster& cluster, const Naming& names, Element real,
                     const Arriving& arriving);

// The derivatives of all elements of a result of some ops by one element of an input: how far that reaches.
runtime::Tensor reach(const Trace& trace, const Graph& graph, const std::vector<ir::OpId>& ops, ir::ValueId result, ir::ValueId input,
                      std::int64_t element);

}  // namespace bpc::explain
