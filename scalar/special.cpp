#include <boost/math/special_functions/bessel.hpp>
#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/special_functions/polygamma.hpp>
#include <cmath>
#include <limits>

#include "scalar/functions.h"

// Declared by POSIX, hidden by <cmath> in strict ISO mode.
extern "C" double lgamma_r(double x, int* sign);

namespace bpc::scalar {

namespace {

// Computed in long double and rounded once. Nothing throws or sets errno: overflow gives infinity.
using Policy = boost::math::policies::policy<boost::math::policies::domain_error<boost::math::policies::ignore_error>,
                                             boost::math::policies::pole_error<boost::math::policies::ignore_error>,
                                             boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
                                             boost::math::policies::evaluation_error<boost::math::policies::ignore_error>,
                                             boost::math::policies::promote_double<true>>;

// Boost's time grows with the order. Beyond this one the sum over k >= 0 of n! / (x + k)^(n + 1) is that of a geometric series, (x / (x +
// k))^n being exp(-k n / x).
constexpr std::int64_t kLargeOrder = 10'000;

bool is_whole(double x) {
  return x == std::floor(x);
}

}  // namespace

double log_gamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

double gamma_derivative(std::int64_t n, double x) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();
  if (n < 0 || std::isnan(x)) return kNan;
  const bool odd = n % 2 != 0;
  if (x <= 0 && is_whole(x)) return n == 0 ? (x == 0 ? -1 / x : kNan) : odd ? kInfinity : kNan;  // a pole
  if (x == kInfinity) return n == 0 ? kInfinity : odd ? 0.0 : -0.0;
  if (n == 0) return boost::math::digamma(x, Policy());
  const double order = static_cast<double>(n), nearest = x > 0 ? x : x - std::nearbyint(x);  // from a pole
  if (x < 0 && !odd && std::abs(nearest) == 0.5) return gamma_derivative(n, 1 - x);          // what is between cancels
  const double sign = odd || nearest < 0 ? 1 : -1;                                           // of the term of that pole
  // n! / nearest^(n + 1), all that there is to say where it overflows, and Boost gives infinities of another sign, or NaN.
  const double log_size = log_gamma(order + 1) - (order + 1) * std::log(std::abs(nearest));
  if (log_size > 800) return sign * kInfinity;
  if (n > kLargeOrder) return sign * std::exp(log_size) / -std::expm1(-order / x);
  return boost::math::polygamma(static_cast<int>(n), x, Policy());
}

double inverse_erf(double y) {
  if (std::abs(y) >= 1) return std::abs(y) == 1 ? std::copysign(std::numeric_limits<double>::infinity(), y) : std::nan("");
  return y == 0 || std::isnan(y) ? y : boost::math::erf_inv(y, Policy());
}

double bessel(std::int64_t n, double x) {
  if (n < 0 || n > kLargeOrder || std::isnan(x)) return std::nan("");
  return std::isinf(x) ? 0 : boost::math::cyl_bessel_j(static_cast<int>(n), x, Policy());
}
double modified_bessel(std::int64_t n, double x) {
  if (n < 0 || n > kLargeOrder || std::isnan(x)) return std::nan("");
  if (std::isinf(x)) return n % 2 == 0 ? std::abs(x) : x;
  return boost::math::cyl_bessel_i(static_cast<int>(n), x, Policy());
}

}  // namespace bpc::scalar
