// The error function and its complement, as scalar/elementary.h has the others.
#pragma once

#include "scalar/elementary.h"

namespace bpc::scalar::elementary {

// erf of |x| <= 1: x (1 + p(x^2)).
template <class F>
F erf_near(F x) {
  static constexpr double kP[] = {0x1.06eba8214db69p-3,  -0x1.812746b0379fdp-2,  0x1.ce2f21a04362dp-4,  -0x1.b82ce312abf08p-6,
                                  0x1.565bcd12991cp-8,   -0x1.c02db49b09506p-11, 0x1.f9a335388d2f5p-14, -0x1.f4d333884b5c9p-17,
                                  0x1.b9ee95850f6bfp-20, -0x1.5f9828c55d5cep-23, 0x1.fc78cbccf045ap-27, -0x1.46794feaf949ep-30,
                                  0x1.29783041ef512p-34};  // 2^-56
  return fma(x, polynomial(x * x, kP), x);
}
// e^x^2 erfc(x) of x >= 1/2, also of infinity: t q(t) with t = 1 / (x + 3).
template <class F>
F erfcx_far(F x) {
  static constexpr double kQ[] = {
      0x1.20dd750429b6dp-1,  0x1.b14c2f863ea7bp0,  0x1.32eb4c545e619p2,   0x1.96376c94806b9p3,  0x1.ee3ae49281349p4,   0x1.0d1e70a082e54p6,
      0x1.f2700588844bfp6,   0x1.586ff2aa655d7p7,  0x1.29a6720d060cdp6,   -0x1.56c1a64449e4ap8, -0x1.98a70b8d6712p11,  0x1.d61890f8b05bp13,
      -0x1.3614ef99866e7p17, 0x1.123bfe93eb308p20, -0x1.6406a7292deb2p22, 0x1.6b17748dca22ep24, -0x1.0d8230c517f7ap26, 0x1.0fcbb75946c96p27,
      -0x1.5d990a0315959p27, 0x1.fc89f91c8c60ap26, -0x1.1a1d7301b79aep25, -0x1.61bfd2a3d66c9p22};  // 2^-54
  const F t = 1.0 / (x + 3.0);
  return t * polynomial(t, kQ);
}
// c e^(sign x^2), x^2 in two parts.
template <class F>
F times_exp_of_square(F c, double sign, F x) {
  const F square = x * x, low = fma(x, x, -square) * sign;
  const Exponent<F> e = reduce_exp(square * sign);
  return scaled(fma(c, e.r + fma(low, e.r, e.rest + low), c), e);
}

// Up to 1, x (1 + p(x^2)); beyond, 1 - e^-x^2 q(1 / (x + 3)), which is 1 from 6 on.
template <class F>
F erf(F x) {
  static constexpr double kQ[] = {0x1.524d121082affp-16, 0x1.204781f911361p-1, 0x1.b8b9087c59c85p0,   0x1.1782513e02e21p2,
                                  0x1.0ad934687cabcp4,   0x1.00e9cab018835p3,  0x1.02a2073a0d849p7,   0x1.13d4ca83fd02bp8,
                                  -0x1.043cd51d6b9b6p11, 0x1.46086441eb46ap13, -0x1.998858324354ap14, 0x1.e4127159953f5p14,
                                  -0x1.bf8f6b8c42da6p13};  // 2^-59 of the whole
  const F a = fabs(x), inside = select(a > 6.0, F(6.0), a);
  const F outer = 1.0 - exp(-(inside * inside)) * polynomial(1.0 / (inside + 3.0), kQ);
  return copysign(select(a < 1.0, erf_near(inside), outer), x);
}

// 1 - erf(x) up to 1/2 and, of what is negative, to -1; 0 from 27.3 on.
template <class F>
F erfc(F x) {
  const F a = fabs(x), inside = select(a > 28.0, F(28.0), a);
  const F outer = times_exp_of_square(erfcx_far(inside), -1.0, inside);
  return select(a < 0.5, 1.0 - erf_near(x), select(x < 0.0, 2.0 - outer, outer));
}
// Of what is negative 2 e^x^2 - erfcx(|x|), which is infinite from -26.7 on.
template <class F>
F erfcx(F x) {
  const F a = fabs(x), inside = select(a > 27.0, F(27.0), a), far = erfcx_far(a);
  const auto is_near = a < 0.5;
  const F grown = times_exp_of_square(select(is_near, 1.0 - erf_near(x), F(2.0)), 1.0, inside);
  return select(is_near, grown, select(x < 0.0, grown - far, far));
}

}  // namespace bpc::scalar::elementary
