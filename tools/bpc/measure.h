// What `bpc bench` measures: a script's value, and its value with its gradients.
#pragma once

#include <optional>
#include <vector>

#include "backend/interpreter/count.h"
#include "tools/bpc/driver.h"

namespace bpc::tool {

// A program to measure and what it is fed.
struct Subject {
  ir::Module module;
  std::vector<runtime::Tensor> arguments;

  const ir::Function& main() const { return module.main; }
};

// The loss alone (every value, in a script without one); and the loss with its gradients, if it has any. Printing is left out.
struct Subjects {
  Subject value;
  std::optional<Subject> gradient;
};
std::optional<Subjects> find_subjects(Session& session, const Script& script);

struct Timing {
  std::size_t repeats;
  double median, fastest;  // seconds of one run
  double spread;           // between the quartiles, as a share of the median
  double cpu;              // the median of what all threads took together, in seconds of one run
  double compiling;        // seconds
  runtime::Costs costs;
};
// Runs the subjects in turn, so that whatever else the machine does meets both: a Timing for each. nullopt when a run failed.
std::optional<std::vector<Timing>> measure_time(Session& session, const std::vector<const Subject*>& subjects);

// What each step of the subject's compiled code takes, and one run of all, in seconds. nullopt when a run failed.
struct Profile {
  double run = 0;
  std::size_t repeats = 0;
  std::vector<runtime::StepReport> steps;  // of all these runs
};
std::optional<Profile> measure_profile(Session& session, const Subject& subject);

struct Work {
  backend::OperationCount operations;
  std::size_t peak_bytes;  // of tensors and tapes, beyond the arguments
};
std::optional<Work> measure_work(Session& session, const Subject& subject);

}  // namespace bpc::tool
