"""Compares every operator and library function, value and gradient, with PyTorch in f64: prints the second table of docs/accuracy.md.

Usage: python3 compare_with_pytorch.py [path of bpc] [operator ...]     (needs torch and numpy; neither the build nor the tests do)

Each case has random shapes, attributes and values from a fixed seed, and edge values where they have a meaning. y is compared, and the gradient of
sum(c * y) by every real operand, with a random c. The error is |a - b| / max(1, |b|), or 0 where both are the same infinity or NaN.
"""
import datetime
import json
import math
import subprocess
import sys

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
BPC = sys.argv[1] if len(sys.argv) > 1 else "build/release/tools/bpc/bpc"
rng = np.random.default_rng(20261124)
OPERATORS = {}  # name: function that makes one case, as (expression, torch function, operands); "{0}" is the first operand
CASES = 12

# Differences on purpose.
CONVENTIONS = {
    "sign, edge values": "sign(NaN) is NaN, as in NumPy; PyTorch gives 0",
    "abs, edge values": "the derivative of abs at NaN is NaN; PyTorch gives 0",
    "relu, edge values": "the derivative of relu at NaN is 0; PyTorch gives 1",
    "min of two, edge values": "where an operand is NaN the gradient is 0; PyTorch gives it to both",
    "acosh, edge values": "beyond the edge the value is NaN, and the derivative is the formula's",
    "logit, edge values": "beyond 0 and 1 the value is NaN, and the derivative is the formula's",
    "digamma": "PyTorch's trigamma has ten digits",
    "digamma, edge values": "PyTorch's trigamma has ten digits, and is NaN at infinity",
    "norm_logcdf, edge values": "the derivative at -inf is inf; PyTorch gives NaN",
    "bessel_i0, edge values": "at infinity it is infinite; PyTorch gives NaN",
    "bessel_i1, edge values": "at infinity it is infinite; PyTorch gives NaN",
    "hypot, edge values": "the derivative at the kink is 0; PyTorch gives NaN",
    "logaddexp, edge values": "the derivative at infinity is 0; PyTorch gives NaN",
    "xlogy, edge values": "the derivative where x is 0 and log(y) infinite is 0",
    "fmod, edge values": "where the value is NaN the derivative is, too",
    "max of two, edge values": "where an operand is NaN the gradient is 0; PyTorch gives it to both",
}


def operator(name, cases=CASES, gradient=True):
    def add(make):
        OPERATORS[name] = (make, cases, gradient)
        return make
    return add


def shape(lo=0, hi=3, sizes=(1, 5)):
    return tuple(int(n) for n in rng.integers(*sizes, rng.integers(lo, hi + 1), endpoint=True))


def reals(of, lo=-2.0, hi=2.0):
    return rng.uniform(lo, hi, of)


def integers(of, lo, hi):
    return rng.integers(lo, hi, of)


def pick(*items):
    return items[rng.integers(len(items))]


def axes_of(x):
    """One axis, several or all of them: as written in a script, and for torch."""
    n = x.ndim
    kind = rng.integers(3)
    if kind == 0 or n == 0:
        return "", tuple(range(n))
    if kind == 1:
        axis = int(rng.integers(-n, n))
        return f", axis={axis}", (axis,)
    chosen = sorted(rng.choice(n, rng.integers(1, n + 1), replace=False).tolist())
    return f", axis={chosen}", tuple(chosen)


# ---- elementwise ----

EDGES = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1e-310, 1e-30, -1e-30, 1e30, -1e30, 1e300, 1.0, -1.0, 40.0, -40.0, 800.0, -800.0]
UNARY = {
    "-": (lambda x: -x, "-{0}"), "abs": (torch.abs,), "sign": (torch.sign,), "exp": (torch.exp,), "expm1": (torch.expm1,), "log": (torch.log,),
    "log1p": (torch.log1p,), "sqrt": (torch.sqrt,), "rsqrt": (torch.rsqrt,), "square": (torch.square,), "sin": (torch.sin,), "cos": (torch.cos,),
    "tan": (torch.tan,), "asin": (torch.asin,), "acos": (torch.acos,), "atan": (torch.atan,), "sinh": (torch.sinh,), "cosh": (torch.cosh,),
    "tanh": (torch.tanh,), "erf": (torch.erf,), "lgamma": (torch.lgamma,), "floor": (torch.floor,), "ceil": (torch.ceil,), "round": (torch.round,),
    "relu": (torch.relu,), "elu": (F.elu,), "gelu": (F.gelu,), "silu": (F.silu,), "sigmoid": (torch.sigmoid,), "log_sigmoid": (F.logsigmoid,),
    "softplus": (lambda x: torch.logaddexp(x, torch.zeros_like(x)),), "step": (lambda x: (x > 0).double(),),
    "leaky_relu": (F.leaky_relu,), "clamp": (lambda x: torch.clamp(x, -0.5, 1.5), "clamp({0}, -0.5, 1.5)"),
    "exp2": (torch.exp2,), "log2": (torch.log2,), "log10": (torch.log10,), "asinh": (torch.asinh,), "acosh": (torch.acosh,), "atanh": (torch.atanh,),
    "trunc": (torch.trunc,), "erfc": (torch.erfc,), "erfcx": (torch.special.erfcx,), "erfinv": (torch.erfinv,), "sinc": (torch.sinc,),
    "logit": (torch.logit,), "digamma": (torch.digamma,), "norm_cdf": (torch.special.ndtr,), "norm_logcdf": (torch.special.log_ndtr,),
    "bessel_i0": (torch.special.i0,), "bessel_i1": (torch.special.i1,),
}
DOMAIN = {"log": (0.01, 5), "sqrt": (0.01, 5), "rsqrt": (0.01, 5), "log1p": (-0.9, 5), "asin": (-0.95, 0.95), "acos": (-0.95, 0.95),
          "lgamma": (0.1, 8), "erf": (-3, 3), "log2": (0.01, 5), "log10": (0.01, 5), "acosh": (1.01, 5), "atanh": (-0.95, 0.95),
          "erfinv": (-0.95, 0.95), "logit": (0.02, 0.98), "digamma": (0.1, 8), "trigamma": (0.1, 8), "cbrt": (0.1, 5)}
for _name, (_function, *_text) in UNARY.items():
    def _make(name=_name, function=_function, text=_text):
        return (text[0] if text else f"{name}({{0}})"), function, [reals(shape(), *DOMAIN.get(name, (-3, 3)))]

    def _edges(name=_name, function=_function, text=_text):
        return (text[0] if text else f"{name}({{0}})"), function, [np.array(EDGES)]
    operator(_name)(_make)
    operator(f"{_name}, edge values", 1)(_edges)


def stretched():
    """Two shapes of which one stretches to the other: broadcasting is one-sided."""
    of = shape()
    to = [1 if rng.integers(3) == 0 else n for n in of] if rng.integers(2) else of[rng.integers(len(of) + 1):]
    return (of, tuple(to)) if rng.integers(2) else (tuple(to), of)


BINARY = {
    "+": ("{0} + {1}", torch.add), "- of two": ("{0} - {1}", torch.sub), "*": ("{0} * {1}", torch.mul), "/": ("{0} / {1}", torch.div),
    "atan2": ("atan2({0}, {1})", torch.atan2), "min of two": ("min({0}, {1})", torch.minimum), "max of two": ("max({0}, {1})", torch.maximum),
    "hypot": ("hypot({0}, {1})", torch.hypot), "logaddexp": ("logaddexp({0}, {1})", torch.logaddexp), "xlogy": ("xlogy({0}, {1})", torch.xlogy),
    "fmod": ("fmod({0}, {1})", torch.fmod),
}
for _name, (_text, _function) in BINARY.items():
    operator(_name)(lambda text=_text, function=_function: (text, function, [reals(s) for s in stretched()]))
PAIRS = np.array([(a, b) for a in (0.0, -0.0, 1.0, -2.5, math.inf, -math.inf, math.nan, 1e-310, 1e300) for b in (0.0, -0.0, 3.0, -2.0, math.inf, math.nan)])
for _name, (_text, _function) in BINARY.items():
    operator(f"{_name}, edge values", 1)(lambda text=_text, function=_function: (text, function, [PAIRS[:, 0], PAIRS[:, 1]]))
operator("%")(lambda: ("{0} % {1}", torch.remainder, [reals(s := shape(), 2.1, 9), reals(s, 0.6, 2)]))
operator("^")(lambda: ("{0} ^ {1}", torch.pow, [reals(s, 0.2, 3) for s in stretched()]))
operator("^ with integer powers")(lambda: ((lambda n: (f"{{0}} ^ {n}", lambda x: x ** n, [reals(shape(), -3, 3)]))(int(rng.integers(-4, 6)))))
operator("where")(lambda: ("where({0} > 0, {1}, {2})", lambda c, a, b: torch.where(c > 0, a, b), [integers(s := shape(), 0, 2), reals(s), reals(s)]))
for _text in ("<", "<=", ">", ">=", "==", "!="):
    operator(f"{_text}", gradient=False)(lambda text=_text: (f"f64({{0}} {text} {{1}})", lambda a, b: eval(f"a {text} b").double(),
                                                             [integers(s := shape(), 0, 3).astype(float), integers(s, 0, 3).astype(float)]))
for _text in ("and", "or"):
    operator(_text, gradient=False)(lambda text=_text: (f"f64(({{0}} > 0) {text} ({{1}} > 0))", lambda a, b: (
        (a > 0) & (b > 0) if text == "and" else (a > 0) | (b > 0)).double(), [reals(s := shape()), reals(s)]))

# ---- reductions ----


def reduction(name, function, lo=-2.0, hi=2.0, gradient=True):
    def make():
        x = reals(shape(1, 3), lo, hi)
        text, axes = axes_of(x)
        keep = bool(rng.integers(2))
        return f"{name}({{0}}{text}{', keep=true' if keep else ''})", lambda t: function(t, axes, keep), [x]
    operator(name, gradient=gradient)(make)


# ---- distributions: parameters in Stan's order ----

D = torch.distributions
DENSITIES = {  # the ranges of x and of the parameters
    "normal_logpdf": (D.Normal, (-3, 3), (-3, 3), (0.2, 3)), "lognormal_logpdf": (D.LogNormal, (0.1, 4), (-2, 2), (0.2, 3)),
    "half_normal_logpdf": (D.HalfNormal, (0.1, 4), (0.2, 3)), "half_cauchy_logpdf": (D.HalfCauchy, (0.1, 4), (0.2, 3)),
    "student_t_logpdf": (D.StudentT, (-3, 3), (0.5, 9), (-3, 3), (0.2, 3)), "cauchy_logpdf": (D.Cauchy, (-3, 3), (-3, 3), (0.2, 3)),
    "laplace_logpdf": (D.Laplace, (-3, 3), (-3, 3), (0.2, 3)), "exponential_logpdf": (D.Exponential, (0.1, 4), (0.2, 3)),
    "gamma_logpdf": (D.Gamma, (0.1, 4), (0.2, 9), (0.2, 3)), "inv_gamma_logpdf": (D.InverseGamma, (0.1, 4), (0.2, 9), (0.2, 3)),
    "beta_logpdf": (D.Beta, (0.05, 0.95), (0.2, 9), (0.2, 9)),
}
for _name, (_distribution, *_ranges) in DENSITIES.items():
    def _make(name=_name, distribution=_distribution, ranges=_ranges):
        of = shape()
        return (f"{name}({', '.join(f'{{{i}}}' for i in range(len(ranges)))})", lambda x, *p: distribution(*p).log_prob(x), [reals(of, *r) for r in ranges])
    operator(_name)(_make)
COUNTS = {
    "bernoulli_logpmf": (1, lambda k, p: D.Bernoulli(p).log_prob(k), (0.05, 0.95)),
    "bernoulli_logit_logpmf": (1, lambda k, x: D.Bernoulli(logits=x).log_prob(k), (-3, 3)),
    "poisson_logpmf": (9, lambda k, r: D.Poisson(r).log_prob(k), (0.1, 9)),
    "poisson_log_logpmf": (9, lambda k, x: D.Poisson(x.exp()).log_prob(k), (-2, 2)),
}
for _name, (_most, _function, _range) in COUNTS.items():
    def _make(name=_name, most=_most, function=_function, of_parameter=_range):
        n = int(rng.integers(1, 6))
        k = integers((n,), 0, most)
        return f"{name}({k.tolist()}, {{0}})", lambda p: function(torch.tensor(k, dtype=torch.float64), p), [reals((n,), *of_parameter)]
    operator(_name)(_make)


@operator("dirichlet_logpdf")
def _():
    a = reals((int(rng.integers(2, 6)),), 0.3, 4)
    x = rng.dirichlet(a)
    return f"dirichlet_logpdf({x.tolist()}, {{0}})", lambda a: D.Dirichlet(a).log_prob(torch.tensor(x)), [a]


@operator("multivariate_normal_cholesky_logpdf")
def _():
    n = int(rng.integers(1, 5))
    L = np.tril(reals((n, n), -0.5, 0.5)) + np.diag(reals((n,), 0.7, 2))
    return ("multivariate_normal_cholesky_logpdf({0}, {1}, {2})", lambda x, m, L: D.MultivariateNormal(m, scale_tril=torch.tril(L)).log_prob(x),
            [reals((3, n)), reals((n,)), L])


def folded(one):  # of a torch function that takes a single axis
    def apply(t, axes, keep):
        for axis in sorted((a % t.ndim for a in axes), reverse=True):
            t = one(t, axis, keep)
        return t
    return apply


reduction("sum", lambda t, a, k: t.sum(a, k))
reduction("mean", lambda t, a, k: t.mean(a, k))
reduction("prod", folded(lambda t, a, k: t.prod(a, k)))
reduction("max", lambda t, a, k: t.amax(a, k))
reduction("min", lambda t, a, k: t.amin(a, k))
reduction("var", lambda t, a, k: t.var(a, correction=0, keepdim=k))
reduction("std", lambda t, a, k: t.std(a, correction=0, keepdim=k))
reduction("norm", lambda t, a, k: torch.linalg.vector_norm(t, dim=a, keepdim=k))
reduction("logsumexp", lambda t, a, k: torch.logsumexp(t, a, k))
operator("any", gradient=False)(lambda: ((lambda x: ("f64(any({0} > 1))", lambda t: (t > 1).any().double(), [x]))(reals(shape(1, 3)))))
operator("all", gradient=False)(lambda: ((lambda x: ("f64(all({0} > -1))", lambda t: (t > -1).all().double(), [x]))(reals(shape(1, 3)))))
for _name, _function in (("argmax", torch.argmax), ("argmin", torch.argmin)):
    def _make(name=_name, function=_function):
        x = reals(shape(1, 3))
        axis = pick(None, *range(-x.ndim, x.ndim))
        return f"f64({name}({{0}}{'' if axis is None else f', axis={axis}'}))", lambda t: function(t, axis).double(), [x]
    operator(_name, gradient=False)(_make)


@operator("cumsum")
def _():
    x = reals(shape(1, 3))
    axis = int(rng.integers(-x.ndim, x.ndim))
    return f"cumsum({{0}}, axis={axis})", lambda t: t.cumsum(axis), [x]


@operator("prod, with zeros", 6)
def _():
    x = reals((4,))
    x[rng.integers(4, size=rng.integers(1, 3))] = 0
    return "prod({0})", torch.prod, [x]


@operator("max, with ties", 6)
def _():
    return "max({0}, axis=0)", lambda t: t.amax(0), [integers((4, 3), 0, 2).astype(float)]


# ---- linear algebra ----


def square(n, batch=()):
    return reals(batch + (n, n)) + 3 * np.eye(n)


def positive(n, batch=()):
    a = reals(batch + (n, n), -1, 1)
    return a @ np.swapaxes(a, -1, -2) + np.eye(n)


@operator("@")
def _():
    m, k, n = rng.integers(1, 6, 3)
    batch = shape(0, 2, (1, 3))
    a, b = pick(((k,), (k,)), ((m, k), (k,)), ((k,), (k, n)), ((m, k), (k, n)), (batch + (m, k), batch + (k, n)), (batch + (m, k), (k, n)))
    return "{0} @ {1}", torch.matmul, [reals(a), reals(b)]


operator("dot")(lambda: ("dot({0}, {1})", torch.dot, [reals((n := int(rng.integers(1, 9)),)), reals((n,))]))
operator("outer")(lambda: ("outer({0}, {1})", torch.outer, [reals((int(rng.integers(1, 6)),)), reals((int(rng.integers(1, 6)),))]))
operator("trace")(lambda: ("trace({0})", torch.trace, [reals((n := int(rng.integers(1, 6)), n))]))
operator("diag")(lambda: ("diag({0})", torch.diag, [reals(pick((4,), (3, 3), (1,), (5, 5)))]))
operator("tril")(lambda: ((lambda k: (f"tril({{0}}, {k})", lambda t: t.tril(k), [reals(shape(2, 3))]))(int(rng.integers(-2, 3)))))
operator("triu")(lambda: ((lambda k: (f"triu({{0}}, {k})", lambda t: t.triu(k), [reals(shape(2, 3))]))(int(rng.integers(-2, 3)))))


@operator("transpose")
def _():
    x = reals(shape(2, 4))
    perm = rng.permutation(x.ndim).tolist()
    return f"transpose({{0}}, {perm})", lambda t: t.permute(perm), [x]


@operator(".T", 4)
def _():
    return "{0}.T", lambda t: t.T, [reals(shape(2, 2))]


@operator("einsum", 30)
def _():
    sizes = dict(zip("abcdefg", rng.integers(1, 4, 7).tolist()))
    spec = pick("ab,bc->ac", "a,a->", "a,b->ab", "gab,gbc->gac", "ab,cb->ca", "abc,cd->abd", "ab->ba", "ab->a", "abc->b", "aa->a", "aa->", "gaa->ga", "ab,bc,cd->ad",
                "ab,ab->", "abc,abd->acd", "a,ab,b->", "ab,b", "aab,bc->ac", "gab,gcb,gd->gacd", "abab->ab")
    operands = [reals(tuple(sizes[c] for c in word)) for word in spec.split("->")[0].split(",")]
    return f'einsum("{spec}", {", ".join(f"{{{i}}}" for i in range(len(operands)))})', lambda *t: torch.einsum(spec, *t), operands


def batches():
    return pick((), (), (2,), (2, 3))


@operator("cholesky")
def _():
    return "cholesky({0})", torch.linalg.cholesky, [positive(int(rng.integers(1, 6)), batches())]


@operator("solve")
def _():
    n, batch = int(rng.integers(1, 6)), batches()
    b = reals(pick((n,), (n, 3)) if batch == () else batch + (n, 2))
    return "solve({0}, {1})", torch.linalg.solve, [square(n, batch), b]


@operator("triangular_solve")
def _():
    n, batch = int(rng.integers(1, 6)), batches()
    a = np.tril(square(n, batch))
    return "triangular_solve({0}, {1})", lambda a, b: torch.linalg.solve_triangular(a.tril(), b, upper=False), [a, reals(batch + (n, 2))]


operator("inv")(lambda: ("inv({0})", torch.linalg.inv, [square(int(rng.integers(1, 6)), batches())]))
operator("det")(lambda: ("det({0})", torch.linalg.det, [square(int(rng.integers(1, 6)), batches())]))
operator("logdet")(lambda: ("logdet({0})", torch.logdet, [positive(int(rng.integers(1, 6)), batches())]))

# ---- shapes ----


@operator("reshape")
def _():
    x = reals(shape(1, 3))
    to = [x.size] if rng.integers(2) else [1, x.size, 1]
    return f"reshape({{0}}, {to})", lambda t: t.reshape(to), [x]


@operator("expand_dims")
def _():
    x = reals(shape(0, 3))
    axis = int(rng.integers(-x.ndim - 1, x.ndim + 1))
    return f"expand_dims({{0}}, {axis})", lambda t: t.unsqueeze(axis), [x]


@operator("squeeze")
def _():
    x = reals((2, 1, 3))
    return "squeeze({0}, 1)", lambda t: t.squeeze(1), [x]


operator("broadcast_to")(lambda: ("broadcast_to({0}, [4, 2, 3])", lambda t: t.broadcast_to((4, 2, 3)), [reals(pick((), (3,), (2, 3), (4, 1, 3)))]))


@operator("concat")
def _():
    axis, n = int(rng.integers(0, 2)), int(rng.integers(1, 4))
    parts = [reals((int(rng.integers(1, 4)), 3) if axis == 0 else (2, int(rng.integers(1, 4)))) for _ in range(n)]
    names = ", ".join(f"{{{i}}}" for i in range(n))
    return f"concat([{names}], axis={axis})", lambda *t: torch.cat(t, axis), parts


@operator("stack")
def _():
    of, n = shape(0, 2), int(rng.integers(1, 4))
    axis = int(rng.integers(0, len(of) + 1))
    names = ", ".join(f"{{{i}}}" for i in range(n))
    return f"stack([{names}], axis={axis})", lambda *t: torch.stack(t, axis), [reals(of) for _ in range(n)]


@operator("flip")
def _():
    x = reals(shape(1, 3))
    axis = int(rng.integers(0, x.ndim))
    return f"flip({{0}}, {axis})", lambda t: t.flip(axis), [x]


@operator("roll")
def _():
    x = reals(shape(1, 3))
    axis, n = int(rng.integers(0, x.ndim)), int(rng.integers(-7, 8))
    return f"roll({{0}}, {n}, axis={axis})", lambda t: t.roll(n, axis), [x]


@operator("pad")
def _():
    x = reals(shape(1, 3))
    widths = rng.integers(0, 3, (x.ndim, 2)).tolist()
    return f"pad({{0}}, {widths})", lambda t: F.pad(t, [w for pair in reversed(widths) for w in pair]), [x]


@operator("tile")
def _():
    x = reals(shape(1, 3, (1, 3)))
    reps = rng.integers(1, 4, x.ndim).tolist()
    return f"tile({{0}}, {reps})", lambda t: t.tile(reps), [x]


@operator("split")
def _():
    x = reals((4, 6))
    axis, n = pick((0, 2), (1, 3), (1, 2))
    k = int(rng.integers(n))
    parts = ", ".join(f"p{i}" for i in range(n))
    return f"part{k} of {n}: split({{0}}, {n}, axis={axis})", lambda t: t.chunk(n, axis)[k], [x]


@operator("gather")
def _():
    axis = int(rng.integers(0, 2))
    return f"gather({{0}}, {{1}}, {axis})", lambda t, i: t.gather(axis, i), [reals((4, 5)), integers((3, 5) if axis == 0 else (4, 3), 0, 4)]


@operator("scatter_add")
def _():
    n = int(rng.integers(1, 7))
    return "scatter_add({0}, {1}, {2})", lambda t, i, v: t.index_add(0, i, v), [reals((4, 3)), integers((n,), 0, 4), reals((n, 3))]


operator("x[indices]")(lambda: ("{0}[{1}]", lambda t, i: t[i], [reals((5, 3)), integers(shape(1, 2), -5, 5)]))
operator("slices", 4)(lambda: pick(("{0}[1.., ..2]", lambda t: t[1:, :2], [reals((4, 5))]), ("{0}[-1]", lambda t: t[-1], [reals((4, 5))]),
                                   ("{0}[.., 1..5 by 2]", lambda t: t[:, 1:5:2], [reals((4, 5))])))
operator("embedding")(lambda: ("embedding({0}, {1})", lambda i, w: F.embedding(i, w), [integers(shape(1, 2), 0, 5), reals((5, 3))]))
operator("one_hot", gradient=False)(lambda: ("one_hot({0}, 5)", lambda i: F.one_hot(i, 5).double(), [integers(shape(1, 2), 0, 5)]))


def ordered(name, function):
    def make():
        x = reals(shape(1, 3, (2, 5)))
        axis, descending = int(rng.integers(-x.ndim, x.ndim)), bool(rng.integers(2))
        text = f"axis={axis}, descending={'true' if descending else 'false'}"
        return name.replace("?", text), lambda t: function(t, axis, descending), [x]
    return make


operator("sort")(ordered("sort({0}, ?)", lambda t, a, d: t.sort(dim=a, descending=d).values))
operator("argsort", gradient=False)(ordered("f64(argsort({0}, ?))", lambda t, a, d: t.argsort(dim=a, descending=d).double()))


@operator("topk")
def _():
    x, k = reals(shape(1, 2) + (5,)), int(rng.integers(1, 6))
    return f"part0 of 2: topk({{0}}, {k})", lambda t: t.topk(k).values, [x]


operator("arange", gradient=False)(lambda: ((lambda lo, n, by: (f"f64(arange({lo}, {lo + n * by}, {by}))", lambda: torch.arange(lo, lo + n * by, by).double(), []))(
    int(rng.integers(-5, 5)), int(rng.integers(1, 7)), int(rng.integers(1, 4)))))
operator("linspace", gradient=False)(lambda: ((lambda lo, hi, n: (f"linspace({lo}, {hi}, {n})", lambda: torch.linspace(lo, hi, n), []))(
    float(rng.integers(-5, 0)), float(rng.integers(1, 5)), int(rng.integers(2, 9)))))
operator("zeros, ones, full, eye", gradient=False)(lambda: pick(("zeros([2, 3])", lambda: torch.zeros(2, 3), []), ("ones([4])", lambda: torch.ones(4), []), (
    "full([2, 2], 1.5)", lambda: torch.full((2, 2), 1.5), []), ("eye(3)", lambda: torch.eye(3), [])))
operator("not", gradient=False)(lambda: ("f64(not ({0} > 0))", lambda a: (~(a > 0)).double(), [reals(shape())]))
operator("i32, i64, bool, f32", gradient=False)(lambda: pick(("f64(i32({0}))", lambda a: a.int().double(), [reals(shape(), -9, 9)]), ("f64(i64({0}))", lambda a: (
    a.long().double()), [reals(shape(), -9, 9)]), ("f64(bool({0}))", lambda a: a.bool().double(), [integers(shape(), -1, 2).astype(float)]), (
        "f64(f32({0}))", lambda a: a.float().double(), [reals(shape())])))
operator("window")(lambda: ((lambda k, s: (f"window({{0}}, 1, {k}, stride={s})", lambda t: t.unfold(1, k, s), [reals((2, 7, 3))]))(
    int(rng.integers(1, 5)), int(rng.integers(1, 4)))))

# ---- networks ----


@operator("softmax")
def _():
    x = reals(shape(1, 3), -5, 5)
    axis = int(rng.integers(-x.ndim, x.ndim))
    return f"softmax({{0}}, axis={axis})", lambda t: t.softmax(axis), [x]


@operator("log_softmax")
def _():
    x = reals(shape(1, 3), -5, 5)
    axis = int(rng.integers(-x.ndim, x.ndim))
    return f"log_softmax({{0}}, axis={axis})", lambda t: t.log_softmax(axis), [x]


LOGITS = np.array([[1e4, -1e4, 0.0], [1e30, 1e30, -1e30], [-800.0, -801.0, -900.0], [800.0, 1.0, 800.0]])
operator("softmax, extreme logits", 1)(lambda: ("softmax({0})", lambda t: t.softmax(-1), [LOGITS]))
operator("log_softmax, extreme logits", 1)(lambda: ("log_softmax({0})", lambda t: t.log_softmax(-1), [LOGITS]))
# PyTorch rounds 1e30 + log(2) before it takes the softmax for the gradient.
operator("logsumexp, extreme logits", 1)(lambda: ("logsumexp({0}, axis=-1)", lambda t: t.logsumexp(-1), [LOGITS[[0, 2, 3]]]))
operator("cross_entropy, extreme logits", 1)(lambda: ("cross_entropy({0}, {1})", lambda t, l: F.cross_entropy(t, l, reduction="none"),
                                                      [LOGITS, np.array([0, 1, 2, 1])]))
operator("bce_with_logits, extreme logits", 1)(lambda: ("bce_with_logits({0}, {1})", lambda t, l: F.binary_cross_entropy_with_logits(
    t, l, reduction="none"), [np.array([1e4, -1e4, 800.0, -800.0, 0.0]), np.array([0.0, 1.0, 1.0, 0.25, 0.5])]))
operator("cross_entropy")(lambda: ("cross_entropy({0}, {1})", lambda t, l: F.cross_entropy(t, l, reduction="none"),
                                       [reals((n := int(rng.integers(1, 6)), 4), -4, 4), integers((n,), 0, 4)]))
operator("bce_with_logits")(lambda: ("bce_with_logits({0}, {1})", lambda t, l: F.binary_cross_entropy_with_logits(t, l, reduction="none"),
                                     [reals(s := shape(), -4, 4), reals(s, 0, 1)]))
operator("mse")(lambda: ("mse({0}, {1})", lambda a, b: F.mse_loss(a, b, reduction="none"), [reals(s := shape()), reals(s)]))
operator("mae")(lambda: ("mae({0}, {1})", lambda a, b: F.l1_loss(a, b, reduction="none"), [reals(s := shape()), reals(s)]))
operator("huber")(lambda: ((lambda d: (f"huber({{0}}, {{1}}, delta={d})", lambda a, b: F.huber_loss(a, b, reduction="none", delta=d),
                                       [reals(s := shape()), reals(s)]))(pick(1.0, 0.5, 2.0))))
operator("layer_norm")(lambda: ("layer_norm({0}, {1}, {2})", lambda x, g, b: F.layer_norm(x, g.shape, g, b),
                                [reals(shape(0, 2) + (5,)), reals((5,)), reals((5,))]))
operator("batch_norm")(lambda: ("batch_norm({0}, {1}, {2})", lambda x, g, b: F.batch_norm(x, None, None, g, b, training=True),
                                [reals((int(rng.integers(2, 6)), 3) + shape(0, 2)), reals((3,)), reals((3,))]))


@operator("conv1d")
def _():
    stride, padding, dilation, groups = (int(rng.integers(*r)) for r in ((1, 4), (0, 3), (1, 3), (1, 3)))
    x, w = reals((2, 2 * groups, int(rng.integers(7, 11)))), reals((groups * int(rng.integers(1, 3)), 2, int(rng.integers(1, 4))))
    return (f"conv1d({{0}}, {{1}}, stride={stride}, padding={padding}, dilation={dilation}, groups={groups})",
            lambda x, w: F.conv1d(x, w, None, stride, padding, dilation, groups), [x, w])


@operator("conv2d")
def _():
    stride, padding, dilation, groups = (int(rng.integers(*r)) for r in ((1, 4), (0, 3), (1, 3), (1, 3)))
    x = reals((2, 2 * groups, int(rng.integers(6, 9)), int(rng.integers(6, 9))))
    w = reals((groups * int(rng.integers(1, 3)), 2, int(rng.integers(1, 4)), int(rng.integers(1, 4))))
    return (f"conv2d({{0}}, {{1}}, stride={stride}, padding={padding}, dilation={dilation}, groups={groups})",
            lambda x, w: F.conv2d(x, w, None, stride, padding, dilation, groups), [x, w])


@operator("conv_transpose2d")
def _():
    stride, padding = int(rng.integers(1, 4)), int(rng.integers(0, 2))
    x, w = reals((2, 3, 4, 5)), reals((3, int(rng.integers(1, 3)), int(rng.integers(2, 4)), int(rng.integers(2, 4))))
    return (f"conv_transpose2d({{0}}, {{1}}, stride={stride}, padding={padding})",
            lambda x, w: F.conv_transpose2d(x, w, None, stride, padding), [x, w])


@operator("max_pool2d")
def _():
    k, stride = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    return f"max_pool2d({{0}}, {k}, stride={stride})", lambda x: F.max_pool2d(x, k, stride), [reals((2, 2, 6, 7))]


@operator("avg_pool2d")
def _():
    k, stride = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    return f"avg_pool2d({{0}}, {k}, stride={stride})", lambda x: F.avg_pool2d(x, k, stride), [reals((2, 2, 6, 7))]


@operator("attention")
def _():
    batch, d = shape(0, 2, (1, 3)), int(rng.integers(1, 5))
    return "attention({0}, {1}, {2})", F.scaled_dot_product_attention, [reals(batch + (n, d)) for n in (3, 4, 4)]


@operator("attention, with a mask", 6)
def _():
    batch = shape(0, 2, (1, 3))
    mask = np.tril(np.ones((4, 4), dtype=np.int64))
    return ("attention({0}, {1}, {2}, {3} > 0)", lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m > 0),
            [reals(batch + (4, 3)), reals(batch + (4, 3)), reals(batch + (4, 3)), mask])


@operator("attention, with a mask that is added", 6)
def _():
    batch = shape(0, 2, (1, 3))
    return ("attention({0}, {1}, {2}, {3})", lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m),
            [reals(batch + (4, 3)), reals(batch + (5, 3)), reals(batch + (5, 2)), reals((4, 5))])


# ---- running ----


def number(x):
    if math.isnan(x):
        return "0 / 0"
    if math.isinf(x):
        return "1 / 0" if x > 0 else "-1 / 0"
    return repr(float(x))


def literal(x):
    if x.ndim == 0:
        return number(float(x)) if x.dtype.kind == "f" else str(int(x))
    return "[" + ", ".join(literal(part) for part in x) + "]"


def of_json(x):
    return np.array(x, dtype=object).astype(float) if isinstance(x, list) else np.float64(x)


def error(mine, theirs):
    if mine.shape != theirs.shape:
        return math.inf
    if mine.size == 0:
        return 0.0
    with np.errstate(all="ignore"):
        same = (mine == theirs) | (np.isnan(mine) & np.isnan(theirs))
        each = np.where(same, 0, np.abs(mine - theirs) / np.maximum(1, np.abs(theirs)))
    return float(np.where(np.isnan(each), math.inf, each).max())


def shown(key, mine, theirs):
    if mine.shape != theirs.shape:
        return f"{key}: shapes {mine.shape} and {theirs.shape}"
    with np.errstate(all="ignore"):
        where = ~((mine == theirs) | (np.isnan(mine) & np.isnan(theirs)) | (np.abs(mine - theirs) <= 1e-10 * np.maximum(1, np.abs(theirs))))
    places = np.argwhere(where)[:3].tolist()
    return f"{key}: " + "; ".join(f"{at}: {mine[tuple(at)]} and {theirs[tuple(at)]}" for at in places)


def compare(name):
    make, count, gradient = OPERATORS[name]
    script, expected = [], []
    for i in range(count):
        text, function, operands = make()
        names = [f"x{i}_{k}" for k in range(len(operands))]
        for operand_name, operand in zip(names, operands):
            kind = "f64" if operand.dtype.kind == "f" else "i64"
            dims = list(operand.shape)
            script.append(f"{operand_name} : {kind}{dims if dims else ''} = {literal(np.asarray(operand))}")
        tensors = [torch.tensor(operand, requires_grad=operand.dtype.kind == "f" and gradient) for operand in operands]
        y = function(*tensors)
        if text.startswith("part"):
            which, text = text.split(": ", 1)
            k, n = int(which.split()[0][4:]), int(which.split()[2])
            script.append(f"{', '.join(f'y{i}' if j == k else f'other{i}_{j}' for j in range(n))} = {text.format(*names)}")
        else:
            script.append(f"y{i} = {text.format(*names)}")
        expected.append((f"y{i}", y.detach().numpy()))
        if not gradient:
            continue
        c = reals(tuple(y.shape))
        script.append(f"c{i} : f64{list(c.shape) if c.shape else ''} = {literal(np.asarray(c))}")
        if y.requires_grad:
            (y * torch.tensor(c)).sum().backward()
        for operand_name, tensor in zip(names, tensors):
            if tensor.requires_grad:
                script.append(f"g{operand_name} = grad(sum(c{i} * y{i}), {operand_name})")
                expected.append((f"g{operand_name}", (torch.zeros_like(tensor) if tensor.grad is None else tensor.grad).numpy()))
    text = "\n".join(script) + "\n"
    done = subprocess.run([BPC, "run", "--json", "--full", "--real", "f64", "-q", "-"], input=text, capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stderr.strip().splitlines()[0], text
    values = json.loads(done.stdout)["values"]
    worst = {"value": (0.0, ""), "gradient": (0.0, "")}
    for key, theirs in expected:
        kind = "value" if key.startswith("y") else "gradient"
        found = error(of_json(values[key]), theirs)
        if found > worst[kind][0]:
            worst[kind] = (found, shown(key, of_json(values[key]), theirs))
    return worst, "", text


def main():
    print(f"Compared on {datetime.date.today()} with PyTorch {torch.__version__}, NumPy {np.__version__}, f64, seed 20261124.\n")
    print("| operator | cases | value | gradient |\n|---|---|---|---|")
    notes, failures = [], []
    for name in sys.argv[2:] or OPERATORS:
        worst, message, text = compare(name)
        _, count, gradient = OPERATORS[name]
        if worst is None:
            failures.append(f"{name}: {message}")
            continue
        errors = {kind: f"{worst[kind][0]:.1e}" for kind in worst}
        for kind in worst:
            if worst[kind][0] <= 1e-10:
                continue
            if name in CONVENTIONS:
                notes.append(f"`{name}`: {CONVENTIONS[name]}")
                errors[kind] = "convention"
            else:
                failures.append(f"{name}, {kind} {worst[kind][1]}")
        print(f"| `{name}` | {count} | {errors['value']} | {errors['gradient'] if gradient else ''} |")
    print("\nDifferences on purpose:\n" + "".join(f"- {note}\n" for note in notes))
    if failures:
        sys.exit("Differences above 1e-10:\n" + "\n".join(failures))


main()
