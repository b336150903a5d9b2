"""The solvers of bpc's prelude beside SciPy, JAX (diffrax, optimistix) and PyTorch (torchdiffeq): how exact a value and its gradient are, and what they take.

    PYTHON bench/solvers/solvers.py > bench/solvers/SOLVERS.md      BPC=… names another bpc

All in f64, one thread, with the tolerances that a row names. What is exact is computed to 1e-11 and better: by Newton's method and quadrature with 30
digits (mpmath), of trajectories by SciPy with the variational equations beside. SciPy takes no derivatives: its gradients are central differences of
the value. A tool that has no such solver is left out of a row.
"""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/compare"))
from peers import seconds  # first: it sets the number of threads

import diffrax
import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import optimistix
import scipy
import scipy.integrate
import scipy.optimize
import scipy.sparse.linalg
import torch
import torchdiffeq

jax.config.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
mp.mp.dps = 30
BPC = os.environ.get("BPC", str(ROOT / "build/release/tools/bpc/bpc"))


class Problem:
    """A number J(p), by each tool: `peers` has pairs of the tool's name and what computes (J, gradient), or J alone, from p."""

    def __init__(self, name, p, script, exact, peers):
        self.name, self.p, self.peers = name, np.array(p, dtype=float), peers
        self.script = f"real f64\nparam p : [{len(p)}] = {list(p)}\n{script}"
        self.exact = exact


def bpc(script):
    def ask(*words):
        return json.loads(subprocess.run([BPC, *words, "-", "--json", "-q", "--threads=1"], input=script, capture_output=True, text=True, check=True).stdout)
    run, times = ask("run"), ask("bench")
    return run["values"]["J"], run["grads"]["p"], times["value"]["cpu"], times["gradient"]["cpu"]


def differences(J, relative=1e-3):
    def gradient(p):
        h = relative * np.abs(p)
        return J(p), np.array([(J(p + d) - J(p - d)) / (2 * d.sum()) for d in np.diag(h)])
    return J, gradient


def by_jax(J):
    value, both = jax.jit(J), jax.jit(jax.value_and_grad(J))
    return lambda p: value(p).block_until_ready(), lambda p: jax.block_until_ready(both(p))


def by_torch(J):
    def value(p):
        with torch.no_grad():
            return J(torch.tensor(p))

    def gradient(p):
        q = torch.tensor(p, requires_grad=True)
        y = J(q)
        return y.detach(), torch.autograd.grad(y, q)[0]
    return value, gradient


# ---- trajectories: J is an element of y(T) ----

def trajectory(name, slope, y0, T, p, body, element, finer, scipy_method, diffrax_solver, exact_method, is_stiff):
    """With two tolerances; atol is rtol times `finer`."""
    n = len(y0)
    by_numpy = lambda t, y, p: slope(np.array, np, t, y, p)
    by_jnp = lambda t, y, p: slope(jnp.stack, jnp, t, y, p)

    def exact(p):
        along = jax.jit(lambda t, y, s, p: (by_jnp(t, y, p), jax.jacfwd(by_jnp, 1)(t, y, p) @ s + jax.jacfwd(by_jnp, 2)(t, y, p)))

        def both(t, z):
            f, s = along(t, jnp.array(z[:n]), jnp.array(z[n:].reshape(n, -1)), p)
            return np.concatenate([f, np.ravel(s)])
        end = scipy.integrate.solve_ivp(both, [0, T], np.r_[y0, np.zeros(n * len(p))], method=exact_method, rtol=1e-11, atol=1e-16).y[:, -1]
        return end[element], end[n:].reshape(n, -1)[element]

    found = exact(np.array(p))

    def at(rtol):
        atol = finer * rtol

        def scipy_J(p):
            return scipy.integrate.solve_ivp(by_numpy, [0, T], y0, method=scipy_method, rtol=rtol, atol=atol, args=(p,)).y[element, -1]

        def diffrax_J(p):
            return diffrax.diffeqsolve(diffrax.ODETerm(by_jnp), diffrax_solver, 0.0, T, None, jnp.array(y0), p, max_steps=100000,
                                       stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol)).ys[-1, element]

        def torch_J(p):
            return torchdiffeq.odeint(lambda t, y: slope(torch.stack, torch, t, y, p), torch.tensor(y0), torch.tensor([0.0, T]), rtol=rtol, atol=atol,
                                      method="dopri5")[-1, element]
        peers = {f"SciPy {scipy_method}": differences(scipy_J), f"diffrax {type(diffrax_solver).__name__}": by_jax(diffrax_J)}
        if not is_stiff:
            peers["torchdiffeq dopri5"] = by_torch(torch_J)
        solver = "odeint_stiff" if is_stiff else "odeint"
        script = f"{body}loss J = {solver}(slope, {y0}, [0, {T}], rtol={rtol}, atol={atol})[-1, {element}]\n"
        return Problem(f"`{solver}`: {name}, rtol {rtol:g}", p, script, found, peers)
    return at(1e-6), at(1e-9)


def lotka(stack, xp, t, y, p):
    return stack([p[0] * y[0] - p[1] * y[0] * y[1], p[2] * y[0] * y[1] - p[3] * y[1]])


def robertson(stack, xp, t, y, p):
    there, on = p[0] * y[0] - p[2] * y[1] * y[2], p[1] * y[1] ** 2
    return stack([-there, there - on, on])


def van_der_pol(stack, xp, t, y, p):
    return stack([y[1], p[0] * (1 - y[0] ** 2) * y[1] - y[0]])


CELLS = 40


def fronts(stack, xp, t, y, p):
    """Fisher's equation u' = d u'' + r u (1 - u) on [0, 1] in cells, u = 1 on the left and 0 on the right."""
    padded = xp.concatenate([xp.array([1.0]), y, xp.array([0.0])])
    return p[0] * (CELLS + 1) ** 2 * (padded[2:] - 2 * y + padded[:-2]) + p[1] * y * (1 - y)


def trajectories():
    lotka_body = "fn slope(t, y) = [p[0] * y[0] - p[1] * y[0] * y[1], p[2] * y[0] * y[1] - p[3] * y[1]]\n"
    robertson_body = """fn slope(t, y) {
  there = p[0] * y[0] - p[2] * y[1] * y[2]
  on = p[1] * y[1]^2
  return [-there, there - on, on]
}
"""
    pol_body = "fn slope(t, y) = [y[1], p[0] * (1 - y[0]^2) * y[1] - y[0]]\n"
    fronts_body = f"""fn slope(t, y) {{
  padded = concat([[1.0], y, [0.0]])
  return p[0] * {(CELLS + 1)**2} * (padded[2..] - 2 * y + padded[..{CELLS}]) + p[1] * y * (1 - y)
}}
"""
    yield from trajectory("hares and foxes, 30 rounds", lotka, [10.0, 5.0], 200.0, [1.1, 0.4, 0.1, 0.4], lotka_body, 0, 1e-3, "RK45", diffrax.Dopri5(),
                          "DOP853", False)
    yield from trajectory("Robertson to 1e4", robertson, [1.0, 0.0, 0.0], 1e4, [0.04, 3e7, 1e4], robertson_body, 2, 1e-6, "Radau", diffrax.Kvaerno5(),
                          "Radau", True)
    yield from trajectory("van der Pol, mu = 1000, to 2000", van_der_pol, [2.0, 0.0], 2000.0, [1000.0], pol_body, 0, 1e-2, "Radau", diffrax.Kvaerno5(),
                          "Radau", True)
    yield from trajectory(f"Fisher's front, {CELLS} cells", fronts, [0.0] * CELLS, 0.5, [0.01, 20.0], fronts_body, 20, 1e-3, "BDF", diffrax.Kvaerno5(),
                          "Radau", True)


# ---- equations, minima, integrals, linear systems ----

POINTS = 30


def bratu():
    """u'' + p e^u = 0 between zeros; J is the mean of u."""
    h = mp.mpf(1) / (POINTS + 1)

    def residual(xp, u, p):
        padded = xp.concatenate([xp.zeros(1), u, xp.zeros(1)])
        return padded[2:] - 2 * u + padded[:-2] + float(h) ** 2 * p[0] * xp.exp(u)

    def exact(p):
        lam, u = mp.mpf(p[0]), mp.zeros(POINTS, 1)
        for turn in range(9):
            A, r = mp.zeros(POINTS), mp.zeros(POINTS, 1)
            for i in range(POINTS):
                e = h**2 * lam * mp.exp(u[i])
                A[i, i] = e - 2
                r[i] = e - 2 * u[i]
                for j in (i - 1, i + 1):
                    if 0 <= j < POINTS:
                        A[i, j], r[i] = 1, r[i] + u[j]
            u = u - mp.lu_solve(A, r)
        slope = mp.lu_solve(A, -h**2 * u.apply(mp.exp))
        return float(sum(u) / POINTS), [float(sum(slope) / POINTS)]
    script = f"""fn residual(u) {{
  padded = concat([[0.0], u, [0.0]])
  return padded[2..] - 2 * u + padded[..{POINTS}] + {float(h)**2!r} * p[0] * exp(u)
}}
loss J = mean(root(residual, zeros([{POINTS}])))
"""
    newton = optimistix.Newton(rtol=1e-10, atol=1e-10)
    return Problem(f"`root`: Bratu's equation, {POINTS} points", [2.0], script, exact([2.0]), {
        "SciPy fsolve": differences(lambda p: scipy.optimize.fsolve(lambda u: residual(np, u, p), np.zeros(POINTS), xtol=1e-12).mean()),
        "optimistix Newton": by_jax(lambda p: optimistix.root_find(lambda u, q: residual(jnp, u, q), newton, jnp.zeros(POINTS), p).value.mean())})


ROWS, FEATURES = 40, 5


def logistic():
    """The weights of a logistic regression with the penalty p; J is the first one."""
    x = np.array([[np.sin(1 + 1.7 * i * (j + 1)) for j in range(FEATURES)] for i in range(ROWS)])
    t = np.array([np.sign(np.sin(3 * i) + x[i, 0]) for i in range(ROWS)])

    def cost(xp, w, p): return xp.sum(xp.logaddexp(0.0, -t * (x @ w))) + p[0] * xp.sum(w * w)

    def exact(p):
        X, T, lam, w = mp.matrix(x.tolist()), t.tolist(), mp.mpf(p[0]), mp.zeros(FEATURES, 1)
        for turn in range(12):
            z = X * w
            s = [1 / (1 + mp.exp(T[i] * z[i])) for i in range(ROWS)]
            g = 2 * lam * w - X.T * mp.matrix([T[i] * s[i] for i in range(ROWS)])
            H = X.T * mp.diag([a * (1 - a) for a in s]) * X + 2 * lam * mp.eye(FEATURES)
            w = w - mp.lu_solve(H, g)
        return float(w[0]), [float(-mp.lu_solve(H, 2 * w)[0])]
    script = f"""x = [sin(1 + 1.7 * i * (j + 1)) for i in 0..{ROWS}, j in 0..{FEATURES}]
t = [sign(sin(3 * i) + x[i, 0]) for i in 0..{ROWS}]
loss J = minimise(fn(w) = sum(softplus(-t * (x @ w))) + p[0] * sum(w^2), zeros([{FEATURES}]))[0]
"""
    bfgs = optimistix.BFGS(rtol=1e-10, atol=1e-10)

    def scipy_J(p):
        slope = lambda w: 2 * p[0] * w - x.T @ (t / (1 + np.exp(t * (x @ w))))
        return scipy.optimize.minimize(lambda w: cost(np, w, p), np.zeros(FEATURES), jac=slope, method="BFGS", options=dict(gtol=1e-9)).x[0]
    return Problem(f"`minimise`: logistic regression, {ROWS} rows", [0.1], script, exact([0.1]), {
        "SciPy BFGS": differences(scipy_J),
        "optimistix BFGS": by_jax(lambda p: optimistix.minimise(lambda w, q: cost(jnp, w, q), bfgs, jnp.zeros(FEATURES), p, max_steps=1000).value[0])})


def wave():
    def exact(p):
        a, b = map(mp.mpf, p)
        f = lambda t: mp.exp(-a * t) * mp.cos(b * t * t)
        parts = mp.linspace(0, 4, 41)
        return float(mp.quad(f, parts)), [float(mp.quad(lambda t: -t * f(t), parts)),
                                          float(mp.quad(lambda t: -t * t * mp.exp(-a * t) * mp.sin(b * t * t), parts))]
    script = "loss J = quad(fn(t) = exp(-p[0] * t) * cos(p[1] * t^2), 0, 4, rtol=1e-9, atol=1e-12)\n"
    return Problem("`quad`: a damped wave, rtol 1e-9", [0.3, 5.0], script, exact([0.3, 5.0]), {
        "SciPy quad": differences(lambda p: scipy.integrate.quad(lambda t: np.exp(-p[0] * t) * np.cos(p[1] * t * t), 0, 4, epsrel=1e-9, epsabs=1e-12,
                                                                 limit=200)[0])})


UNKNOWNS = 200


def chain():
    """A chain of springs, of the stiffness p0, that are held at p1 each."""
    b = np.sin(0.1 * np.arange(UNKNOWNS))
    links = 2 * np.eye(UNKNOWNS) - np.eye(UNKNOWNS, k=1) - np.eye(UNKNOWNS, k=-1)

    def exact(p):
        A = p[0] * links + p[1] * np.eye(UNKNOWNS)
        x = np.linalg.solve(A, b)
        back = np.linalg.solve(A, 2 * x)
        return x @ x, [-back @ (links @ x), -back @ x]
    script = f"""links = 2 * eye({UNKNOWNS}) - diag(ones([{UNKNOWNS - 1}]), 1) - diag(ones([{UNKNOWNS - 1}]), -1)
b = sin(0.1 * arange({UNKNOWNS}))
loss J = sum(cg(p[0] * links + p[1] * eye({UNKNOWNS}), b)^2)
"""
    I, L, B = jnp.eye(UNKNOWNS), jnp.array(links), jnp.array(b)

    def jax_J(p):
        A = p[0] * L + p[1] * I
        return (jax.scipy.sparse.linalg.cg(lambda v: A @ v, B, tol=1e-10)[0] ** 2).sum()

    def scipy_J(p):
        x = scipy.sparse.linalg.cg(p[0] * links + p[1] * np.eye(UNKNOWNS), b, rtol=1e-10)[0]
        return x @ x
    return Problem(f"`cg`: a chain of {UNKNOWNS} springs", [3.0, 0.01], script, exact([3.0, 0.01]), {"SciPy cg": differences(scipy_J), "JAX cg": by_jax(jax_J)})


def off(found, exact):
    found, exact = np.asarray(found, dtype=float), np.asarray(exact, dtype=float)
    return float(np.max(np.abs(found - exact) / np.abs(exact)))


def main():
    print("# Solvers\n")
    print(f"Made by `bench/solvers/solvers.py`: SciPy {scipy.__version__}, JAX {jax.__version__} with diffrax {diffrax.__version__} and optimistix "
          f"{optimistix.__version__}, torchdiffeq {torchdiffeq.__version__}; f64, one thread, CPU time without compiling. Errors are relative to what is exact, "
          "of the gradient the largest of its elements; the time of the gradient has the value in it. SciPy's gradients are central differences.\n")
    print("| | | error of the value | of the gradient | ms for the value | for the gradient |\n|---|---|---|---|---|---|")
    for problem in [bratu(), logistic(), wave(), chain(), *trajectories()]:
        value, gradient = problem.exact
        J, dJ, short, long = bpc(problem.script)
        rows = [("bpc", J, dJ, short, long)]
        for tool, (run, both) in problem.peers.items():
            J, dJ = both(problem.p)
            rows.append((tool, J, dJ, seconds(lambda: run(problem.p)), seconds(lambda: both(problem.p))))
        for tool, J, dJ, short, long in rows:
            print(f"| {problem.name if tool == 'bpc' else ''} | {tool} | {off(J, value):.1e} | {off(dJ, gradient):.1e} | {1e3 * short:.3g} | {1e3 * long:.3g} |",
                  flush=True)


main()
