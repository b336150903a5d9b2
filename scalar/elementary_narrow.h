// The elementary functions of f32 that are computed in f32: as many numbers at a time as a vector holds, with errors below 1 unit in the
// last place: those beside the functions, found with every f32 (tests/accuracy/narrow_test.cpp). F is `real::Single`, or what stands for
// one in code that is being written.
//
// Each step that matters is exact or has its rounding beside it, as scalar/elementary.h does it; polynomials are Sollya's fpminimax.
#pragma once

#include "scalar/elementary.h"
#include "scalar/elementary_division.h"

namespace bpc::scalar {

namespace real {

// A float whose arithmetic is that of floats, also with constants, which are written as doubles.
struct Single {
  float value;
  constexpr Single(double x) : value(static_cast<float>(x)) {}
  constexpr explicit Single(float x) : value(x) {}
  constexpr explicit operator float() const { return value; }
};
#define BPC_SINGLE(op, Result)                    \
  inline Result operator op(Single a, Single b) { \
    return Result(a.value op b.value);            \
  }
BPC_SINGLE(+, Single)
BPC_SINGLE(-, Single)
BPC_SINGLE(*, Single)
BPC_SINGLE(/, Single)
BPC_SINGLE(<, bool)
BPC_SINGLE(>, bool)
BPC_SINGLE(==, bool)
#undef BPC_SINGLE
inline Single operator-(Single x) {
  return Single(-x.value);
}
inline Single fma(Single a, Single b, Single c) {
  return Single(std::fma(a.value, b.value, c.value));
}
inline Single fabs(Single x) {
  return Single(std::fabs(x.value));
}
inline Single copysign(Single x, Single sign) {
  return Single(std::copysign(x.value, sign.value));
}
inline Single select(bool condition, Single a, Single b) {
  return condition ? a : b;
}
inline std::uint32_t bits(Single x) {
  return std::bit_cast<std::uint32_t>(x.value);
}
inline Single from_bits(std::uint32_t x) {
  return Single(std::bit_cast<float>(x));
}
inline Single sqrt(Single x) {
  return Single(std::sqrt(x.value));
}
inline Single trunc(Single x) {
  return Single(std::trunc(x.value));
}
template <class... Operands>
Single reaching(Single measure, double limit, Single near, Far<Operands...> far, std::same_as<Single> auto... operands) {
  return std::fabs(measure.value) < limit ? near : Single(far.function(operands.value...));
}

}  // namespace real

namespace elementary::narrow {

using real::from_bits;  // of words of 32 bits as well

inline constexpr double kShift = 0x1.8p23;                                       // as elementary::kShift, of numbers below 2^22
inline constexpr double kLn2Hi = 0x1.62e43p-1, kLn2Lo = -0x1.05c610ca86c39p-29;  // their sum
inline constexpr std::uint32_t kOne = 0x3f800000;

// x = k ln 2 + r, e^r - 1 = rest; the bits of `shifted` end with those of k. x - k kLn2Hi is exact.
template <class F>
struct Exponent {
  F shifted, rest;
};
template <class F>
Exponent<F> reduce_exp(F x) {
  static constexpr double kQ[] = {0x1p-1,        0x1.555556p-3,  0x1.5555p-5,
                                  0x1.110fc4p-7, 0x1.6d30d2p-10, 0x1.a2d442p-13};  // (e^r - 1 - r) / r^2; 2^-31 of e^r
  const F shifted = fma(x, F(kLog2e), F(kShift)), k = shifted - kShift;
  const F r = fma(k, F(-kLn2Lo), fma(k, F(-kLn2Hi), x));
  return {shifted, fma(r * r, polynomial(r, kQ), r)};
}
// 2^(k + more), for the integer k in the low bits
template <class F>
F power_of_two(F shifted, int more = 0) {
  return from_bits((bits(shifted) + static_cast<std::uint32_t>(127 + more)) << 23);
}

// 0.982. 2^k may be out of range: half of it is not, nor is 2^64 times it where x is low.
template <class F>
F exp(F x) {
  const F inside = within(x, -104.5, 89.0);
  const auto is_low = inside < -80.0;
  const Exponent<F> e = reduce_exp(inside);
  const F scale = select(is_low, power_of_two(e.shifted, 64), power_of_two(e.shifted, -1));
  return fma(scale, e.rest, scale) * select(is_low, F(0x1p-64), F(2.0));
}

// 0.831: 2^x = 2^k (1 + rest), with r = x - k exact.
template <class F>
F exp2(F x) {
  // (2^r - 1 - r ln 2) / r^2; 2^-31 of 2^r
  static constexpr double kP[] = {0x1.ebfbep-3, 0x1.c6b08ep-5, 0x1.3b2a62p-7, 0x1.5d870ep-10, 0x1.440756p-13, 0x1.00f8bp-16};
  const F inside = within(x, -151.0, 128.5);
  const auto is_low = inside < -100.0;
  const F shifted = inside + kShift, r = inside - (shifted - kShift);
  const F rest = fma(r, F(kLn2Hi), fma(r * r, polynomial(r, kP), r * kLn2Lo));
  const F scale = select(is_low, power_of_two(shifted, 64), power_of_two(shifted, -1));
  return fma(scale, rest, scale) * select(is_low, F(0x1p-64), F(2.0));
}

// 0.871: one step of Newton's.
template <class F>
F rsqrt(F x) {
  const F q = 1.0 / sqrt(x), near = fma(q * 0.5, fma(-(x * q), q, F(1.0)), q);
  return select(x > 0.0, select(x < kInfinity, near, q), q);
}

// 0.940: q = 1 / (1 + e^|x|), or 1 - q. Where e^|x| is out of range, both are 2^64 times smaller, and so is q.
template <class F>
F sigmoid(F x) {
  const F a = fabs(x), inside = select(a > 104.5, F(104.5), a);
  const auto is_far = inside > 60.0;
  const Exponent<F> e = reduce_exp(inside);
  const F one = select(is_far, F(0x1p-64), F(1.0)), scale = select(is_far, power_of_two(e.shifted, -64), power_of_two(e.shifted));
  const F most = scale + one, bottom = fma(scale, e.rest, most);
  const F lost = fma(scale, e.rest, most - bottom) + (one - (most - scale));
  const F inverse = 1.0 / bottom, q = fma(inverse, fma(-inverse, lost, fma(-inverse, bottom, F(1.0))), inverse) * one;
  return select(x < 0.0, q, 1.0 - q);
}

// 0.973. Up to 0.94, x (1 + x^2 p(x^2)); beyond, 1 - 2 / (e^2|x| + 1), which is 1 from 9.1 on and less exacting: e^2|x| = 2^k (1 + r q(r)),
// with |x| = k ln(2) / 2 + r.
template <class F>
F tanh(F x) {
  static constexpr double kP[] = {-0x1.555554p-2, 0x1.11104ap-3, -0x1.b9e872p-5, 0x1.63a946p-6,
                                  -0x1.10e86ep-7, 0x1.57f618p-9, -0x1.e70418p-12};                           // 2^-28
  static constexpr double kQ[] = {0x1p1, 0x1p1, 0x1.5554acp0, 0x1.5554e2p-1, 0x1.122a5ap-2, 0x1.6d5446p-4};  // 2^-28
  const F a = fabs(x), square = a * a, inner = fma(a * square, polynomial(square, kP), a);
  const F reached = select(a > 9.5, F(9.5), a);
  const F shifted = fma(reached, F(2 * kLog2e), F(kShift)), k = shifted - kShift, r = fma(k, F(kLn2Hi * -0.5), reached);
  const F scale = power_of_two(shifted), outer = 1.0 - 2.0 / fma(scale, r * polynomial(r, kQ), scale + 1.0);
  return copysign(select(a < 0.94, inner, outer), x);
}

// 0.916: k ln 2 + log(1 + f), as in scalar/elementary.h; subnormal numbers are made 2^25 times larger.
template <class F>
F log(F x) {
  static constexpr double kP[] = {
      -0x1.fffffep-2, 0x1.555548p-2,  -0x1.000222p-2, 0x1.99a7a8p-3, -0x1.5487e2p-3,
      0x1.22446ap-3,  -0x1.0bf544p-3, 0x1.08a6a2p-3,  -0x1.496a52p-4};  // (log(1 + f) - f) / f^2; 2^-26 of the whole
  constexpr std::uint32_t kRoot = 0x3f3504f3, kExponent = 0x1ffu << 23;
  const auto is_tiny = x < 0x1p-126;
  const F normal = select(is_tiny, x * 0x1p25, x);
  const auto above = bits(normal) - kRoot, exponent = above & kExponent;
  const F biased = from_bits(((above + (1u << 31)) >> 23) + 0x4b000000) - (0x1p23 + 256.0);  // 2^23 in bits
  const F k = select(is_tiny, biased - 25.0, biased), f = from_bits(bits(normal) - exponent) - 1.0;
  const F most = fma(k, F(kLn2Hi), f), lost = f - fma(k, F(-kLn2Hi), most);
  return with_edges(x, most + fma(f * f, polynomial(f, kP), fma(k, F(kLn2Lo), lost)));
}

// 0.991. Up to 1, x (1 + p(x^2)); beyond, q(x - 39/16), which is 1 from 3.92 on. 39/16, since f32 holds its erf to 2^-30.
template <class F>
F erf(F x) {
  static constexpr double kP[] = {0x1.06eba8p-3, -0x1.812744p-2, 0x1.ce2eap-4,   -0x1.b821eap-6,
                                  0x1.55dd5ap-8, -0x1.b9ac2p-11, 0x1.c7ef56p-14, -0x1.21631ep-17};  // 2^-30
  static constexpr double kQ[] = {0x1.ffb5bep-1,  0x1.84b7f4p-9,  -0x1.d9c434p-8,  0x1.6093ap-7,    -0x1.5eac04p-7,
                                  0x1.d7eaaep-8,  -0x1.89c0dap-9, 0x1.985986p-12,  0x1.b67f96p-12,  -0x1.4b106ap-12,
                                  0x1.220ccep-14, 0x1.eb97b4p-16, -0x1.2263cep-16, -0x1.fe312ep-23, 0x1.258474p-20};  // 2^-27
  const F a = fabs(x), reached = select(a > 3.92, F(3.92), a);
  const F inner = fma(reached, polynomial(reached * reached, kP), reached), outer = polynomial(reached - 2.4375, kQ);
  return copysign(select(a < 1.0, inner, outer), x);
}

// x = k pi/2 + r + rest, for |x| < kFar. The first two steps are exact: the second part of pi/2 has 13 bits, k has 11.
inline constexpr double kFar = 3200.0;
template <class F>
struct Turned {
  F shifted, r, rest;
};
template <class F>
Turned<F> turn(F x) {
  constexpr double kPart[] = {0x1.921fb6p0, -0x1.777p-25, -0x1.4b9ee6p-38};
  const F shifted = fma(x, F(0x1.45f306dc9c883p-1), F(kShift)), k = shifted - kShift;
  const F first = fma(k, F(-kPart[0]), x), r = fma(k, F(-kPart[1]), first);
  return {shifted, r, fma(k, F(-kPart[2]), fma(k, F(-kPart[1]), first - r))};
}
// sin(k pi/2 + r + rest), given the bits that end with those of k.
template <class F, class W>
F sin_of(W k, F r, F rest) {
  static constexpr double kSin[] = {-0x1.555552p-3, 0x1.110bd4p-7, -0x1.9aa852p-13};           // 2^-26
  static constexpr double kCos[] = {-0x1p-1, 0x1.55554ep-5, -0x1.6c0e58p-10, 0x1.9a78acp-16};  // (cos(r) - 1) / r^2; 2^-33
  const F odd = from_bits((k << 31) + kOne), square = r * r;                                   // 1 or -1
  const F sine = r + fma(r * square, polynomial(square, kSin), rest);
  const F part = r * rest, whole = fma(r, r, part + part);  // (r + rest)^2
  const F cosine = fma(whole, polynomial(whole, kCos), F(1.0));
  return from_bits(bits(select(odd < 0.0, cosine, sine)) + ((k >> 1) << 31));
}
// 0.938
template <class F>
F sin(F x) {
  const Turned<F> to = turn(x);
  return reaching(x, kFar, select(x == 0.0, x, sin_of(bits(to.shifted), to.r, to.rest)), real::far::sin, x);
}
// 0.987
template <class F>
F cos(F x) {
  const Turned<F> to = turn(x);
  return reaching(x, kFar, sin_of(bits(to.shifted) + 1, to.r, to.rest), real::far::cos, x);
}

}  // namespace elementary::narrow

}  // namespace bpc::scalar
