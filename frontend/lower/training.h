// Training: what `train` says, the rows that a step uses, and the step itself (training_step.cpp).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "frontend/lower/calls.h"
#include "frontend/lower/context.h"

namespace bpc::frontend::lowering {

// A function that a setting names, and the arguments that it gives.
struct SettingCall {
  Callable function;
  std::vector<Given> arguments;  // by name
  Span span;
};

// Whether a pattern of paths, such as "embed.*", is of that path.
bool matches_path(const std::string& pattern, const std::string& path);

struct Settings {
  std::optional<SettingCall> optimizer, schedule;  // none: of no use, which has been reported
  std::optional<double> clip, decay, average;
  std::vector<std::string> freeze, decay_on;  // patterns
  std::vector<std::pair<std::string, Item>> metrics;
  bool decays_weights = true;  // decay_on says nothing else
  Span decay_span;
};

// What the script and the flags say. Enters into `training` what the trainer wants to know. E0113.
Settings read_settings(Context& c, Training& training);

// ---- rows ----

// Finds the dim without a size of its own that is the first axis of inputs (N, where there are several), and the size of nothing else.
void find_rows(Context& c, Training& training);
// Whether the first axis of a type is the dim of LowerOptions::rows.
bool counts_rows(Context& c, const TypeExpr& type);
// Of all rows of an input those that this run uses, as a value of the type that the input is declared with.
std::optional<Item> chosen_rows(Context& c, ir::ValueId all, const Type& chosen, Span span);

// ---- entries ----

// The outputs of `main`: the loss and the metrics; and in a step the new params, and what the rule keeps, each in the memory of the old
// one; or one half of these.
void add_training_outputs(Context& c, const Settings& settings);
// What goes wrong in a step is said where the script is run or checked, too.
void check_step(Context& c, const Settings& settings);

}  // namespace bpc::frontend::lowering
