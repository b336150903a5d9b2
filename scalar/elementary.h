// The elementary functions, of doubles, each written once for whoever computes them: F is `double`, or what stands for one in code that is
// being written (backend/llvm/elementary.h), so that both give the same bits. No function branches or calls another library, so that a loop
// over one of them is a loop over vectors.
//
// What F has: + - * /, comparisons that give what `select` takes, and the functions of namespace `real` below. The error stands beside each
// function, in units in the last place; tests/accuracy measures it. Polynomials are Sollya's fpminimax, with the relative error given
// there.
//
// Sources: Tang, Table-driven implementation of the exponential function (1989), for the reduction of exp; Sun's fdlibm, for that of log
// and log1p; Muller, Elementary Functions (3rd ed., 2016), chapters 11 and 13.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace bpc::scalar {

// What elementary functions need of a number; a type of another room brings its own.
namespace real {

inline double fma(double a, double b, double c) {
  return std::fma(a, b, c);
}
inline double fabs(double x) {
  return std::fabs(x);
}
inline double sqrt(double x) {
  return std::sqrt(x);
}
inline double trunc(double x) {
  return std::trunc(x);
}
inline double copysign(double x, double sign) {
  return std::copysign(x, sign);
}
inline double select(bool condition, double a, double b) {
  return condition ? a : b;
}
inline std::uint64_t bits(double x) {
  return std::bit_cast<std::uint64_t>(x);
}
inline double from_bits(std::uint64_t x) {
  return std::bit_cast<double>(x);
}

// What a function is where its formula does not reach: the C library's, which is as accurate.
template <class... Operands>
struct Far {
  double (*function)(Operands...);
  const char* name;
};
// All of them, with how many operands each has: compiled code calls them through runtime/c_abi.cpp.
#define BPC_FAR(X) X(sin, 1) X(cos, 1) X(tan, 1) X(fmod, 2)
namespace far {
#define BPC_FAR_1(name) inline constexpr Far<double> name{static_cast<double (*)(double)>(std::name), #name};
#define BPC_FAR_2(name) inline constexpr Far<double, double> name{static_cast<double (*)(double, double)>(std::name), #name};
#define BPC_FAR_FUNCTION(name, operands) BPC_FAR_##operands(name)
BPC_FAR(BPC_FAR_FUNCTION)
#undef BPC_FAR_FUNCTION
#undef BPC_FAR_1
#undef BPC_FAR_2
}  // namespace far
// `near` where |measure| < limit, which no NaN is.
template <class... Operands>
double reaching(double measure, double limit, double near, Far<Operands...> far, Operands... operands) {
  return std::fabs(measure) < limit ? near : far.function(operands...);
}

}  // namespace real

namespace elementary {

using real::bits, real::copysign, real::fabs, real::fma, real::from_bits, real::reaching, real::select, real::sqrt, real::trunc;

inline constexpr double kLog2e = 0x1.71547652b82fep0;
inline constexpr double kLn2 = 0x1.62e42fefa39efp-1, kLn2Rest = 0x1.abc9e3b39803fp-56;  // their sum
inline constexpr double kLn2Hi = 0x1.62e42fefa38p-1, kLn2Lo = 0x1.ef35793c7673p-45;     // k * kLn2Hi is exact for |k| < 2^11
// Added to a number below 2^50, it leaves the nearest integer, ties to even, in the low bits.
inline constexpr double kShift = 0x1.8p52;
inline constexpr double kPi4Hi = 0x1.921fb54442d18p-1, kPi4Lo = 0x1.1a62633145c07p-55;  // pi / 4
inline constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

template <class F>
F within(F x, double least, double most) {  // a NaN stays
  return select(x > most, F(most), select(x < least, F(least), x));
}

// c[0] + c[1]*x + …, by Horner's rule. Not a loop: compilers make no vectors of what is around one.
template <class F, std::size_t N>
F polynomial(F x, const double (&c)[N]) {
  F sum = fma(x, F(c[N - 1]), F(c[N - 2]));
  [&]<std::size_t... I>(std::index_sequence<I...>) { ((sum = fma(x, sum, F(c[N - 3 - I]))), ...); }(std::make_index_sequence<N - 2>());
  return sum;
}

// A number in two parts, the first of which is their sum rounded.
template <class F>
struct Sum {
  F high, low;
};
template <class F>
Sum<F> sum(F a, F b) {  // |a| >= |b|
  const F high = a + b;
  return {high, b - (high - a)};
}
// Knuth's, of any two.
template <class F>
Sum<F> two_sum(F a, F b) {
  const F high = a + b, of_b = high - a;
  return {high, (a - (high - of_b)) + (b - of_b)};
}
// a / b, for a finite b.
template <class F>
F quotient(Sum<F> a, Sum<F> b) {
  const F inverse = 1.0 / b.high, q = a.high * inverse;
  return fma(fma(-q, b.high, a.high) + (a.low - q * b.low), inverse, q);
}

// 2^k for the integer in the low bits of a number to which kShift was added; -1022 <= k <= 1023.
template <class F>
F power_of_two(F shifted) {
  return from_bits((bits(shifted) + 1023) << 52);
}

// x = k ln 2 + r, |r| <= ln 2 / 2; e^r = 1 + r + rest, where rest says as well what r was rounded by.
template <class F>
struct Exponent {
  F shifted, k, r, rest;
};
template <class F>
Exponent<F> exponent(F shifted, F k, F r, F lost) {
  // (e^r - 1 - r) / r^2; 2^-62 of e^r
  static constexpr double kQ[] = {0x1p-1,
                                  0x1.5555555555557p-3,
                                  0x1.5555555555551p-5,
                                  0x1.1111111110031p-7,
                                  0x1.6c16c16c1918ep-10,
                                  0x1.a01a01ac37451p-13,
                                  0x1.a01a0194e29e7p-16,
                                  0x1.71de014e1b0b1p-19,
                                  0x1.27e5072782ed3p-22,
                                  0x1.af4fa3c305184p-26,
                                  0x1.1f294a8692648p-29};
  return {shifted, k, r, fma(r * r, polynomial(r, kQ), lost)};
}
template <class F>
Exponent<F> reduce_exp(F x) {
  const F shifted = fma(x, F(kLog2e), F(kShift)), k = shifted - kShift;
  const F exact = fma(k, F(-kLn2Hi), x), r = fma(k, F(-kLn2Lo), exact);
  return exponent(shifted, k, r, fma(k, F(-kLn2Lo), exact - r));
}

// 2^k x; 2^k may be out of range, each half is not. Subnormal results are rounded twice.
template <class F>
F scaled(F x, const Exponent<F>& e) {
  const F half = fma(e.k, F(0.5), F(kShift)), rest = e.shifted - (half - kShift);
  return x * power_of_two(half) * power_of_two(rest);
}

template <class F>
F power(const Exponent<F>& e) {
  const Sum<F> high = sum(F(1.0), e.r);
  return scaled(high.high + (high.low + e.rest), e);
}

template <class F>
F exp(F x) {
  return power(reduce_exp(within(x, -746.0, 710.0)));
}
// 2^x = 2^k e^(f ln 2)
template <class F>
F exp2(F x) {
  const F inside = within(x, -1076.0, 1025.0), shifted = inside + kShift, k = shifted - kShift, f = inside - k, r = f * kLn2;
  return power(exponent(shifted, k, r, fma(f, F(kLn2), -r) + f * kLn2Rest));
}

// e^x - 1 = 2^k (r + rest) + (2^k - 1), for x from -40, where it is -1, to 710, where it is infinite.
template <class F>
Sum<F> expm1_parts(F x) {
  const Exponent<F> e = reduce_exp(x);
  const F scale = power_of_two(e.shifted - 1.0);  // half of it, since 2^1024 is out of range
  const Sum<F> most = two_sum(scale - 0.5, scale * e.r), all = sum(most.high, fma(scale, e.rest, most.low));
  return {all.high * 2.0, all.low * 2.0};
}
template <class F>
F expm1(F x) {
  return select(fabs(x) < 0x1p-54, x, expm1_parts(within(x, -40.0, 710.0)).high);  // halves of tiny numbers are rounded, and there is -0
}

// log(2^k (1 + f)), sqrt(1/2) <= 1 + f < sqrt(2), and what was lost of f.
template <class F>
F log_of(F k, F f, F lost) {
  // (2 atanh(s) - 2 s) / s^3 at s^2; 2^-58 of the whole
  static constexpr double kR[] = {0x1.5555555555558p-1, 0x1.999999999524fp-2, 0x1.2492492e0ae09p-2, 0x1.c71c62c02dep-3,
                                  0x1.7462bff6d2c14p-3, 0x1.39fcdc0fe9227p-3, 0x1.2b6b6d6ed1857p-3};
  const F s = f / (f + 2.0), z = s * s, half_square = f * f * 0.5;
  const F small = fma(s, fma(z, polynomial(z, kR), half_square), fma(k, F(kLn2Lo), lost));
  return fma(k, F(kLn2Hi), f - (half_square - small));
}

// The k of log_of for a positive normal number, and the number divided by 2^k.
template <class F>
struct Fraction {
  F k, m;
};
template <class F>
Fraction<F> split(F x) {
  // The bits of 1/sqrt(2) are taken off, so that the exponent steps at sqrt(2) and its like.
  constexpr std::uint64_t kRoot = 0x3fe6a09e667f3bcd, kExponent = 0xfffull << 52;
  const auto above = bits(x) - kRoot, exponent = above & kExponent;
  // k + 2^11 as an integer becomes a number as the low bits of 2^52
  const F k = from_bits((((above + (1ull << 63)) >> 52)) + bits(0x1p52)) - (0x1p52 + 2048.0);
  return {k, from_bits(bits(x) - exponent)};
}

// The same for subnormal numbers as well.
template <class F>
Fraction<F> split_all(F x) {
  const auto is_tiny = x < 0x1p-1022;
  const Fraction<F> part = split(select(is_tiny, x * 0x1p54, x));
  return {select(is_tiny, part.k - 54.0, part.k), part.m};
}

// A logarithm of x, which is `inside` for positive finite numbers.
template <class F>
F with_edges(F x, F inside) {
  const F at_edges = select(x == 0.0, F(-kInfinity), select(x < 0.0, F(kNan), x));
  return select(x > 0.0, select(x == kInfinity, x, inside), at_edges);
}
template <class F>
F log(F x) {
  const Fraction<F> part = split_all(x);
  return with_edges(x, log_of(part.k, part.m - 1.0, F(0.0)));
}

// What log_of takes for 1 + x, x > -1 in two parts.
template <class F>
struct Logarithm {
  Fraction<F> part;
  F lost;
};
template <class F>
Logarithm<F> one_and(Sum<F> x) {
  const F u = x.high + 1.0;
  const F lost = select(x.high < 1.0, x.high - (u - 1.0), (x.high - u) + 1.0);  // of x, by rounding u
  return {split(u), (lost + x.low) / u};
}
template <class F>
F log_of(const Logarithm<F>& of) {
  return log_of(of.part.k, of.part.m - 1.0, of.lost);
}
template <class F>
F log1p(F x) {
  const F at_edges = select(x == -1.0, F(-kInfinity), select(x < -1.0, F(kNan), x));
  return select(x > -1.0, select(x == kInfinity, x, select(x == 0.0, x, log_of(one_and<F>({x, F(0.0)})))), at_edges);
}

// With e = e^2|x| - 1, tanh |x| = e / (e + 2), which is 1 for e^2|x| > 2^54.
template <class F>
F tanh(F x) {
  const F a = fabs(x);
  const Sum<F> e = expm1_parts(select(a > 22.0, F(22.0), a) * 2.0), bottom = two_sum(e.high, F(2.0));
  return select(a < 0x1p-54, x, copysign(quotient(e, {bottom.high, bottom.low + e.low}), x));
}

// (e^|x| - e^-|x|) / 2 = (e + e / (e + 1)) / 2, with e = e^|x| - 1. e^|x| may be out of range where the result is not.
template <class F>
F sinh(F x) {
  const F a = fabs(x), h = exp(a * 0.5) * 0.5;
  const Sum<F> e = expm1_parts(select(a > 709.0, F(0.0), a)), bottom = two_sum(e.high, F(1.0));
  const F near = (e.high + (e.low + quotient(e, {bottom.high, bottom.low + e.low}))) * 0.5;
  return select(a < 0x1p-54, x, copysign(select(a > 709.0, h * 2.0 * h, near), x));
}
template <class F>
F cosh(F x) {
  const F a = fabs(x), h = exp(a * 0.5) * 0.5, e = exp(select(a > 709.0, F(0.0), a));
  return select(a > 709.0, h * 2.0 * h, (e + 1.0 / e) * 0.5);
}

template <class F>
F sigmoid(F x) {
  const F e = exp(-fabs(x));
  return quotient({select(x < 0.0, e, F(1.0)), F(0.0)}, sum(F(1.0), e));
}

// max(x, 0) + log(1 + e^-|x|)
template <class F>
F softplus(F x) {
  return select(x > 0.0, x, F(0.0)) + log1p(exp(-fabs(x)));
}

// The angle of the point (x, y), for y >= 0: after a turn of |x| by 0, pi/4 or pi/2 the tangent of what is left is at most sqrt(2) - 1.
template <class F>
F angle(F y, F x) {
  // (atan(t) - t) / t^3 at t^2; 2^-63
  static constexpr double kP[] = {-0x1.5555555555555p-2, 0x1.9999999999815p-3, -0x1.2492492481cbep-3, 0x1.c71c71bca8ec8p-4,
                                  -0x1.745d156808063p-4, 0x1.3b137c2421ce1p-4, -0x1.110d2f1bbf6f6p-4, 0x1.e17f3d0c71583p-5,
                                  -0x1.abcc40216dd15p-5, 0x1.7216aab378027p-5, -0x1.14bda52e1518dp-5, 0x1.fb82a4cbe01f4p-7};
  constexpr double kTan = 0x1.a827999fcef32p-2, kCot = 0x1.3504f333f9de6p1;            // of pi/8
  const F side = copysign(F(1.0), x), scale = select(fabs(x) > 1.0, F(0.25), F(1.0));  // kCot times it may be out of range
  const F height = y * scale, width = fabs(x) * scale;
  const auto is_high = height > width * kTan, is_steep = height > width * kCot;
  const F top = select(is_high, select(is_steep, -width, height - width), height);
  const F bottom = select(is_high, select(is_steep, height, height + width), select(width == 0.0, F(1.0), width));
  const F turns = select(is_high, select(is_steep, F(2.0), F(1.0)), F(0.0));
  const F t = top / bottom, square = t * t, rest = t * square * polynomial(square, kP);
  const F all = select(side < 0.0, 4.0 - turns, turns);
  return fma(all, F(kPi4Hi), fma(all, F(kPi4Lo), rest * side) + t * side);
}

// 1
template <class F>
F atan(F x) {
  return copysign(angle(fabs(x), F(1.0)), x);
}
// 1; infinities of both are as good as ones
template <class F>
F atan2(F y, F x) {
  const F a = fabs(y), b = fabs(x), both = select(a == b, a, F(0.0));
  const auto are_infinite = both == kInfinity;
  return copysign(angle(select(are_infinite, F(1.0), a), select(are_infinite, copysign(F(1.0), x), x)), y);
}

// asin(r) = r + r p(r^2) up to 1/2; beyond, asin(a) = pi/2 - 2 asin(r) with r^2 = (1 - a) / 2.
template <class F>
struct Arc {
  F r, rest;  // asin of r is their sum
};
template <class F>
Arc<F> arc(F a) {
  static constexpr double kP[] = {0x1.5555555555556p-3, 0x1.3333333332d9ep-4, 0x1.6db6db6e48dffp-5, 0x1.f1c71c1187edcp-6,
                                  0x1.6e8bb383c0f08p-6, 0x1.1c4d0fc1b6611p-6, 0x1.c9d336dfb8093p-7, 0x1.77ff42ab33e23p-7,
                                  0x1.5336524f21216p-7, 0x1.5dc12cbf2be13p-8, 0x1.224dcb39fe444p-6, -0x1.f6744bcd118afp-7,
                                  0x1.dc69054313cd5p-6};  // 2^-59
  const auto is_outer = a > 0.5;
  const F square = select(is_outer, fma(a, F(-0.5), F(0.5)), a * a), root = sqrt(square);
  const F lost = fma(-root, root, square) / select(root == 0.0, F(1.0), root + root);  // by rounding the root
  const F r = select(is_outer, root, a);
  return {r, fma(r * square, polynomial(square, kP), select(is_outer, lost, F(0.0)))};
}

// 1; NaN beyond 1, as the root of what is negative.
template <class F>
F asin(F x) {
  const F a = fabs(x);
  const Arc<F> part = arc(a);
  const F outer = (2 * kPi4Hi - part.r * 2.0) + (2 * kPi4Lo - part.rest * 2.0);
  return copysign(select(a > 0.5, outer, part.r + part.rest), x);
}
template <class F>
F acos(F x) {
  const F a = fabs(x), side = copysign(F(1.0), x);
  const Arc<F> part = arc(a);
  const F inner = 2 * kPi4Hi - (part.r * side - (2 * kPi4Lo - part.rest * side));
  const F outer = select(x < 0.0, (4 * kPi4Hi - part.r * 2.0) + (4 * kPi4Lo - part.rest * 2.0), (part.r + part.rest) * 2.0);
  return select(a > 0.5, outer, inner);
}

// x = k pi/2 + r + rest, |r| <= pi/4 up to rounding, for |x| < kFar; the bits of `shifted` end with those of k. The products of k and the
// first two parts of pi/2 are exact.
inline constexpr double kFar = 0x1p20;
template <class F>
struct Turned {
  F shifted, r, rest;
};
template <class F>
Turned<F> turn(F x) {
  constexpr double kPart[] = {0x1.921fb544p0, 0x1.0b4611a6p-34, 0x1.3198a2e037073p-69, 0x1.129024e088a68p-123};
  const F shifted = fma(x, F(0x1.45f306dc9c883p-1), F(kShift)), k = shifted - kShift;
  const F first = fma(k, F(-kPart[0]), x), second = fma(k, F(-kPart[1]), first);
  const F product = k * kPart[2], r = second - product;
  const F lost = fma(k, F(-kPart[1]), first - second) + ((second - r - product) - fma(k, F(kPart[2]), -product));
  return {shifted, r, fma(k, F(-kPart[3]), lost)};
}
// sin(r + rest) and cos(r + rest).
template <class F>
Sum<F> sin_near(F r, F rest) {
  static constexpr double kP[] = {-0x1.5555555555555p-3, 0x1.1111111110c84p-7,   -0x1.a01a019ea17c5p-13,
                                  0x1.71de37b235b35p-19, -0x1.ae60217812a39p-26, 0x1.5e11ba5d3633ap-33};  // 2^-56
  const F square = r * r;
  return sum(r, fma(square * r, polynomial(square, kP), rest));
}
template <class F>
Sum<F> cos_near(F r, F rest) {
  static constexpr double kP[] = {0x1.5555555555555p-5,   -0x1.6c16c16c168ccp-10, 0x1.a01a019f38ba5p-16,
                                  -0x1.27e4fa03844e4p-22, 0x1.1eeb586f37835p-29,  -0x1.9073edb1d4a74p-37};  // 2^-60
  const F square = r * r, high = fma(square, F(-0.5), F(1.0)), low = fma(square, F(-0.5), 1.0 - high);
  return sum(high, low + fma(square * square, polynomial(square, kP), -(r * rest)));
}
// sin(k pi/2 + r + rest), given the bits that end with those of k.
template <class F, class W>
F sin_of(W k, F r, F rest) {
  const F odd = from_bits((k << 63) + bits(1.0));  // 1 or -1
  const F result = select(odd < 0.0, cos_near(r, rest).high, sin_near(r, rest).high);
  return from_bits(bits(result) + ((k >> 1) << 63));
}

template <class F>
F sin(F x) {
  const Turned<F> to = turn(x);
  const F near = select(x == 0.0, x, sin_of(bits(to.shifted), to.r, to.rest));
  return reaching(x, kFar, near, real::far::sin, x);
}
template <class F>
F cos(F x) {
  const Turned<F> to = turn(x);
  return reaching(x, kFar, sin_of(bits(to.shifted) + 1, to.r, to.rest), real::far::cos, x);
}
template <class F>
F tan(F x) {
  const Turned<F> to = turn(x);
  const Sum<F> sine = sin_near(to.r, to.rest), cosine = cos_near(to.r, to.rest);
  const auto is_odd = from_bits((bits(to.shifted) << 63) + bits(1.0)) < 0.0;
  const Sum<F> top{select(is_odd, -cosine.high, sine.high), select(is_odd, -cosine.low, sine.low)};
  const Sum<F> bottom{select(is_odd, sine.high, cosine.high), select(is_odd, sine.low, cosine.low)};
  const F near = quotient(top, bottom);
  return reaching(x, kFar, select(x == 0.0, x, near), real::far::tan, x);
}

// log(2^k m) in two parts, with a relative error of 2^-62: 2 atanh(f / (f + 2)), each step in two parts.
template <class F>
Sum<F> log_parts(Fraction<F> part) {
  // ((atanh(s) / s - 1) / s^2 - 1/3) / s^2 at s^2; 2^-69 of the whole
  static constexpr double kR[] = {0x1.999999999999ap-3, 0x1.2492492492301p-3, 0x1.c71c71c74b654p-4, 0x1.745d173de787dp-4,
                                  0x1.3b13a95bc7059p-4, 0x1.11156956ef6e3p-4, 0x1.e0144e05136a6p-5, 0x1.dadb8fc600533p-5};
  const F f = part.m - 1.0;
  const Sum<F> bottom = sum(F(1.0), part.m);
  const F inverse = 1.0 / bottom.high, s = f * inverse, s_low = (fma(-s, bottom.high, f) - s * bottom.low) * inverse;
  const F z = s * s, z_low = fma(s, s, -z) + 2.0 * s * s_low;
  const F tail = z * polynomial(z, kR);
  const Sum<F> q = sum(F(0x1.5555555555555p-2), tail + 0x1.5555555555555p-56);
  const F w = z * q.high, w_low = fma(z, q.high, -w) + fma(z, q.low, z_low * q.high);
  const F v = s * w, v_low = fma(s, w, -v) + fma(s, w_low, s_low * w);
  const Sum<F> half = sum(s, v);
  const Sum<F> all = two_sum(part.k * kLn2Hi, half.high * 2.0);
  return sum(all.high, fma(part.k, F(kLn2Lo), all.low + (half.low + (s_low + v_low)) * 2.0));
}

// Whether a number is whole.
template <class F>
auto is_whole(F x) {
  const F a = fabs(x);
  return select(a < 0x1p52, (a + 0x1p52) - 0x1p52, a) == a;
}

// IEEE's pow, which is `finite` for a positive finite |x| and any y.
template <class F>
F with_edges(F x, F y, F finite) {
  const F a = fabs(x);
  const F grown = select(y < 0.0, F(0.0), F(kInfinity)), shrunk = select(y < 0.0, F(kInfinity), F(0.0));
  const F at_edges = select(a == kInfinity, grown, select(a == 0.0, shrunk, select(a == 1.0, a, finite)));
  const F fraction = select(a == kInfinity, F(1.0), select(a == 0.0, F(1.0), F(kNan)));
  const F sign = select(is_whole(y), select(is_whole(y * 0.5), F(1.0), F(-1.0)), fraction);
  const F power = select(copysign(F(1.0), x) < 0.0, at_edges * sign, at_edges);
  const F of_number = select(x == x, power, x);
  return select(y == 0.0, F(1.0), select(x == 1.0, x, select(y == y, of_number, y)));
}
template <class F>
F pow(F x, F y) {
  const F a = fabs(x);
  const Sum<F> log_a = log_parts(split_all(a));
  const F product = y * log_a.high, lost = fma(y, log_a.high, -product) + y * log_a.low;
  const F inside = within(product, -746.0, 710.0);
  const Exponent<F> e = reduce_exp(inside);
  const Sum<F> high = sum(F(1.0), e.r);
  return with_edges(x, y, scaled(high.high + (high.low + fma(select(inside == product, lost, F(0.0)), high.high + e.rest, e.rest)), e));
}

}  // namespace elementary

}  // namespace bpc::scalar
