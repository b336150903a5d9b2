// A script whose params were learned, lowered to compute some of its values, from no more data than these need.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "frontend/training.h"
#include "tools/bpc/driver.h"

namespace bpc::tool {

// What an output's codes stand for, and the entries of its last axis, where they are classes.
struct OutputNames {
  runtime::Categories codes, last_axis;
};

struct Trained {
  Script script;  // of `main`, what gives the wanted values; without the inputs that these do not need
  frontend::Training training;
  std::map<std::string, OutputNames> names;  // of each output of `main`
};

// Where an evaluation compares scores with labels, or with 0 and 1: these are outputs beside the loss and the metrics.
inline constexpr const char* kScores = "/scores";
inline constexpr const char* kLabels = "/labels";

// What may be asked of a script. Sizes that only data can tell are stand-ins.
struct Sketch {
  const ir::Module& module;
  const frontend::Training& training;
  // Whether an output can be had: the inputs that it needs have values.
  std::function<bool(const ir::Output&)> is_there;
};
// The outputs that are wanted, by name; nullopt after an error.
using Choose = std::function<std::optional<std::vector<std::string>>(const Sketch& sketch)>;

// The script of the command with `--params`, or with what a training has left beside it. E0513 where a param that is needed has no learned
// value; what is wrong with the data is said of inputs that are needed alone.
std::optional<Trained> lower_trained(Session& session, frontend::Entry entry, const Choose& choose);

// The command line with the file of params that it means, and, unless it says another, the precision in which they were learned.
Options with_params(const Options& options);

// Runs `main`; the outputs in its order. nullopt when it failed.
std::optional<std::vector<runtime::Tensor>> run_trained(Session& session, Trained& trained);

}  // namespace bpc::tool
