"""The other tools: for each, the functions that twins are written in, and how it is timed. A tool that is not installed is left out."""
import importlib
import os
import statistics
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")

import numpy as np

from workload import RATE


def seconds(run, budget=0.4, warm=0.15, least=5):
    """The median CPU time of a run, of many; quick ones several at a time."""
    start, runs = time.process_time(), 0
    while runs < 2 or time.process_time() - start < warm:
        run()
        runs += 1
        if time.process_time() - start > 3:
            break
    each = max((time.process_time() - start) / runs, 1e-9)
    at_once = max(1, int(50e-6 / each))
    times, start = [], time.process_time()
    while len(times) < least or time.process_time() - start < budget:
        before = time.process_time()
        for _ in range(at_once):
            run()
        times.append((time.process_time() - before) / at_once)
        if len(times) >= 3 and time.process_time() - start > 10:
            break
    return statistics.median(times)


class Torch:
    name = "PyTorch"

    def __init__(self):
        self.t = importlib.import_module("torch")
        self.f = importlib.import_module("torch.nn.functional")
        self.t.set_num_threads(1)
        self.version = self.t.__version__.split("+")[0]

    def __getattr__(self, name):  # exp, tanh, relu, sqrt, abs, sum, mean, …: what is called the same there
        return getattr(self.t, name)

    def split(self, x, parts, axis): return x.chunk(parts, axis)
    def permute(self, x, axes): return x.permute(axes)
    def cross_entropy(self, x, t): return self.f.cross_entropy(x, t)
    def layer_norm(self, x, g, b): return self.f.layer_norm(x, (x.shape[-1],), g, b)
    def softmax(self, x): return self.t.softmax(x, -1)
    def logsumexp(self, x): return self.t.logsumexp(x, 0)
    def gelu(self, x): return self.f.gelu(x)
    def elu(self, x): return self.f.elu(x)
    def attention(self, q, k, v): return self.f.scaled_dot_product_attention(q, k, v, is_causal=True)
    def conv2d(self, x, k, padding, stride=1, groups=1): return self.f.conv2d(x, k, padding=padding, stride=stride, groups=groups)
    def max_pool2d(self, x, size): return self.f.max_pool2d(x, size)
    def zeros(self, shape, like): return self.t.zeros(shape, dtype=like.dtype)
    def where(self, c, x, y): return self.t.where(c, x, self.t.full((), y, dtype=x.dtype))
    def sort(self, x): return self.t.sort(x)[0]
    def argsort(self, x): return self.t.argsort(x, stable=True)
    def cumsum(self, x, axis): return self.t.cumsum(x, axis)
    def take(self, x, i): return self.f.embedding(i, x)
    def add_at(self, x, i, v): return x.index_add(0, i, v)
    def cholesky(self, x): return self.t.linalg.cholesky(x)
    def solve(self, a, b): return self.t.linalg.solve(a, b)
    def solve_lower(self, a, b): return self.t.linalg.solve_triangular(a, b[:, None], upper=False)[:, 0]
    def logsumexp_rows(self, x): return self.t.logsumexp(x, 1)

    def scan(self, step, state, xs):
        for x in xs:
            state = step(state, x)
        return state

    def loop(self, going, step, state):
        while going(state):
            state = step(state)
        return state

    def choose(self, c, yes, no): return yes() if c else no()
    def array(self, x): return self.t.tensor(x, dtype=self.t.float64)
    def amin(self, x, axis): return self.t.amin(x, axis)
    def jvp(self, f, x, v): return self.t.func.jvp(f, (x,), (v,))[1]
    def grad(self, f): return self.t.func.grad(f)
    def jacfwd(self, f): return self.t.func.jacfwd(f)
    def vmap(self, f): return self.t.func.vmap(f)

    def arrays(self, workload, double=False):
        def array(x):
            x = self.t.tensor(x)
            return x.long() if x.dtype == self.t.int32 else x.double() if double else x
        return {name: array(x) for name, x in workload.values().items()}

    def compiled(self, f): return f

    def runs(self, workload):
        inputs = self.arrays(workload)
        twin = self.compiled(lambda d: workload.twin(self, d))

        def value():
            with self.t.no_grad():
                return twin(inputs)
        if workload.derivative:
            derivative = {"gradient": lambda: workload.derivative(self, inputs)}
            return derivative | ({"value": value} if workload.twin else {})
        if not workload.has_loss:
            return {"value": value}
        traced = self.compiled(lambda d: workload.twin(self, d))
        tracked = {k: x.clone().requires_grad_(k in workload.params) for k, x in inputs.items()}
        params = [tracked[p] for p in workload.params]

        def gradient():
            loss = traced(tracked)
            return loss, self.t.autograd.grad(loss, params)

        def step():
            loss, gradients = gradient()
            with self.t.no_grad():
                for p, g in zip(params, gradients):
                    p.sub_(g, alpha=1e-9)
            return loss
        return {"value": value, "gradient": gradient} | ({"step": step} if workload.function else {})

    def reference(self, workload):
        """The results in f64: y, or J and the gradients, or what else is derived."""
        d = self.arrays(workload, double=True)
        if workload.derivative:
            return {name: y.numpy() for name, y in workload.derivative(self, d).items()}
        if not workload.has_loss:
            return {"y": workload.twin(self, d).numpy()}
        for p in workload.params:
            d[p].requires_grad_(True)
        loss = workload.twin(self, d)
        gradients = self.t.autograd.grad(loss, [d[p] for p in workload.params])
        return {"J": loss.detach().numpy()} | {p: g.numpy() for p, g in zip(workload.params, gradients)}


class TorchCompile(Torch):
    name = "torch.compile"

    def compiled(self, f):
        self.t._dynamo.reset()
        return self.t.compile(f, dynamic=False)


class Jax:
    name = "JAX"

    def __init__(self):
        self.j = importlib.import_module("jax")
        self.n = importlib.import_module("jax.numpy")
        self.j.config.update("jax_enable_x64", True)
        self.version = self.j.__version__

    def __getattr__(self, name):
        return getattr(self.n, name)

    def relu(self, x): return self.j.nn.relu(x)
    def sigmoid(self, x): return self.j.nn.sigmoid(x)
    def erf(self, x): return self.j.scipy.special.erf(x)
    def split(self, x, parts, axis): return self.n.split(x, parts, axis)
    def permute(self, x, axes): return self.n.transpose(x, axes)
    def softmax(self, x): return self.j.nn.softmax(x)
    def logsumexp(self, x): return self.j.nn.logsumexp(x)
    def gelu(self, x): return self.j.nn.gelu(x, approximate=False)
    def elu(self, x): return self.j.nn.elu(x)
    def zeros(self, shape, like): return self.n.zeros(shape, like.dtype)
    def where(self, c, x, y): return self.n.where(c, x, self.n.asarray(y, x.dtype))
    def argsort(self, x): return self.n.argsort(x, stable=True)
    def take(self, x, i): return x[i]
    def add_at(self, x, i, v): return x.at[i].add(v)
    def cholesky(self, x): return self.n.linalg.cholesky(x)
    def solve(self, a, b): return self.n.linalg.solve(a, b)
    def solve_lower(self, a, b): return self.j.scipy.linalg.solve_triangular(a, b, lower=True)
    def logsumexp_rows(self, x): return self.j.nn.logsumexp(x, 1)

    def cross_entropy(self, x, t):
        return -self.n.mean(self.n.take_along_axis(self.j.nn.log_softmax(x), t[:, None], 1))

    def layer_norm(self, x, g, b):
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        return (x - mean) * self.j.lax.rsqrt(variance + 1e-5) * g + b

    def attention(self, q, k, v):
        scores = self.n.einsum("bhtd,bhsd->bhts", q, k) / np.float32(np.sqrt(q.shape[-1]))
        causal = self.n.tril(self.n.ones(scores.shape[-2:], bool))
        return self.j.nn.softmax(self.n.where(causal, scores, -self.n.inf)) @ v

    def conv2d(self, x, k, padding, stride=1, groups=1):
        return self.j.lax.conv_general_dilated(x, k, (stride, stride), [(padding, padding)] * 2, feature_group_count=groups,
                                               dimension_numbers=("NCHW", "OIHW", "NCHW"))

    def max_pool2d(self, x, size):
        window = (1, 1, size, size)
        return self.j.lax.reduce_window(x, -self.n.inf, self.j.lax.max, window, window, "VALID")

    def scan(self, step, state, xs):
        return self.j.lax.scan(lambda s, x: (step(s, x), None), state, xs)[0]

    def loop(self, going, step, state): return self.j.lax.while_loop(going, step, state)
    def choose(self, c, yes, no): return self.j.lax.cond(c, yes, no)
    def cat(self, xs, axis): return self.n.concatenate(xs, axis)
    def jvp(self, f, x, v): return self.j.jvp(f, (x,), (v,))[1]
    def grad(self, f): return self.j.grad(f)
    def jacfwd(self, f): return self.j.jacfwd(f)
    def vmap(self, f): return self.j.vmap(f)

    def arrays(self, workload, double=False):
        def array(x): return self.n.asarray(x, self.n.float64 if double and x.dtype.kind == "f" else x.dtype)
        return {k: array(x) for k, x in workload.values().items()}

    def reference(self, workload):
        """The results in f64: y, or J and the gradients, or what else is derived."""
        d = self.arrays(workload, double=True)
        if workload.derivative:
            return self.j.jit(lambda d: workload.derivative(self, d))(d)
        if not workload.has_loss:
            return {"y": self.j.jit(lambda d: workload.twin(self, d))(d)}
        loss, gradients = self.j.jit(self.j.value_and_grad(lambda p: workload.twin(self, d | p)))({k: d[k] for k in workload.params})
        return {"J": loss} | gradients

    def runs(self, workload):
        arrays = self.arrays(workload)
        if workload.derivative:
            twins = {"value": workload.twin, "gradient": workload.derivative}
            twins = {kind: self.j.jit(lambda d, f=f: f(self, d)) for kind, f in twins.items() if f}
            return {kind: lambda f=f: self.j.block_until_ready(f(arrays)) for kind, f in twins.items()}
        params = {k: x for k, x in arrays.items() if k in workload.params}
        others = {k: x for k, x in arrays.items() if k not in workload.params}

        def loss(p, o):
            return workload.twin(self, p | o)

        def descend(p, o):
            j, g = self.j.value_and_grad(loss)(p, o)
            return j, {k: p[k] - RATE * g[k] for k in p}
        made = {"value": loss}
        if workload.has_loss:
            made["gradient"] = self.j.value_and_grad(loss)
        if workload.function:
            made["step"] = descend

        def ready(f):
            f = self.j.jit(f)
            return lambda: self.j.block_until_ready(f(params, others))
        return {kind: ready(f) for kind, f in made.items()}


class NumPy:
    name = "NumPy"

    def __init__(self):
        self.version = np.__version__

    def __getattr__(self, name):
        return getattr(np, name)

    def take(self, x, i): return x[i]
    def sort(self, x): return np.sort(x, kind="stable")
    def argsort(self, x): return np.argsort(x, kind="stable")
    def cholesky(self, x): return np.linalg.cholesky(x)
    def solve(self, a, b): return np.linalg.solve(a, b)

    def runs(self, workload):
        arrays = workload.values()
        try:
            workload.twin(self, arrays)
        except (AttributeError, TypeError, ValueError):  # a function that NumPy does not have
            return {}
        return {"value": lambda: workload.twin(self, arrays)}


def installed():
    peers = []
    for tool in (Torch, TorchCompile, Jax, NumPy):
        try:
            peers.append(tool())
        except ImportError:
            pass
    return peers
