"""The evaluations of GradBench (github.com/gradbench/gradbench), three sizes each where they have sizes: scripts in bench/gradbench, programs
by hand in bench/native/gradbench. The arrays have the sizes that the suite gives them; their numbers are drawn here."""
import dataclasses
import functools
import math
import pathlib

import numpy as np

from workload import Array, Workload

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent / "gradbench"
SIZES = ("small", "middle", "large")


@dataclasses.dataclass
class Evaluation(Workload):
    """Its arrays are fed from a file, a param p as the input p0. Where there is a script of the derivative, that is not the gradient of a loss."""
    value_script: str = ""
    derivative_script: str = ""
    sizes: dict = dataclasses.field(default_factory=dict)  # that no array has
    real: str = "f64"
    tolerance: float = 1e-8

    def commands(self, work):
        arrays = work / f"{self.name}.npz"
        np.savez(arrays, **{k + ("0" if k in self.params else ""): x for k, x in self.values().items()})
        flags = ["--data", str(arrays)] if self.arrays else []
        for name, size in self.sizes.items():
            flags += ["--set", f"{name}={size}"]
        scripts = {"value": self.value_script, "gradient": self.derivative_script}
        return {kind: [str(SCRIPTS / f"{script}.bp"), *flags] for kind, script in scripts.items() if script}


def evaluation(name, size, numbers, params=(), **more):
    arrays = [Array("param" if k in params else "input", k, list(x.shape), numbers=x) for k, x in numbers.items()]
    loss = "" if more.get("derivative") else "loss J"
    more["without"] = ("torch.compile", "NumPy", *more.get("without", ()))  # one compiles for minutes, the other derives nothing
    Evaluation(f"gradbench_{name}" + (f"_{size}" if size else ""), arrays, loss, **({"value_script": name, "native": f"gradbench/{name}"} | more))


def sized(*sizes):
    return [(size, np.random.RandomState(31337), *numbers) for size, numbers in zip(SIZES, sizes)]


def hello():
    evaluation("hello", "", {"x": np.array(3.0)}, ("x",), twin=lambda n, d: d["x"] * d["x"])


def logsumexp(n, x):
    most = n.max(x)
    return most + n.log(n.exp(x - most).sum())


def gmm():
    for size, draw, dims, components in sized((2, 5), (20, 25), (64, 50)):
        count = 1000
        place = np.full([dims, dims], dims + dims * (dims - 1) // 2)  # in [exp(q), l, 0]
        place[np.diag_indices(dims)] = np.arange(dims)
        place.T[np.triu_indices(dims, 1)] = dims + np.arange(dims * (dims - 1) // 2)
        normal = draw.standard_normal
        numbers = {"x": normal([count, dims]), "alpha": normal(components), "mu": draw.rand(components, dims),
                   "q": normal([components, dims]), "l": normal([components, dims * (dims - 1) // 2])}
        degrees = dims + 1
        multigamma = dims * (dims - 1) / 4 * math.log(math.pi) + sum(math.lgamma((degrees - j) / 2) for j in range(dims))
        normaliser = -degrees * dims / 2 * math.log(2) - multigamma

        def twin(n, d, place=place, normaliser=normaliser):
            alpha, mu, q, l = (d[k] for k in ("alpha", "mu", "q", "l"))
            components, dims = mu.shape
            factors = n.cat([n.exp(q), l, 0 * q[:, :1]], 1)[:, place.ravel()].reshape(components, dims, dims)
            turned = n.einsum("kij,nkj->nki", factors, d["x"][:, None] - mu)
            parts = alpha + q.sum(1) - 0.5 * (turned**2).sum(2)
            most = n.amax(parts, 1)
            mixed = (most + n.log(n.exp(parts - most[:, None]).sum(1))).sum()
            count = d["x"].shape[0]
            likelihood = mixed - count * (logsumexp(n, alpha) + dims / 2 * math.log(2 * math.pi))
            return likelihood - (0.5 * ((n.exp(q)**2).sum() + (l**2).sum()) - components * normaliser)
        evaluation("gmm", size, numbers, ("alpha", "mu", "q", "l"), twin=twin)


def lstm():
    def twin(n, d):
        main, extra = d["main"], d["extra"]
        bits, layers = extra.shape[1], main.shape[0]

        def step(carried, at):
            state, total = carried
            x, new = at[0] * extra[0], []
            for i in range(layers):
                wf, wi, wo, wg = main[i, 0].reshape(4, bits)
                bf, bi, bo, bg = main[i, 1].reshape(4, bits)
                h, c = state[i]
                c = c * n.sigmoid(x * wf + bf) + n.sigmoid(h * wi + bi) * n.tanh(h * wg + bg)
                x = n.sigmoid(x * wo + bo) * n.tanh(c)
                new.append(n.stack([x, c]))
            y = x * extra[1] + extra[2]
            return n.stack(new), total + (at[1] * (y - n.log(n.exp(y).sum() + 2))).sum()
        text = d["sequence"]
        pairs = n.stack([text[:-1], text[1:]], 1)
        total = n.scan(step, (d["state0"], 0 * extra[0, 0]), pairs)[1]
        return -total / ((text.shape[0] - 1) * bits)
    for size, draw, layers, length in sized((2, 1024), (4, 4096), (6, 8192)):
        bits = 14
        numbers = {"sequence": (draw.rand(length, bits) < 0.3).astype(float), "state0": draw.rand(layers, 2, bits),
                   "main": draw.rand(layers, 2, 4 * bits), "extra": draw.rand(3, bits)}
        evaluation("lstm", size, numbers, ("main", "extra"), twin=twin, without=() if size == "small" else ("PyTorch",))


def cross(n, a, b):
    return n.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def ba():
    def error(n, c, x, w, at):
        r, x = c[:3], x - c[3:6]
        angle = n.sqrt((r**2).sum())
        axis = r / angle
        z = x * n.cos(angle) + cross(n, axis, x) * n.sin(angle) + axis * ((axis * x).sum() * (1 - n.cos(angle)))
        p = z[:2] / z[2]
        square = (p**2).sum()
        return w * (p * (1 + c[9] * square + c[10] * square**2) * c[6] + c[7:9] - at)

    def gathered(d):
        return d["cameras"][d["camera"]], d["points"][d["point"]], d["weights"], d["seen"]

    def twin(n, d):
        return n.vmap(functools.partial(error, n))(*gathered(d)), 1 - d["weights"]**2

    def derivative(n, d):
        def block(c, x, w, at):
            return n.jacfwd(lambda v: error(n, v[:11], v[11:14], v[14], at))(n.cat([c, x, w[None]], 0))
        return {"blocks": n.vmap(block)(*gathered(d)), "weight_derivatives": n.vmap(n.grad(lambda w: 1 - w**2))(d["weights"])}
    for size, draw, cameras, points, count in sized((49, 7776, 31843), (257, 65132, 225911), (356, 226730, 1255268)):
        # Cameras near the origin that look along z, at points before them.
        camera = np.concatenate([0.1 * draw.standard_normal([cameras, 6]), 1 + draw.rand(cameras, 1), 0.1 * draw.standard_normal([cameras, 4])], 1)
        numbers = {"cameras": camera, "points": draw.standard_normal([points, 3]) + [0, 0, 6], "weights": draw.rand(count),
                   "seen": draw.standard_normal([count, 2]), "camera": (np.arange(count) % cameras).astype(np.int32),
                   "point": (np.arange(count) % points).astype(np.int32)}
        evaluation("ba", size, numbers, twin=twin, derivative=derivative, derivative_script="ba_jacobian",
                   without=() if size == "small" else ("PyTorch",), tolerance=None if size == "large" else 1e-8)


def ht():
    parents = [-1] + [0 if i % 4 == 1 else i - 1 for i in range(1, 22)]

    def about_axis(n, a):
        angle = n.sqrt((a**2).sum())
        x, y, z = a / angle
        s, c = n.sin(angle), n.cos(angle)
        rows = [[x * x + (1 - x * x) * c, x * y * (1 - c) - z * s, x * z * (1 - c) + y * s],
                [x * y * (1 - c) + z * s, y * y + (1 - y * y) * c, y * z * (1 - c) - x * s],
                [x * z * (1 - c) - y * s, z * y * (1 - c) + x * s, z * z + (1 - z * z) * c]]
        return n.stack([n.stack(row) for row in rows])

    def by_angles(n, a):
        (cx, cz, cy), (sx, sz, sy) = n.cos(a), n.sin(a)
        zero, one = 0 * cx, 0 * cx + 1
        def matrix(rows): return n.stack([n.stack(row) for row in rows])
        x = matrix([[one, zero, zero, zero], [zero, cx, -sx, zero], [zero, sx, cx, zero], [zero, zero, zero, one]])
        y = matrix([[cy, zero, sy, zero], [zero, one, zero, zero], [-sy, zero, cy, zero], [zero, zero, zero, one]])
        z = matrix([[cz, -sz, zero, zero], [sz, cz, zero, zero], [zero, zero, one, zero], [zero, zero, zero, one]])
        return z @ y @ x

    def distances(n, d, theta, us):
        zero = 0 * theta[0]
        still = n.stack([zero, zero, zero])
        angles = [still] * 22
        for finger in range(5):
            bend = theta[6 + 4 * finger:10 + 4 * finger]
            angles[4 * finger + 2] = n.stack([bend[0], bend[1], zero])
            angles[4 * finger + 3] = n.stack([bend[2], zero, zero])
            angles[4 * finger + 4] = n.stack([bend[3], zero, zero])
        bones = []
        for i, parent in enumerate(parents):
            here = d["rest"][i] @ by_angles(n, angles[i])
            bones.append(here if parent == -1 else bones[parent] @ here)
        moved = (n.stack(bones) @ d["to_bone"])[:, :3]
        skin = n.einsum("vb,bvi->vi", d["weights"], n.einsum("bij,vj->bvi", moved, d["vertices"]))
        hand = skin @ about_axis(n, theta[:3]).T + theta[3:6]
        corner = d["triangles"][d["triangle"]]
        u, v = us[:, :1], us[:, 1:]
        return d["points"] - (u * hand[corner[:, 0]] + v * hand[corner[:, 1]] + (1 - u - v) * hand[corner[:, 2]])

    def twin(n, d):
        return distances(n, d, d["theta"], d["us"])

    def derivative(n, d):
        directions = [n.array([1.0, 0.0]) + 0 * d["us"], n.array([0.0, 1.0]) + 0 * d["us"]]
        by_us = n.stack([n.jvp(lambda us: distances(n, d, d["theta"], us), d["us"], v) for v in directions])
        return {"by_us": by_us, "by_theta": n.jacfwd(lambda theta: distances(n, d, theta, d["us"]))(d["theta"])}
    for size, draw, vertices, points in sized((544, 100), (10000, 100), (10000, 25600)):
        def placed(count):
            made = np.tile(np.eye(4), [count, 1, 1])
            made[:, :3] += 0.3 * draw.standard_normal([count, 3, 4])
            return made
        weights = draw.rand(vertices, 22)
        triangles = draw.randint(0, vertices, [2 * vertices, 3]).astype(np.int32)
        numbers = {"theta": 0.3 * draw.standard_normal(26), "rest": placed(22), "to_bone": placed(22), "parent": np.array(parents, np.int32),
                   "vertices": np.concatenate([draw.standard_normal([vertices, 3]), np.ones([vertices, 1])], 1),
                   "weights": weights / weights.sum(1, keepdims=True), "triangles": triangles,
                   "triangle": draw.randint(0, 2 * vertices, points).astype(np.int32), "us": draw.rand(points, 2) / 2,
                   "points": draw.standard_normal([points, 3])}
        evaluation("ht", size, numbers, twin=twin, derivative=derivative, derivative_script="ht_jacobian")


def kmeans():
    def cost(n, points, centres):
        distances = (points**2).sum(1)[:, None] + (centres**2).sum(1) - 2 * points @ centres.T
        return n.amin(distances, 1).sum()

    def derivative(n, d):
        gradient = n.grad(lambda centres: cost(n, d["points"], centres))
        return {"direction": gradient(d["centres"]) / n.jvp(gradient, d["centres"], 0 * d["centres"] + 1)}
    for size, draw, count, dims, centres in sized((1000, 8, 10), (1000, 16, 100), (10000, 16, 1000)):
        points = draw.rand(count, dims)
        evaluation("kmeans", size, {"points": points, "centres": points[-centres:]}, ("centres",), derivative=derivative,
                   twin=lambda n, d: cost(n, d["points"], d["centres"]), derivative_script="kmeans_newton")


def llsq():
    for size, draw, count in sized([16], [1024], [16392]):
        at = 2 * np.arange(count) / (count - 1) - 1

        def twin(n, d, at=at):
            powers = n.array(at)[:, None] ** n.arange(d["x"].shape[0])
            return 0.5 * ((n.sign(n.array(at)) - powers @ d["x"])**2).sum()
        evaluation("llsq", size, {"x": draw.rand(128)}, ("x",), twin=twin, sizes={"N": count})


def lse():
    for size, draw, count in sized([2500], [80000], [1280000]):
        evaluation("lse", size, {"x": draw.rand(count)}, ("x",), twin=lambda n, d: logsumexp(n, d["x"]))


def ode():
    for size, draw, count, steps in sized((1000, 1), (10000, 10), (100000, 100)):
        def twin(n, d, steps=steps):
            x, h = d["x"], 2 / steps

            def slope(y): return x * n.cat([0 * y[:1] + 1, y[:-1]], 0)

            def step(y, _):
                k1 = slope(y)
                k2 = slope(y + h / 2 * k1)
                k3 = slope(y + h / 2 * k2)
                k4 = slope(y + h * k3)
                return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            return n.scan(step, 0 * x, n.arange(steps))[-1]
        evaluation("ode", size, {"x": draw.rand(count)}, ("x",), twin=twin, sizes={"S": steps})


def det():
    def minors(a):
        if len(a) == 1:
            return a[0][0]
        return sum((-1)**j * a[0][j] * minors([row[:j] + row[j + 1:] for row in a[1:]]) for j in range(len(a)))
    for size, draw, side in sized([5], [7], [9]):
        def twin(n, d, side=side):
            return minors([[d["A"][i, j] for j in range(side)] for i in range(side)])
        evaluation("det", size, {"A": draw.rand(side, side)}, ("A",), twin=twin if side == 5 else None)


def descend(n, f, slope, x):
    def norm(v): return n.sqrt((v**2).sum())

    def step(state):
        x, now, g, rate, good, _ = state

        def moved():
            following = x - rate * g
            then = f(following)

            def better(): return following, then, slope(following), rate, good + 1, norm(x - following) > 1e-5
            def worse(): return x, now, g, rate / 2, 0 * good, norm(x - following) > 1e-5
            return n.choose(norm(x - following) <= 1e-5, worse, lambda: n.choose(then < now, better, worse))
        return n.choose(good == 10, lambda: (x, now, g, rate * 2, 0 * good, good > 0), moved)

    def going(state): return (norm(state[2]) > 1e-5) & state[5]
    one = 0 * x.sum() + 1
    return n.loop(going, step, (x, f(x), slope(x), 1e-5 * one, 0 * one, one > 0))[0]


def forward(n, f):
    return lambda x: n.stack([n.jvp(f, x, n.array(row) + 0 * x) for row in np.eye(x.shape[0])])


MODES = {"f": forward, "r": lambda n, f: n.grad(f)}
NESTED = [outer + inner for outer in "fr" for inner in "fr"]
# Reverse mode does not go through a loop of unknown length in JAX; eagerly, PyTorch takes tens of seconds.
WITHOUT = {"f": ("PyTorch",), "r": ("PyTorch", "JAX")}


def particle():
    def found(n, d, outer, inner):
        def potential(x, w):
            return sum(1 / n.sqrt(((x - n.stack([0 * w[0] + 10, y]))**2).sum()) for y in (10 - w[0], 0 * w[0]))

        def miss(w):
            def turn(state):
                x, v, _ = state
                force = -MODES[inner](n, lambda x: potential(x, w))(x)
                x = x + 0.1 * v
                return x, v + 0.1 * force * (x[1] > 0), x[1] > 0
            zero = 0 * w[0]
            x, v, _ = n.loop(lambda s: s[2], turn, (n.stack([zero, zero + 8]), n.stack([zero + 0.75, zero]), zero < 1))
            return (x[0] - x[1] / v[1] * v[0])**2
        return {"w": descend(n, miss, MODES[outer](n, miss), d["w0"][None])[0]}
    for kind in NESTED:
        evaluation(f"particle_{kind}", "", {"w0": np.array(0.0)}, derivative=lambda n, d, kind=kind: found(n, d, *kind), value_script="",
                   derivative_script=f"particle_{kind}", native="gradbench/particle", without=WITHOUT[kind[0]])


def saddle():
    def found(n, d, outer, inner):
        def f(x, y): return (x**2).sum() - (y**2).sum()

        def highest(x):
            def lower(y): return -f(x, y)
            return descend(n, lower, MODES[inner](n, lower), d["start"] + 0 * x)

        def worst(x): return f(x, highest(x))
        x = descend(n, worst, MODES[outer](n, worst), d["start"])
        return {"x": x, "y": highest(x)}
    for kind in NESTED:
        evaluation(f"saddle_{kind}", "", {"start": np.ones(2)}, derivative=lambda n, d, kind=kind: found(n, d, *kind), value_script="",
                   derivative_script=f"saddle_{kind}", native="gradbench/saddle", without=WITHOUT[kind[0]])


for family in (hello, gmm, lstm, ba, ht, kmeans, llsq, lse, ode, det, particle, saddle):
    family()
