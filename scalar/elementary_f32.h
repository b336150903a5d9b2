// The elementary functions of numbers that are f32, in double: shorter formulas than those of scalar/elementary.h. Their relative error is
// below 2^-31, so that the result, rounded to f32, is off by less than 0.51 units in the last place. What is not written here is what it is
// there.
#pragma once

#include "scalar/elementary.h"
#include "scalar/elementary_erf.h"
#include "scalar/elementary_roots.h"

namespace bpc::scalar::elementary::f32 {

using namespace elementary;  // what is not found here

// 2^k and e^r - 1 of x = k ln 2 + r; 2^k is no subnormal.
template <class F>
struct Exponent {
  F scale, rest;
};
template <class F>
Exponent<F> reduce_exp(F x) {
  static constexpr double kQ[] = {0x1.0000000b89baep-1, 0x1.5555552701ec6p-3,  0x1.5554e910b4c66p-5,
                                  0x1.11114c0541c05p-7, 0x1.6d432ed1f143ap-10, 0x1.a072ddc15347cp-13};  // 2^-32
  const F shifted = fma(x, F(kLog2e), F(kShift)), r = fma(shifted - kShift, F(-kLn2), x);
  return {power_of_two(shifted), fma(r * r, polynomial(r, kQ), r)};
}

// e^x is infinite from 89 on, and 0 to -104.
template <class F>
F exp(F x) {
  const Exponent<F> e = reduce_exp(within(x, -105.0, 90.0));
  return fma(e.scale, e.rest, e.scale);
}
template <class F>
F expm1(F x) {
  const Exponent<F> e = reduce_exp(within(x, -40.0, 90.0));
  return select(x == 0.0, x, fma(e.scale, e.rest, e.scale - 1.0));
}

// With e = e^2|x| - 1, tanh |x| = e / (e + 2), which is 1 from 9.1 on.
template <class F>
F tanh(F x) {
  const F a = fabs(x);
  const Exponent<F> part = reduce_exp(select(a > 10.0, F(10.0), a) * 2.0);
  const F e = fma(part.scale, part.rest, part.scale - 1.0);
  return copysign(e / (e + 2.0), x);
}
template <class F>
F sigmoid(F x) {
  const Exponent<F> e = reduce_exp(within(-x, -60.0, 105.0));
  return 1.0 / (fma(e.scale, e.rest, e.scale) + 1.0);
}

// k ln 2 + log(1 + f), for the f of split().
template <class F>
F log_of(F k, F f) {
  // (log(1 + f) - f) / f^2; 2^-31 of the whole
  static constexpr double kP[] = {-0x1.00000005281bep-1, 0x1.55555553bcf53p-2, -0x1.ffffd7d06a7cfp-3, 0x1.9999842cde0f1p-3,
                                  -0x1.5561e3eb13f89p-3, 0x1.24a07a30a2c75p-3, -0x1.fd43fa83ed54p-4,  0x1.c27328d546a85p-4,
                                  -0x1.b755d4348c847p-4, 0x1.b9e18505f97c9p-4, -0x1.03a1960c5ab37p-4};
  return fma(k, F(kLn2), fma(f * f, polynomial(f, kP), f));
}
template <class F>
F log(F x) {
  const Fraction<F> part = split(x);
  return with_edges(x, log_of(part.k, part.m - 1.0));
}
// Of x > -1. What 1 + x loses counts where x is small: there it is f itself.
template <class F>
F log_of_one_and(F x) {
  const auto is_small = fabs(x) < 0.25;
  const Fraction<F> part = split(x + 1.0);
  return log_of(select(is_small, F(0.0), part.k), select(is_small, x, part.m - 1.0));
}
template <class F>
F log1p(F x) {
  const F at_edges = select(x == -1.0, F(-kInfinity), select(x < -1.0, F(kNan), x));
  return select(x > -1.0, select(x == kInfinity, x, select(x == 0.0, x, log_of_one_and(x))), at_edges);
}
template <class F>
F softplus(F x) {
  return select(x == x, select(x > 0.0, x, F(0.0)) + log_of_one_and(f32::exp(-fabs(x))), x);
}

// Up to 1, x (1 + p(x^2)); beyond, q(x - 5/2), which is 1 from 4 on.
template <class F>
F erf(F x) {
  static constexpr double kP[] = {0x1.06eba82146ae3p-3,  -0x1.812746adf8289p-2,  0x1.ce2f20adf08f1p-4,
                                  -0x1.b82cbbbcf23b4p-6, 0x1.5658984b02d06p-8,   -0x1.bfe237f82e44ap-11,
                                  0x1.f586da97a14e2p-14, -0x1.d2e0dd2b94397p-17, 0x1.1c92b53f7d05p-20};  // 2^-39
  static constexpr double kQ[] = {0x1.ffcaa8f22f60ep-1,  0x1.1d82e45f9fcc4p-9,   -0x1.64e388a0bee12p-8, 0x1.119eaf9ec0051p-7,
                                  -0x1.1a8b7e6ae5ca3p-7, 0x1.90daeae3a6734p-8,   -0x1.6eb027b5c51b4p-9, 0x1.1d860e37cc7ebp-11,
                                  0x1.0f6028998cea2p-12, -0x1.09d01ae3d7c8ap-12, 0x1.53f14a54b754ep-14, 0x1.05eb63126c691p-17,
                                  -0x1.076cb90dfc3bp-16, 0x1.ce8f0cdee8632p-19,  0x1.dc968358b5f25p-21, -0x1.76eaae715b527p-22};  // 2^-30
  const F a = fabs(x), reached = select(a > 4.0, F(4.0), a);
  const F inner = fma(reached, polynomial(reached * reached, kP), reached), outer = polynomial(reached - 2.5, kQ);
  return copysign(select(a < 1.0, inner, outer), x);
}

// sin(k pi/2 + r), as above.
template <class F>
struct Turned {
  F shifted, r;
};
template <class F>
Turned<F> turn(F x) {
  const F shifted = fma(x, F(0x1.45f306dc9c883p-1), F(kShift)), k = shifted - kShift;
  return {shifted, fma(k, F(-0x1.0b4611a626331p-34), fma(k, F(-0x1.921fb544p0), x))};
}
template <class F, class W>
F sin_of(W k, F r) {
  static constexpr double kSin[] = {-0x1.555555545a74p-3, 0x1.11110de88425ap-7, -0x1.a013a03bab5c7p-13, 0x1.6dbc020fc7e4fp-19};    // 2^-35
  static constexpr double kCos[] = {0x1.555555550204bp-5, -0x1.6c16bf51ed7fbp-10, 0x1.a015c12ccfaffp-16, -0x1.252361c7a4797p-22};  // 2^-39
  const F odd = from_bits((k << 63) + bits(1.0)), square = r * r;
  const F sine = fma(r * square, polynomial(square, kSin), r);
  const F cosine = fma(square * square, polynomial(square, kCos), fma(square, F(-0.5), F(1.0)));
  return from_bits(bits(select(odd < 0.0, cosine, sine)) + ((k >> 1) << 63));
}
template <class F>
F sin(F x) {
  const Turned<F> to = f32::turn(x);
  const F near = select(x == 0.0, x, f32::sin_of(bits(to.shifted), to.r));
  return reaching(x, kFar, near, real::far::sin);
}
template <class F>
F cos(F x) {
  const Turned<F> to = f32::turn(x);
  return reaching(x, kFar, f32::sin_of(bits(to.shifted) + 1, to.r), real::far::cos);
}

}  // namespace bpc::scalar::elementary::f32
