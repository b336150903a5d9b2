// Derivatives against central differences: of the loss, and of every derivative in the program, wherever it stands.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/bpc/driver.h"

namespace bpc::tool {

enum class Verdict : std::uint8_t {
  ok,
  kink,       // the one-sided derivatives differ, and this is between them
  uncertain,  // differences cannot tell: their error is as large as what they differ by, or they are not finite
  custom,     // differs, by an author's `adjoint` or `stop_grad`
  wrong,
};

// One row of the table: the worst element of a derivative among those with this verdict.
struct GradientRow {
  std::string name;  // "w1", "W[0, 3]"; for a derivative in the program "g = dJ/dw1"
  double value = 0, backprop = 0, numeric = 0;
  double error = 0;        // |backprop - numeric| / max(1, |backprop|, |numeric|)
  double uncertainty = 0;  // of numeric, as estimated
  Verdict verdict = Verdict::ok;
  std::int64_t elements = 0;  // that have this verdict
};

struct GradientReport {
  std::vector<GradientRow> rows;
  std::int64_t elements = 0, compared = 0;              // of many elements a fixed sample is compared
  std::int64_t backprop_runs = 0, difference_runs = 0;  // evaluations
  double backprop_seconds = 0, difference_seconds = 0;
  std::int64_t skipped = 0;  // derivatives that did not run, or read a tape that a loop carries
};

// Central differences with Richardson extrapolation (numeric_derivative.h) of y as a function of x alone, from where the derivative stands,
// at each of a sample of the times it runs. A derivative is right when its error is at most kGradientTolerance, and wrong when differences
// with two first steps both say so beyond their own errors. The script must have been lowered with --real=f64. Nullopt after a failure of
// the run.
inline constexpr double kGradientTolerance = 1e-7;
std::optional<GradientReport> check_gradients(Session& session, const Script& script);

}  // namespace bpc::tool
