// Remainders and whole quotients of reals, which are exact but for the roundings named in scalar/functions.h.
#pragma once

#include "scalar/elementary.h"

namespace bpc::scalar::elementary {

// Whether both have one sign, zeros too.
template <class F>
auto have_one_sign(F a, F b) {
  return copysign(F(1.0), a) * copysign(F(1.0), b) > 0.0;
}

// C's fmod. The quotient, below `limit` (2 to the digits of F), is rounded to an integer above it at most; then the rest has another sign
// than a. Either rest is a multiple of b's last place and not larger than b, so that nothing is rounded.
template <class F>
F rest_of(F a, F b, double limit) {
  const F quotient = a / b, whole = trunc(quotient);
  const F rest = select(whole == 0.0, a, fma(-whole, b, a));
  const F near = select(rest * copysign(F(1.0), a) < 0.0, rest + copysign(b, a), rest);
  return reaching(quotient, limit, near, real::far::fmod, a, b);
}

template <class F>
F mod(F a, F b, double limit = 0x1p53) {
  const F rest = rest_of(a, b, limit);
  return select(rest == 0.0, copysign(F(0.0), b), select(have_one_sign(rest, b), rest, rest + b));
}

template <class F>
F floordiv(F a, F b, double limit = 0x1p53) {
  const F rest = rest_of(a, b, limit), whole = (a - rest) / b;  // an integer up to rounding
  const F q = select(rest == 0.0, whole, select(have_one_sign(rest, b), whole, whole - 1.0));
  const F part = trunc(q), below = select(part > q, part - 1.0, part);
  const F nearest = select(q - below > 0.5, below + 1.0, below);
  return select(b == 0.0, a / b, select(q == 0.0, copysign(F(0.0), a / b), nearest));
}

namespace narrow {

inline constexpr double kWhole = 0x1p24;
template <class F>
F mod(F a, F b) {
  return elementary::mod(a, b, kWhole);
}
template <class F>
F floordiv(F a, F b) {
  return elementary::floordiv(a, b, kWhole);
}

}  // namespace narrow

}  // namespace bpc::scalar::elementary
