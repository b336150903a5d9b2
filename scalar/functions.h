// What the scalar operators mean: each is the function of its name, for every element type that it takes. Arithmetic on literals, the
// folding of constants and the interpreter call these; compiled code calls them as well, or emits instructions that give the same.
//
// f64 is computed in double. f32: + - * / sqrt, the roundings and comparisons in float; every transcendental function in double and
// rounded once. Integers wrap around on overflow. Comparisons are IEEE's, so a NaN compares false with everything (and `ne` true).
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace bpc::scalar {

template <class T>
concept Real = std::floating_point<T>;
template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;
template <class T>
concept Number = Real<T> || Integer<T>;

// log |Gamma(x)|, safe to call from several threads (unlike std::lgamma, which writes a global).
double log_gamma(double x);

// The derivative of order n (0: digamma, 1: trigamma) of digamma at x, rounded once from Boost.Math's in long double; beyond order 10,000
// with a relative error of 1e-4. At the poles 0, -1, -2 …: infinity for odd n; for digamma -infinity at 0 and NaN elsewhere; NaN for other
// even n. NaN for negative n.
double gamma_derivative(std::int64_t n, double x);

// The Bessel functions J_n and I_n, and the inverse of erf, rounded once from Boost.Math's in long double. NaN for negative n and
// beyond 10,000; I_n(x) is infinite where it is out of range; the inverse of erf at -1 and 1 is infinite, and NaN beyond.
double bessel(std::int64_t n, double x);
double modified_bessel(std::int64_t n, double x);
double inverse_erf(double y);

// f after rounding its arguments up to double and its result back.
template <class F, Real T, std::same_as<T>... Rest>
T through_double(F f, T x, Rest... rest) {
  return static_cast<T>(f(static_cast<double>(x), static_cast<double>(rest)...));
}

// Two's complement arithmetic that wraps around.
template <Integer T, class F>
T wrapped(F f, T a, T b) {
  using U = std::make_unsigned_t<T>;
  return static_cast<T>(f(static_cast<U>(a), static_cast<U>(b)));
}

// ---- those of scalar/elementary.h, in double and rounded once; of f32, those of scalar/elementary_f32.h, or of elementary_narrow.h ----

#define BPC_FUNCTION_elementary(id, operands)   \
  double id##_f64(BPC_EACH_##operands(double)); \
  float id##_f32(BPC_EACH_##operands(float));   \
  template <Real T, std::same_as<T>... Rest>    \
    requires(1 + sizeof...(Rest) == operands)   \
  T id(T x, Rest... rest) {                     \
    if constexpr (std::same_as<T, float>)       \
      return id##_f32(x, rest...);              \
    else                                        \
      return id##_f64(x, rest...);              \
  }
#define BPC_FUNCTION_narrow(id, operands) BPC_FUNCTION_elementary(id, operands)
#define BPC_EACH_1(T) T
#define BPC_EACH_2(T) T, T
#define BPC_FUNCTION_call(id, operands)
#define BPC_FUNCTION_ordered(id, operands)
#define BPC_FUNCTION_emit(id, operands)
#define BPC_FUNCTION_mixed(id, operands)
#define BPC_SCALAR(id, spelling, operands, rule, domain, derivative, traits, code, ...) BPC_FUNCTION_##code(id, operands)
#include "scalar/operators.def"
// Of the reals: mod(a, b) with the sign of b, exact but for one rounding when the signs differ; NaN for b = 0 or infinite a. And the floor
// of the exact quotient, so that a = b*(a // b) + a % b up to rounding: 1 // 0.1 is 9, since the double 0.1 is above 1/10; a / b for b = 0.
BPC_FUNCTION_narrow(mod, 2) BPC_FUNCTION_narrow(floordiv, 2)
#undef BPC_EACH_1
#undef BPC_EACH_2
#undef BPC_FUNCTION_elementary
#undef BPC_FUNCTION_narrow
#undef BPC_FUNCTION_call
#undef BPC_FUNCTION_ordered
#undef BPC_FUNCTION_emit
#undef BPC_FUNCTION_mixed

    // Of the reals, where the exponent is none of those below.
    double pow_f64(double a, double b);
float pow_f32(float a, float b);

// ---- one operand ----

template <Real T>
T neg(T x) {
  return -x;
}
template <Integer T>
T neg(T x) {
  return wrapped([](auto a, auto b) { return a - b; }, T{0}, x);
}
template <Real T>
T abs(T x) {
  return std::fabs(x);
}
template <Integer T>
T abs(T x) {
  return x < 0 ? neg(x) : x;
}
// NaN for NaN.
template <Number T>
T sign(T x) {
  return x > 0 ? T{1} : x < 0 ? T(-1) : x == 0 ? T{0} : x;
}
template <Real T>
T sqrt(T x) {
  return std::sqrt(x);
}
template <Real T>
T lgamma(T x) {
  return through_double(log_gamma, x);
}
template <Integer N, Real T>
T polygamma(N n, T x) {
  return through_double([n](double v) { return gamma_derivative(n, v); }, x);
}
template <Integer N, Real T>
T bessel_j(N n, T x) {
  return through_double([n](double v) { return bessel(n, v); }, x);
}
template <Integer N, Real T>
T bessel_i(N n, T x) {
  return through_double([n](double v) { return modified_bessel(n, v); }, x);
}
template <Real T>
T erfinv(T x) {
  return through_double(inverse_erf, x);
}
template <Real T>
T trunc(T x) {
  return std::trunc(x);
}
template <Real T>
T floor(T x) {
  return std::floor(x);
}
template <Real T>
T ceil(T x) {
  return std::ceil(x);
}
// Ties to even (the rounding mode is never changed).
template <Real T>
T round(T x) {
  return std::nearbyint(x);
}
// +0 for -0; NaN for NaN.
template <Number T>
T relu(T x) {
  return x <= 0 ? T{0} : x;
}
// 0 for NaN.
template <Number T>
T step(T x) {
  return x > 0 ? T{1} : T{0};
}
template <std::same_as<bool> T>
bool logical_not(T x) {
  return !x;
}
template <class T>
T stop_grad(T x) {
  return x;
}
template <class T>
T variable(T x) {
  return x;
}

// To a real: rounded to nearest. Real to integer: truncated, saturating, NaN gives 0 (as LLVM's fptosi.sat). Integer to integer: wraps.
// To bool: whether x is not 0 (true for NaN).
template <class To, class From>
To cast(From x) {
  if constexpr (std::same_as<To, bool>) {
    return x != 0;
  } else if constexpr (Real<From> && Integer<To>) {
    using Limits = std::numeric_limits<To>;
    if (!(x == x)) return 0;
    // -min is a power of two and so exact in From; max may not be.
    if (x < static_cast<From>(Limits::min())) return Limits::min();
    if (x >= -static_cast<From>(Limits::min())) return Limits::max();
    return static_cast<To>(x);
  } else {
    return static_cast<To>(x);
  }
}

// ---- two operands ----

template <Real T>
T add(T a, T b) {
  return a + b;
}
template <Integer T>
T add(T a, T b) {
  return wrapped([](auto x, auto y) { return x + y; }, a, b);
}
template <Real T>
T sub(T a, T b) {
  return a - b;
}
template <Integer T>
T sub(T a, T b) {
  return wrapped([](auto x, auto y) { return x - y; }, a, b);
}
template <Real T>
T mul(T a, T b) {
  return a * b;
}
template <Integer T>
T mul(T a, T b) {
  return wrapped([](auto x, auto y) { return x * y; }, a, b);
}
template <Real T>
T div(T a, T b) {
  return a / b;
}
// 0 where a is 0, whatever b is.
template <Real T>
T strong_mul(T a, T b) {
  return a == 0 ? T{0} : a * b;
}

// b must not be 0: callers check (E0403).
template <Integer T>
T mod(T a, T b) {
  if (b == -1) return 0;  // the minimum % -1 would trap
  const T r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
// b must not be 0: callers check (E0403).
template <Integer T>
T floordiv(T a, T b) {
  if (b == -1) return neg(a);
  const T q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

// IEEE's pow: 0^0 = 1, NaN^0 = 1, a negative base to a whole number is exact in sign; NaN for a negative base to a fraction. The exponents
// -1, 1, 2 and 3 are quotients and products, so that they are the same where a compiler knows them.
template <Real T>
T pow(T a, T b) {
  if (b == -1) return 1 / a;
  if (b == 1) return a;
  if (b == 2) return a * a;
  if (b == 3) return a * a * a;
  if constexpr (std::same_as<T, float>)
    return pow_f32(a, b);
  else
    return pow_f64(a, b);
}
// By squaring. A negative exponent gives the reciprocal truncated to an integer: 0 except for the bases 1 and -1.
template <Integer T>
T pow(T a, T b) {
  if (b < 0) return a == 1 ? T{1} : a == -1 ? (b % 2 == 0 ? T{1} : T(-1)) : T{0};
  T result = 1;
  for (T n = b; n > 0; n /= 2, a = mul(a, a))
    if (n % 2 == 1) result = mul(result, a);
  return result;
}

// NaN when either is NaN; +0 is above -0 (IEEE 754-2019 maximum and minimum).
template <Real T>
T maximum(T a, T b) {
  if (a != a) return a;
  if (b != b) return b;
  if (a == b) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}
template <Real T>
T minimum(T a, T b) {
  if (a != a) return a;
  if (b != b) return b;
  if (a == b) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}
template <Integer T>
T maximum(T a, T b) {
  return a > b ? a : b;
}
template <Integer T>
T minimum(T a, T b) {
  return a < b ? a : b;
}

template <Number T>
bool lt(T a, T b) {
  return a < b;
}
template <Number T>
bool le(T a, T b) {
  return a <= b;
}
template <Number T>
bool gt(T a, T b) {
  return a > b;
}
template <Number T>
bool ge(T a, T b) {
  return a >= b;
}
template <class T>
bool eq(T a, T b) {
  return a == b;
}
template <class T>
bool ne(T a, T b) {
  return a != b;
}
template <std::same_as<bool> T>
bool logical_and(T a, T b) {
  return a && b;
}
template <std::same_as<bool> T>
bool logical_or(T a, T b) {
  return a || b;
}

// ---- three operands ----

template <class T>
T select(bool c, T a, T b) {
  return c ? a : b;
}

}  // namespace bpc::scalar
