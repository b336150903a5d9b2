// Elementary functions of numbers that are f32, in double: shorter formulas than those of scalar/elementary.h. Their relative error is
// below 2^-31, so that the result, rounded to f32, is off by less than 0.51 units in the last place. What is neither written here nor in
// scalar/elementary_narrow.h is what it is there.
#pragma once

#include "scalar/elementary.h"
#include "scalar/elementary_division.h"
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
F log2(F x) {
  const Fraction<F> part = split(x);
  return with_edges(x, fma(log_of(F(0.0), part.m - 1.0), F(kLog2e), part.k));
}
template <class F>
F log10(F x) {
  const Fraction<F> part = split(x);
  return with_edges(x, log_of(part.k, part.m - 1.0) * 0x1.bcb7b1526e50ep-2);
}

// |x|^y = e^(y log |x|), with the logarithm to 2^-39, since it is multiplied by what may make 100 of it.
template <class F>
F pow(F x, F y) {
  static constexpr double kP[] = {-0x1.fffffffffaa43p-2, 0x1.55555553dbfa8p-2, -0x1.000000107f6f7p-2, 0x1.99999cc26b557p-3,
                                  -0x1.55554691baa47p-3, 0x1.249149bf451f2p-3, -0x1.0002000a1060cp-3, 0x1.c76313d7556e9p-4,
                                  -0x1.997d8d50d53adp-4, 0x1.6f9a9b94d0e76p-4, -0x1.51e21893c84e3p-4, 0x1.60c0b375eb8aep-4,
                                  -0x1.622a70c333145p-4, 0x1.7c0e072c467f9p-5};  // as in log_of
  const Fraction<F> part = split(fabs(x));
  const F f = part.m - 1.0, log_x = fma(part.k, F(kLn2), fma(f * f, polynomial(f, kP), f));
  return with_edges(x, y, f32::exp(y * log_x));
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

}  // namespace bpc::scalar::elementary::f32
