#include "scalar/functions.h"

#include <cmath>
#include <numbers>
#include <span>

// Declared by POSIX, hidden by <cmath> in strict ISO mode.
extern "C" double lgamma_r(double x, int* sign);

namespace bpc::scalar {

namespace {

// The positive root of digamma, as a sum of two doubles.
constexpr double kRoot = 0x1.762d86356be3fp+0;
constexpr double kRootRest = 0x1.b86a722197829p-54;

// B2k / 2k for k = 1, 2, …: digamma(x) ~ log x - 1/(2x) - sum B2k / (2k x^2k).
constexpr double kDigammaSeries[] = {1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12};
// B2k / (2k)!.
constexpr double kZetaSeries[] = {1.0 / 12,
                                  -1.0 / 720,
                                  1.0 / 30240,
                                  -1.0 / 1209600,
                                  1.0 / 47900160,
                                  -691.0 / 1307674368000,
                                  1.0 / 74724249600,
                                  -3617.0 / 10670622842880000,
                                  43867.0 / 5109094217170944000};

bool is_whole(double x) {
  return x == std::floor(x);
}

// sum of c_k u^(k+1).
double series(std::span<const double> c, double u) {
  double sum = 0;
  for (std::size_t k = c.size(); k-- > 0;) sum = (sum + c[k]) * u;
  return sum;
}

// (p(u) - p(v)) / (u - v) for p(u) = sum of c_k u^(k+1), without cancellation: Horner's rule on the divided difference.
double series_slope(std::span<const double> c, double u, double v) {
  double slope = 0, value = 0;
  for (std::size_t k = c.size(); k-- > 0;) {
    slope = slope * v + (value + c[k]);
    value = (value + c[k]) * u;
  }
  return slope;
}

// For 0 < x < 10: digamma(x) - digamma(root), every term having the sign of x - root, so that nothing cancels near the root.
double digamma_from_root(double x) {
  constexpr int kShift = 10;
  const double h = (x - kRoot) - kRootRest;
  double sum = 0;
  for (int k = 0; k < kShift; ++k) sum += 1 / ((x + k) * (kRoot + k));
  const double a = x + kShift, b = kRoot + kShift;
  const double u = 1 / (a * a), v = 1 / (b * b);
  // log a - log b, then -(1/a - 1/b)/2, then the series at u minus that at v, where u - v = -h (a + b) u v.
  return h * sum + std::log1p(h / b) + h / (2 * a * b) + h * (a + b) * u * v * series_slope(kDigammaSeries, u, v);
}

double digamma(double x) {
  if (x <= 0) {
    if (x == 0) return -1 / x;
    if (is_whole(x)) return std::numeric_limits<double>::quiet_NaN();
    // Reflection; pi x is reduced before it is rounded.
    return digamma(1 - x) - std::numbers::pi / std::tan(std::numbers::pi * (x - std::nearbyint(x)));
  }
  if (x < 10) return digamma_from_root(x);
  return std::log(x) - 1 / (2 * x) - series(kDigammaSeries, 1 / (x * x));
}

// n! zeta(n + 1, a) for n >= 1, a > 0, by Euler and Maclaurin: terms of the sum until the series converges, then the series. Terms are
// relative to a^-(n+1), whose product with n! is taken last, so that neither over- nor underflows alone.
double scaled_zeta(std::int64_t n, double a) {
  const double s = static_cast<double>(n) + 1;
  double sum = 0, at = a, term = 1;  // term = (a / at)^s
  // From s + 10 on the series converges; with a below s the terms vanish long before.
  while (at < s + 10 && term > sum * 0x1p-56) {
    sum += term;
    at += 1;
    term = std::pow(at / a, -s);
  }
  if (at >= s + 10) {
    sum += term * (at / (s - 1) + 0.5);
    double factor = term * s / at;
    for (std::size_t k = 0; k < std::size(kZetaSeries); ++k) {
      sum += kZetaSeries[k] * factor;
      const double j = s + 2 * static_cast<double>(k);
      factor *= (j + 1) * (j + 2) / (at * at);
    }
  }
  if (n > 170) return sum * std::exp(log_gamma(s) - s * std::log(a));
  double scaled = sum / a;
  for (std::int64_t i = 1; i <= n; ++i) scaled *= static_cast<double>(i) / a;
  return scaled;
}

}  // namespace

double log_gamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

double gamma_derivative(std::int64_t n, double x) {
  if (n < 0 || std::isnan(x)) return std::numeric_limits<double>::quiet_NaN();
  if (n == 0) return digamma(x);
  const bool odd = n % 2 != 0;
  // (-1)^(n+1) n! sum over k >= 0 of (x + k)^-(n+1)
  if (x > 0) {
    if (std::isinf(x)) return odd ? 0.0 : -0.0;
    return odd ? scaled_zeta(n, x) : -scaled_zeta(n, x);
  }
  if (is_whole(x)) return odd ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  // The terms with x + k > 0 are a zeta function, those with x + k < 0 the difference of two.
  const double m = std::ceil(-x);
  const double above = scaled_zeta(n, x + m);
  const double below = scaled_zeta(n, -(x + (m - 1))) - scaled_zeta(n, 1 - x);
  return odd ? above + below : below - above;
}

}  // namespace bpc::scalar
