// Gradients against central differences, for the loss and for every top-level `grad(...)`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/bpc/driver.h"

namespace bpc::tool {

enum class Verdict : std::uint8_t { ok, kink, custom, wrong };  // custom: an author's `adjoint` says otherwise

// One row of the table: the worst element of a tensor among those with this verdict.
struct GradientRow {
  std::string name;  // "w1", "W[0, 3]"; for a top-level grad "g: w1"
  double value = 0, backprop = 0, numeric = 0;
  double error = 0;  // |backprop - numeric| / max(1, |backprop|, |numeric|)
  Verdict verdict = Verdict::ok;
  std::int64_t elements = 0;  // that have this verdict
};

struct GradientReport {
  std::vector<GradientRow> rows;
  std::int64_t elements = 0, compared = 0;              // of large tensors a fixed sample is compared
  std::int64_t backprop_runs = 0, difference_runs = 0;  // evaluations
  double backprop_seconds = 0, difference_seconds = 0;
  std::int64_t skipped = 0;  // `grad(...)` inside loops and branches
};

// Central differences with Richardson extrapolation (error O(h^4)), step h = 1e-3 max(1, |x|), smaller where the function is not smooth
// within it; an element whose one-sided differences keep disagreeing as h shrinks is a kink. A gradient is right when its error is at most
// kGradientTolerance. The script must have been lowered with --real=f64. Nullopt after a failure of a run.
inline constexpr double kGradientTolerance = 1e-7;
std::optional<GradientReport> check_gradients(Session& session, const Script& script);

}  // namespace bpc::tool
