#include "tools/bpc/numeric_derivative.h"

#include <vector>

namespace bpc::tool {

namespace {

// What the values at x, x ± h and x ± h/2 say.
struct Estimate {
  double central;      // extrapolated: error O(h^4)
  double spread;       // how far the extrapolation moved it, and the noise of rounding: an error estimate
  double left, right;  // one-sided derivatives, each extrapolated: they differ by O(h^2) where f is smooth
  double noise;        // of the derivatives, by rounding
};

Estimate estimate(double left2, double left1, double middle, double right1, double right2, double x, double h, double epsilon) {
  double wide = (right2 - left2) / (2 * h), narrow = (right1 - left1) / h;
  double right = 2 * (right1 - middle) / (h / 2) - (right2 - middle) / h;
  double left = 2 * (middle - left1) / (h / 2) - (middle - left2) / h;
  // x is rounded to the same precision, too, where it is rounded at all.
  double size = std::max({std::abs(left2), std::abs(middle), std::abs(right2), std::abs(x * narrow)});
  double noise = epsilon * size / h;
  return {(4 * narrow - wide) / 3, std::abs(narrow - wide) / 3 + noise, left, right, noise};
}

// The estimate that agrees best with itself. Its error is at least what it differs by from that of a neighbouring step: where the function
// varies more quickly than the steps, an estimate agrees with itself by chance only.
NumericDerivative best_of(const std::vector<Estimate>& estimates, bool kink) {
  auto spread = [](const Estimate& estimate) { return estimate.spread / std::max(1.0, std::abs(estimate.central)); };
  std::size_t best = 0;
  for (std::size_t i = 1; i < estimates.size(); ++i)
    if (spread(estimates[i]) < spread(estimates[best]) || std::isnan(spread(estimates[best]))) best = i;
  double nearest = INFINITY;
  for (std::size_t i = best == 0 ? 1 : best - 1; i < estimates.size() && i <= best + 1; i += 2)
    nearest = std::fmin(nearest, std::abs(estimates[i].central - estimates[best].central));
  return {estimates[best].central, kink, std::max(nearest, estimates[best].spread), estimates[best].left, estimates[best].right};
}

}  // namespace

std::optional<NumericDerivative> differentiate(const std::function<std::optional<double>(double)>& f, double x, double epsilon,
                                               double first) {
  std::optional<double> middle = f(x);
  if (!middle) return std::nullopt;
  constexpr int kSteps = 9;
  constexpr double kShrink = 10;
  // One-sided derivatives that differ by more, at every step, are those of a kink: what rounding hides is no larger.
  const double most_jump = epsilon < 1e-10 ? 1e-6 : 1e-3;
  double h = first * std::max(1.0, std::abs(x));
  std::vector<Estimate> estimates;
  double least_jump = INFINITY;
  for (int step = 0; step < kSteps; ++step, h /= kShrink) {
    // The nearest representable points, so that the step is exact.
    double half = (x + h / 2) - x, whole = 2 * half;
    auto left2 = f(x - whole), left1 = f(x - half), right1 = f(x + half), right2 = f(x + whole);
    if (!left2 || !left1 || !right1 || !right2) return std::nullopt;
    Estimate now = estimate(*left2, *left1, *middle, *right1, *right2, x, whole, epsilon);
    double scale = std::max(1.0, std::abs(now.central));
    double noise = 20 * now.noise / scale;
    double jump = std::max(0.0, std::abs(now.right - now.left) / scale - noise);
    if (!std::isnan(jump) && (step == 0 || noise <= most_jump)) least_jump = std::min(least_jump, jump);
    estimates.push_back(now);
    // Smooth on this scale: the extrapolation is good to the fourth order, so its error is far below the spread.
    if (now.spread <= 1e-8 * scale && jump <= most_jump) return NumericDerivative{now.central, false, now.spread, now.left, now.right};
  }
  return best_of(estimates, least_jump > most_jump);
}

}  // namespace bpc::tool
