#include "tools/bpc/numeric_derivative.h"

namespace bpc::tool {

namespace {

// What the values at x, x ± h and x ± h/2 say.
struct Estimate {
  double central;  // extrapolated: error O(h^4)
  double spread;   // how far the extrapolation moved it, and the noise of rounding: an error estimate
  double jump;     // right minus left one-sided derivative, each extrapolated: O(h^2) where f is smooth
};

Estimate estimate(double left2, double left1, double middle, double right1, double right2, double h) {
  constexpr double kEpsilon = 2.2e-16;
  double wide = (right2 - left2) / (2 * h), narrow = (right1 - left1) / h;
  double right = 2 * (right1 - middle) / (h / 2) - (right2 - middle) / h;
  double left = 2 * (middle - left1) / (h / 2) - (middle - left2) / h;
  double noise = kEpsilon * std::max({std::abs(left2), std::abs(middle), std::abs(right2)}) / h;
  return {(4 * narrow - wide) / 3, std::abs(narrow - wide) / 3 + noise, right - left};
}

}  // namespace

std::optional<NumericDerivative> differentiate(const std::function<std::optional<double>(double)>& f, double x) {
  std::optional<double> middle = f(x);
  if (!middle) return std::nullopt;
  constexpr int kSteps = 6;
  constexpr double kShrink = 10;
  double h = 1e-3 * std::max(1.0, std::abs(x));
  std::optional<Estimate> best;
  double least_jump = INFINITY;
  for (int step = 0; step < kSteps; ++step, h /= kShrink) {
    // The nearest representable points, so that the step is exact.
    double half = (x + h / 2) - x, whole = 2 * half;
    auto left2 = f(x - whole), left1 = f(x - half), right1 = f(x + half), right2 = f(x + whole);
    if (!left2 || !left1 || !right1 || !right2) return std::nullopt;
    Estimate now = estimate(*left2, *left1, *middle, *right1, *right2, whole);
    double scale = std::max(1.0, std::abs(now.central));
    double jump = std::abs(now.jump) / scale;
    least_jump = std::min(least_jump, std::isnan(jump) ? INFINITY : jump);
    if (!best || now.spread < best->spread || std::isnan(best->spread)) best = now;
    // Smooth on this scale: the extrapolation is good to the fourth order, so its error is far below the spread.
    if (now.spread <= 1e-8 * scale && jump <= 1e-3) return NumericDerivative{now.central, false, now.spread};
  }
  return NumericDerivative{best->central, least_jump > 1e-3, best->spread};
}

}  // namespace bpc::tool
