// What steps take: operations, and bytes of memory, counted. What times are set against (runtime/executable.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backend/plan/plan.h"

namespace bpc::plan {

// Whether the step is one that takes time by itself: a kernel, rows, a contraction, a call of the library, a draw.
bool takes_time(const Step& step);

struct StepCost {
  std::string what;             // "contraction m 64 n 512 k 784"
  std::vector<PlaceId> places;  // of the ops that it computes, each once
  double operations = 0;        // a function such as exp is one, a product that is added two; of the library: 0
  double bytes = 0;             // that it reads and writes, each element once for each form of index
};
// One for each step that takes time, as for_each_step finds them.
std::vector<StepCost> step_costs(const Plan& plan);

// Of a whole run, scalars included; none where only a run can tell how many turns a loop has, or which side of an `if` is taken.
std::optional<double> operations(const Plan& plan);

}  // namespace bpc::plan
