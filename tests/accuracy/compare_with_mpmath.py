"""Compares the incomplete gamma and beta functions with mpmath: prints the third table of docs/accuracy.md.

Usage: python3 compare_with_mpmath.py [path of bpc]     (needs mpmath; neither the build nor the tests do)

Parameters are drawn evenly by exponent, arguments around where the distribution lies, from a fixed seed. Derivatives are mpmath's, by differences
at many digits.
"""
import json
import math
import random
import subprocess
import sys

import mpmath as mp

BPC = sys.argv[1] if len(sys.argv) > 1 else "build/release/tools/bpc/bpc"
POINTS = 60
draw = random.Random(20261129)
mp.mp.dps = 60


def by_exponent(lo, hi):
    return math.exp(draw.uniform(math.log(lo), math.log(hi)))


def parameter(largest):  # every other one is a multiple of 1/2, where fractions end early
    a = by_exponent(1e-2, largest)
    return max(round(2 * a), 1) / 2 if largest <= 1000 and draw.random() < 0.5 else a


def of_gamma(largest):
    a = parameter(largest)
    return a, max(a + draw.uniform(-6, 6) * math.sqrt(a), a * by_exponent(0.01, 1))


def of_beta(largest):
    a, b = parameter(largest), parameter(largest)
    m = a / (a + b)
    return a, b, min(max(m + draw.uniform(-6, 6) * math.sqrt(m * (1 - m) / (a + b + 1)), m * draw.random()), 1 - (1 - m) * draw.random())


# name: (reference, arguments)
FUNCTIONS = {
    "gammainc": (lambda a, x: mp.gammainc(a, 0, x, regularized=True), of_gamma),
    "gammaincc": (lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True), of_gamma),
    "betainc": (lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True), of_beta),
}


def error(got, exact):
    return float(abs(mp.mpf(got) - exact) / max(abs(exact), mp.mpf(10) ** -30))


def compare(name, largest):
    reference, points = FUNCTIONS[name]
    arguments = [points(largest) for _ in range(POINTS)]
    names = "abx" if len(arguments[0]) == 3 else "ax"
    script = ["real f64"] + [f"param {n} = {json.dumps([p[i] for p in arguments])}" for i, n in enumerate(names)]
    script += [f"y = {name}({', '.join(names)})"] + [f"d{n} = grad(sum(y), {n})" for n in names] + [f"h = grad(sum(d{names[0]}), {names[0]})"]
    run = subprocess.run([BPC, "run", "--json", "-"], input="\n".join(script), capture_output=True, text=True, check=True)
    values = json.loads(run.stdout)["values"]
    worst = []
    for column in ["y"] + [f"d{n}" for n in names] + ["h"]:
        errors = []
        for k, p in enumerate(arguments):
            p = [mp.mpf(v) for v in p]
            if column == "y":
                exact = reference(*p)
            elif column == "h":
                exact = mp.diff(lambda a: reference(a, *p[1:]), p[0], 2)
            else:
                i = names.index(column[1])
                exact = mp.diff(lambda v: reference(*p[:i], v, *p[i + 1:]), p[i])
            errors.append(error(values[column][k], exact))
        worst.append(f"{max(errors):.1e}")
    if len(names) == 2:
        worst.insert(2, "")
    print(f"| `{name}` | {largest:g} | {' | '.join(worst)} |", flush=True)


print("| function | a, b up to | value | by a | by b | by x | by a twice |")
print("|---|---|---|---|---|---|---|")
for function in FUNCTIONS:
    for size in (10, 1000) if function == "betainc" else (10, 1000, 1e5):
        compare(function, size)
