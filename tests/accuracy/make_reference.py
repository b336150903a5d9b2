"""Reference values of the elementwise functions, correctly rounded to f64 by mpmath: writes reference.txt beside this file.

Usage: python3 make_reference.py      (needs mpmath; neither the build nor the tests do)

A line is `function x … y`, in hexadecimal floating point. The arguments cover the whole range: subnormals, the neighbours of special places,
huge values, infinities and NaN, and values drawn evenly by exponent, the function's name being the seed, half of them exact in f32.
"""
import math
import pathlib
import random
import struct

import mpmath as mp

mp.mp.prec = 2400  # sin(1e308) needs a thousand bits of pi before the first one that counts
INF, NAN = math.inf, math.nan
draw = random.Random()


def f32(x):
    try:
        return struct.unpack("f", struct.pack("f", x))[0]
    except OverflowError:
        return math.copysign(INF, x)


SPECIAL = [0.0, 5e-324, 1e-310, 2.2250738585072014e-308, 1e-300, 1.401298464324817e-45, 1e-40, 1.1754943508222875e-38, 1e-30, 1e-16, 1e-8, 2.0**-24,
           1e-3, 0.1, 0.25, 0.5, 0.75, 0.9999999403953552, 0.9999999999999999, 1.0, 1.0000000000000002, 1.0000001192092896, 1.5, 2.0, 3.0, 10.0, 20.0,
           88.0, 89.0, 100.0, 104.0, 700.0, 709.78, 709.79, 745.0, 746.0, 1e4, 1e10, 1e16, 1e22, 1e30, 3.4028234663852886e38, 1e100, 1e300,
           1.7976931348623157e308, INF]
SPECIAL += [k * math.pi / 2 for k in (1, 2, 3, 4, 1000, 10**6)] + [f32(k * math.pi / 2) for k in (1, 2, 3, 4, 1000, 10**6)]


def points(lo=-INF, hi=INF, n=60):
    xs = SPECIAL + [-x for x in SPECIAL]
    for i in range(n):
        x = draw.choice((-1, 1)) * draw.uniform(1, 2) * 2.0 ** draw.choice((draw.randint(-1060, 1020), draw.randint(-120, 120), draw.randint(-6, 6)))
        x = abs(x) if lo >= 0 else x
        xs.append(f32(x) if i % 2 else x)
    if hi - lo < 10:
        xs += [f32(draw.uniform(lo, hi)) for _ in range(n // 2)]
    return [x for x in xs if lo <= x <= hi] + [NAN]


def correctly_rounded(y):
    if mp.isnan(y):
        return NAN
    if mp.isinf(y):
        return INF if y > 0 else -INF
    if abs(y) >= mp.mpf(2) ** 1024 * (1 - mp.mpf(2) ** -54):
        return INF if y > 0 else -INF
    return math.ldexp(*frexp(y))


def frexp(y):  # rounds once, to the 53 bits of a normal number or the fewer of a subnormal one
    mantissa, exponent = mp.frexp(y)
    bits = min(53, exponent + 1074)
    if bits < 0:
        return 0.0, 0
    return float(int(mp.nint(mp.ldexp(mantissa, bits)))), int(exponent - bits)


# Reductions of enormous arguments that mpmath would compute at full length.
def exp(x):
    return mp.inf if x > 800 else mp.mpf(0) if x < -800 else mp.exp(x)


def log1p_of_exp(x):
    return x if x > 500 else mp.log1p(exp(x)) if x > -800 else mp.mpf(0)


def lgamma(x):
    if mp.isinf(x) or x <= 0 and x == mp.floor(x):
        return mp.inf
    if x > 1e30:  # Stirling's series: the first terms are exact to far more than f64
        return (x - mp.mpf(1) / 2) * mp.log(x) - x + mp.log(2 * mp.pi) / 2
    return mp.log(abs(mp.gamma(x))) if abs(x) < 100 else mp.re(mp.loggamma(x)) if x > 0 else NAN


def erfcx(x):
    if x > 1e8:  # the first terms of the asymptotic series are exact to far more than f64
        return (1 - 1 / (2 * x * x) + 3 / (4 * x**4)) / (x * mp.sqrt(mp.pi)) if x < mp.inf else mp.mpf(0)
    return mp.inf if x < -40 else mp.exp(x * x) * mp.erfc(x)


def erfinv(y):
    return y * mp.sqrt(mp.pi) / 2 if abs(y) < 1e-200 else mp.erfinv(y)


UNARY = {
    "exp": (exp, -INF, INF),
    "expm1": (lambda x: mp.inf if x > 800 else mp.mpf(-1) if x < -800 else mp.expm1(x), -INF, INF),
    "log": (lambda x: mp.log(x) if x > 0 else -mp.inf, 0, INF),
    "log1p": (lambda x: mp.log1p(x) if x > -1 else -mp.inf, -1, INF),
    "sqrt": (mp.sqrt, 0, INF),
    "rsqrt": (lambda x: 1 / mp.sqrt(x) if x else mp.inf, 0, INF),
    "sin": (mp.sin, -1.8e308, 1.8e308),
    "cos": (mp.cos, -1.8e308, 1.8e308),
    "tan": (mp.tan, -1.8e308, 1.8e308),
    "asin": (mp.asin, -1, 1),
    "acos": (mp.acos, -1, 1),
    "atan": (mp.atan, -INF, INF),
    "sinh": (lambda x: mp.sign(x) * mp.inf if abs(x) > 800 else mp.sinh(x), -INF, INF),
    "cosh": (lambda x: mp.inf if abs(x) > 800 else mp.cosh(x), -INF, INF),
    "tanh": (lambda x: mp.sign(x) if abs(x) > 800 else mp.tanh(x), -INF, INF),
    "erf": (lambda x: mp.sign(x) if abs(x) > 100 else mp.erf(x), -INF, INF),
    "sigmoid": (lambda x: mp.mpf(1) if x > 2000 else mp.mpf(0) if x < -800 else 1 / (1 + mp.exp(-x)), -INF, INF),
    "softplus": (log1p_of_exp, -INF, INF),
    "lgamma": (lgamma, -99, INF),
    "digamma": (lambda x: mp.log(x) if x > 1e30 else mp.psi(0, x), 1e-300, INF),
    "exp2": (lambda x: mp.inf if x > 1100 else mp.mpf(0) if x < -1100 else mp.power(2, x), -INF, INF),
    "log2": (lambda x: mp.log(x) / mp.log(2) if x > 0 else -mp.inf, 0, INF),
    "log10": (lambda x: mp.log(x) / mp.log(10) if x > 0 else -mp.inf, 0, INF),
    "cbrt": (lambda x: mp.sign(x) * mp.cbrt(abs(x)), -INF, INF),
    "asinh": (lambda x: mp.sign(x) * mp.asinh(abs(x)), -INF, INF),
    "acosh": (mp.acosh, 1, INF),
    "atanh": (lambda x: mp.sign(x) * mp.inf if abs(x) == 1 else mp.atanh(x), -1, 1),
    "erfc": (lambda x: mp.mpf(0) if x > 100 else mp.mpf(2) if x < -100 else mp.erfc(x), -INF, INF),
    "erfcx": (erfcx, -INF, INF),
    "erfinv": (lambda x: mp.sign(x) * mp.inf if abs(x) == 1 else erfinv(x), -1, 1),
    "bessel_j": (lambda x: mp.besselj(0, x), -1e4, 1e4),
    "bessel_i": (lambda x: mp.inf if abs(x) > 800 else mp.besseli(0, x), -INF, INF),
}


def main():
    lines = []
    for name, (function, lo, hi) in UNARY.items():
        draw.seed(name)  # so that a new row moves no other
        for x in points(lo, hi):
            if math.isnan(x):
                y = NAN
            elif x == 0 and name in ("expm1", "log1p", "sqrt", "sin", "tan", "asin", "atan", "sinh", "tanh", "erf", "cbrt", "asinh", "atanh", "erfinv"):
                y = x  # -0 stays -0
            elif x == 0 and name == "rsqrt":
                y = math.copysign(INF, x)  # IEEE 754-2019, 9.2.1
            elif math.isinf(x) and name in ("cosh", "bessel_i"):
                y = INF
            else:
                y = correctly_rounded(function(mp.mpf(x)))
            lines.append((name, x, y))
    draw.seed("pow")
    for _ in range(150):
        x, p = draw.uniform(0, 1) * 2.0 ** draw.randint(-20, 20), draw.uniform(-30, 30)
        lines.append(("pow", f32(x), f32(p), correctly_rounded(mp.power(mp.mpf(f32(x)), mp.mpf(f32(p))))))
        x, n = draw.choice((-1, 1)) * f32(draw.uniform(0, 4)), float(draw.randint(-40, 40))
        lines.append(("pow", x, n, correctly_rounded(mp.power(mp.mpf(x), int(n)))))
    draw.seed("atan2")
    for _ in range(100):
        y, x = (f32(draw.choice((-1, 1)) * draw.uniform(1, 2) * 2.0 ** draw.randint(-60, 60)) for _ in range(2))
        lines.append(("atan2", y, x, correctly_rounded(mp.atan2(mp.mpf(y), mp.mpf(x)))))
    draw.seed("hypot")
    for spread in (3, 40, 1020):
        for _ in range(50):
            a, b = (draw.choice((-1, 1)) * draw.uniform(1, 2) * 2.0 ** draw.randint(-spread, spread) for _ in range(2))
            a, b = (f32(a), f32(b)) if spread < 100 else (a, b)
            lines.append(("hypot", a, b, correctly_rounded(mp.hypot(mp.mpf(a), mp.mpf(b)))))
    for a in (0.0, -0.0, 3.0, INF, NAN):
        for b in (0.0, -4.0, 5e-324, -INF, NAN):
            y = INF if INF in (abs(a), abs(b)) else NAN if a != a or b != b else correctly_rounded(mp.hypot(mp.mpf(a), mp.mpf(b)))
            lines.append(("hypot", a, b, y))
    text = "".join(" ".join([line[0]] + [float(x).hex() for x in line[1:]]) + "\n" for line in lines)
    (pathlib.Path(__file__).parent / "reference.txt").write_text(text)


main()
