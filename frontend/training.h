// What a script says of its training: the `train` block, with what the command line puts in its place.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "frontend/builtins/settings.h"
#include "ir/function.h"

namespace bpc::frontend {

struct Patience {
  std::int64_t epochs;
  std::string on;  // "validation loss", "loss", or a metric's name, with "validation " before it or not
};

// A call of a loss at the top of a script: what it compares, as values of `main`.
struct Comparison {
  std::string function;  // "cross_entropy", "mse", …
  ir::ValueId output, target;
};

// Which rows are kept apart to judge by.
struct Validation {
  double share = 0;   // of the rows, drawn at random; or, where not all is empty:
  std::string file;   // another file, its path resolved, that has the columns of the inputs
  std::string input;  // an input of this name: the rows where it is true, or not 0, or this value
  std::optional<std::variant<std::int64_t, std::string>> value;  // a number, or a text of its column

  bool is_any() const { return share > 0 || !file.empty() || !input.empty(); }
};

struct Training {
  std::string optimizer, schedule;  // as they are written, or what is used where nothing is
  std::optional<std::int64_t> epochs, steps, batch;
  bool shuffle = true;
  Validation validation;
  std::vector<std::string> metrics;
  std::optional<Patience> stop;
  std::set<Setting> given;              // what the script or the command line says
  std::vector<Comparison> comparisons;  // in the order of the calls

  // The free dim that counts rows, the first axis of inputs; empty where there is none, and each step uses all.
  std::string rows;
  bool counts_rows(const Type& type) const { return !rows.empty() && type.rank() > 0 && type.dims[0].name.text == rows; }
  std::string rows_elsewhere;  // why there is none: what else has the size of that dim
};

// The parameters of a training step besides the script's, whose paths no param can have: the rows of an epoch in their order, where in it
// the batch begins, and the number of the step, from 1. What the rule keeps of a param is called "path/name".
inline constexpr const char* kOrder = "/order";
inline constexpr const char* kAt = "/at";
inline constexpr const char* kStep = "/step";
inline constexpr const char* kAverage = "average";
// Of half a step: the gradient of a param, by its path behind this.
inline constexpr const char* kGradient = "/gradient/";
// Whose share begins so many rows behind the batch.
inline constexpr const char* kFirst = "/first";

}  // namespace bpc::frontend
