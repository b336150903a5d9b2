// Logarithms to other bases, roots and the inverse hyperbolic functions, as scalar/elementary.h has the others.
#pragma once

#include "scalar/elementary.h"

namespace bpc::scalar::elementary {

// log2(m 2^k) = k + log(m) / ln 2, exact for powers of 2.
template <class F>
F log2(F x) {
  const Fraction<F> part = split_all(x);
  const Sum<F> log_m = log_parts<F>({F(0.0), part.m});
  const F most = log_m.high * kLog2e, rest = fma(log_m.high, F(kLog2e), -most) + (log_m.high * 0x1.777d0ffda0d24p-56 + log_m.low * kLog2e);
  const Sum<F> all = two_sum(part.k, most);
  return with_edges(x, all.high + (all.low + rest));
}
template <class F>
F log10(F x) {
  constexpr double kLog10e = 0x1.bcb7b1526e50ep-2, kLog10eRest = 0x1.95355baaafad3p-57;
  const Sum<F> log_x = log_parts(split_all(x));
  const F most = log_x.high * kLog10e, rest = fma(log_x.high, F(kLog10e), -most) + (log_x.high * kLog10eRest + log_x.low * kLog10e);
  return with_edges(x, most + rest);
}

template <class F>
F rsqrt(F x) {
  return 1.0 / sqrt(x);
}

// Of x = 2^(3q) c with c from 0.35 to 2.83: Halley's step for the root of c, from a polynomial (2^-11), and Newton's with the exact rest.
template <class F>
F cbrt(F x) {
  static constexpr double kP[] = {0x1.91d9318e4a28ep-2,  0x1.3298100ecdf89p0,  -0x1.1ad8ca90dec0cp0, 0x1.8c99169e8d87bp-1,
                                  -0x1.4f0c6af21d9f4p-2, 0x1.2f5f7441a0ba3p-4, -0x1.c2b17bced1db4p-8};
  const F a = fabs(x);
  const Fraction<F> part = split_all(a);
  const F third = fma(part.k, F(1.0 / 3), F(kShift)), q = third - kShift;
  const F c = part.m * power_of_two((part.k - q * 3.0) + kShift);
  const F start = polynomial(c, kP), cube = start * start * start, near = start * ((cube + c * 2.0) / (cube * 2.0 + c));
  const F square = near * near, rest = fma(square, near, -c) + fma(near, near, -square) * near;
  const F root = (near - rest / (square * 3.0)) * power_of_two(third);
  return select(a < kInfinity, select(a == 0.0, x, copysign(root, x)), x);
}

// The square root of a number in two parts, in two parts; 0 of 0.
template <class F>
Sum<F> root_of(F high, F low) {
  const F root = sqrt(high);
  return {root, (fma(-root, root, high) + low) / select(root == 0.0, F(1.0), root + root)};
}
// An infinity wins over a NaN.
template <class F>
F hypot(F a, F b) {
  const F p = fabs(a), q = fabs(b);
  const auto first = p > q;
  const F most = select(first, p, q), least = select(first, q, p);
  const auto is_huge = most > 0x1p500, is_tiny = most < 0x1p-500;
  const F scale = select(is_huge, F(0x1p-600), select(is_tiny, F(0x1p600), F(1.0)));
  const F back = select(is_huge, F(0x1p600), select(is_tiny, F(0x1p-600), F(1.0)));
  const F u = most * scale, v = least * scale, square = u * u, other = v * v;
  const Sum<F> all = sum(square, other);
  const Sum<F> root = root_of(all.high, all.low + (fma(u, u, -square) + fma(v, v, -other)));
  return select(p == kInfinity, p, select(q == kInfinity, q, (root.high + root.low) * back));
}

// From this on, 1 + x^2 is x^2.
inline constexpr double kLarge = 0x1p28;

// log(2 x) for large x, else of 1 + small.
template <class F, class Flag>
F log_of_large(Flag is_large, F x, Sum<F> small) {
  const Logarithm<F> of = one_and(small);
  const Fraction<F> large = split(x);
  return log_of<F>({{select(is_large, large.k + 1.0, of.part.k), select(is_large, large.m, of.part.m)}, select(is_large, F(0.0), of.lost)});
}
// log(|x| + sqrt(1 + x^2)), where the root is 1 + x^2 / (1 + root)
template <class F>
F asinh(F x) {
  const F a = fabs(x);
  const auto is_large = a > kLarge;
  const F w = select(is_large, F(1.0), a), square = w * w, low = fma(w, w, -square);
  const Sum<F> one = two_sum(F(1.0), square), root = root_of(one.high, one.low + low), bottom = sum(root.high, F(1.0));
  const Sum<F> small = sum(w, quotient<F>({square, low}, {bottom.high, bottom.low + root.low}));
  const F result = select(a < 0x1p-27, a * (1.0 - a * a * (1.0 / 6)), log_of_large(is_large, a, small));
  return select(a < kInfinity, copysign(result, x), x);
}
// log(x + sqrt(x^2 - 1)), with t = x - 1: log(1 + t + sqrt(t (x + 1)))
template <class F>
F acosh(F x) {
  const auto is_large = x > kLarge;
  const F w = select(is_large, F(2.0), x), t = w - 1.0;
  const Sum<F> above = two_sum(w, F(1.0));
  const F product = t * above.high;
  const Sum<F> root = root_of(product, fma(t, above.high, -product) + t * above.low), small = two_sum(t, root.high);
  const F result = log_of_large(is_large, x, {small.high, small.low + root.low});
  return select(x < kInfinity, select(x < 1.0, F(kNan), result), x);
}
// log((1 + x) / (1 - x)) / 2 = log(1 + 2 x / (1 - x)) / 2
template <class F>
F atanh(F x) {
  const F a = fabs(x), inside = select(a < 1.0, a, F(0.5)), twice = inside * 2.0;
  const Sum<F> bottom = sum(F(1.0), -inside);
  const F inverse = 1.0 / bottom.high, q = twice * inverse, low = (fma(-q, bottom.high, twice) - q * bottom.low) * inverse;
  const F result = select(a < 0x1p-27, a, log_of(one_and<F>({q, low})) * 0.5);
  return select(a < 1.0, copysign(result, x), select(a == 1.0, copysign(F(kInfinity), x), x * kNan));
}

}  // namespace bpc::scalar::elementary
