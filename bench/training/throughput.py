"""Rows that a training uses a second, by bpc, PyTorch and JAX: digits by an MLP and by a CNN, characters by a transformer, with adam, f32, on the CPU.

    (PYTHON bench/training/throughput.py; THREADS=2 PYTHON bench/training/throughput.py) > bench/training/THROUGHPUT.md      BPC=… names another bpc

One thread, CPU time, so that whatever else the machine does counts little; of more threads, which are to be quicker by the clock, the time that passes. What comes before the first step (reading, compiling) is left out: of bpc by the
difference of a long and a short training, of the others by a first epoch that is not timed. The rows are shuffled anew for each epoch and gathered batch
by batch: by bpc itself, by a DataLoader, by NumPy for JAX. The sides run in turn, three rounds; the table has medians.
"""
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

THREADS = int(os.environ.get("THREADS", "1"))
os.environ.update(OMP_NUM_THREADS=str(THREADS), MKL_NUM_THREADS=str(THREADS),
                  XLA_FLAGS=f"--xla_cpu_multi_thread_eigen={str(THREADS > 1).lower()} intra_op_parallelism_threads={THREADS}")

import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(THREADS)
clock = time.process_time if THREADS == 1 else time.perf_counter
LONGER = 8  # bpc's trainings, whose time is a difference
ROOT = pathlib.Path(__file__).resolve().parents[2]
BPC = os.environ.get("BPC", str(ROOT / "build/release/tools/bpc/bpc"))
random = np.random.default_rng(0)

IMAGE = 'dim N\ninput x : [N, 64] from "data.npz"["x"]\ninput y : i32[N] from "data.npz"["y"]\n'
DENSE = "fn dense(x: [B, I], O) {\n  param W : [I, O] = he()\n  param b : [O] = 0\n  return x @ W + b\n}\n"
MLP = IMAGE + DENSE + """h1 = relu(dense(x, 128))
h2 = relu(dense(h1, 64))
loss J = mean(cross_entropy(dense(h2, 10), y))
"""
CNN = IMAGE + DENSE + """fn conv(x: [B, I, H, W], O) {
  param K : [O, I, 3, 3] = he()
  param b : [O] = 0
  return conv2d(x, K, padding=1) + reshape(b, [1, O, 1, 1])
}
a = max_pool2d(relu(conv(reshape(x, [N, 1, 8, 8]), 16)), 2)
h = max_pool2d(relu(conv(a, 32)), 2)
loss J = mean(cross_entropy(dense(reshape(h, [N, 128]), 10), y))
"""
TEXT = """dim N
dim T = 32, D = 64, V = 48, H = 4
input x : i32[N, T] from "data.npz"["x"]
input y : i32[N, T] from "data.npz"["y"]
fn linear(x: [B, T, I], O) {
  param W : [I, O] = glorot()
  param b : [O] = 0
  return x @ W + b
}
fn norm(x: [B, T, I]) {
  param g : [I] = 1
  param b : [I] = 0
  return layer_norm(x, g, b)
}
fn heads(x: [B, T, I]) = transpose(reshape(x, [B, T, H, I // H]), [0, 2, 1, 3])
mask = tril(ones([T, T])) == 1
fn block(x: [B, T, I]) {
  n = norm(x)
  q = heads(linear(n, I))
  k = heads(linear(n, I))
  v = heads(linear(n, I))
  a = reshape(transpose(attention(q, k, v, mask), [0, 2, 1, 3]), [B, T, I])
  x = x + linear(a, I)
  return x + linear(gelu(linear(norm(x), 4 * I)), I)
}
param E : [V, D] = normal(0, 0.1)
param P : [T, D] = normal(0, 0.1)
h0 = embedding(x, E) + P
h1 = block(h0)
h2 = block(h1)
loss J = mean(cross_entropy(linear(norm(h2), V), y))
"""


def block_torch(D, H):
    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.n1, self.n2 = torch.nn.LayerNorm(D), torch.nn.LayerNorm(D)
            self.q, self.k, self.v, self.o = (torch.nn.Linear(D, D) for _ in range(4))
            self.up, self.down = torch.nn.Linear(D, 4 * D), torch.nn.Linear(4 * D, D)

        def forward(self, x):
            B, T, _ = x.shape
            n = self.n1(x)
            q, k, v = (f(n).reshape(B, T, H, D // H).transpose(1, 2) for f in (self.q, self.k, self.v))
            a = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(B, T, D)
            x = x + self.o(a)
            return x + self.down(F.gelu(self.up(self.n2(x))))

    return Block()


class Characters(torch.nn.Module):
    def __init__(self, V=48, T=32, D=64, H=4):
        super().__init__()
        self.E, self.P = torch.nn.Embedding(V, D), torch.nn.Parameter(0.1 * torch.randn(T, D))
        self.blocks = torch.nn.Sequential(block_torch(D, H), block_torch(D, H))
        self.norm, self.out = torch.nn.LayerNorm(D), torch.nn.Linear(D, V)

    def forward(self, x):
        return self.out(self.norm(self.blocks(self.E(x) + self.P)))


def cnn_torch():
    n = torch.nn
    return n.Sequential(n.Unflatten(1, (1, 8, 8)), n.Conv2d(1, 16, 3, padding=1), n.ReLU(), n.MaxPool2d(2), n.Conv2d(16, 32, 3, padding=1), n.ReLU(),
                        n.MaxPool2d(2), n.Flatten(), n.Linear(128, 10))


def mlp_torch():
    n = torch.nn
    return n.Sequential(n.Linear(64, 128), n.ReLU(), n.Linear(128, 64), n.ReLU(), n.Linear(64, 10))


def loss_torch(model, x, y):
    z = model(x)
    return F.cross_entropy(z.reshape(-1, z.shape[-1]), y.reshape(-1))


# ---- JAX ----

def dense(n, m):
    return dict(W=jnp.asarray(random.normal(size=(n, m)) / np.sqrt(n), jnp.float32), b=jnp.zeros(m))


def lin(p, x):
    return x @ p["W"] + p["b"]


def mlp_jax(p, x):
    return lin(p[2], jax.nn.relu(lin(p[1], jax.nn.relu(lin(p[0], x)))))


def cnn_jax(p, x):
    def layer(q, x):
        z = jax.lax.conv_general_dilated(x, q["K"], (1, 1), "SAME") + q["b"][None, :, None, None]
        return jax.lax.reduce_window(jax.nn.relu(z), -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    h = layer(p[1], layer(p[0], x.reshape(-1, 1, 8, 8)))
    return lin(p[2], h.reshape(-1, 128))


def kernel(o, i):
    return dict(K=jnp.asarray(random.normal(size=(o, i, 3, 3)) / np.sqrt(9 * i), jnp.float32), b=jnp.zeros(o))


def ln(p, x):
    m = x.mean(-1, keepdims=True)
    return (x - m) * jax.lax.rsqrt(((x - m) ** 2).mean(-1, keepdims=True) + 1e-5) * p["g"] + p["b"]


def text_params(V=48, T=32, D=64):
    n = lambda: dict(g=jnp.ones(D), b=jnp.zeros(D))
    blocks = [dict(n1=n(), n2=n(), q=dense(D, D), k=dense(D, D), v=dense(D, D), o=dense(D, D), up=dense(D, 4 * D), down=dense(4 * D, D)) for _ in range(2)]
    return dict(E=0.1 * jnp.asarray(random.normal(size=(V, D)), jnp.float32), P=0.1 * jnp.asarray(random.normal(size=(T, D)), jnp.float32), blocks=blocks,
                norm=n(), out=dense(D, V))


def text_jax(p, x, H=4):
    h = p["E"][x] + p["P"]
    B, T, D = h.shape
    mask = jnp.tril(jnp.ones((T, T), bool))
    for b in p["blocks"]:
        n = ln(b["n1"], h)
        q, k, v = (lin(b[w], n).reshape(B, T, H, D // H).transpose(0, 2, 1, 3) for w in "qkv")
        s = jnp.where(mask, q @ k.transpose(0, 1, 3, 2) / np.sqrt(D // H), -jnp.inf)
        a = (jax.nn.softmax(s) @ v).transpose(0, 2, 1, 3).reshape(B, T, D)
        h = h + lin(b["o"], a)
        h = h + lin(b["down"], jax.nn.gelu(lin(b["up"], ln(b["n2"], h)), approximate=False))
    return lin(p["out"], ln(p["norm"], h))


WORKLOADS = {
    "digits, MLP 64-128-64-10": (MLP, mlp_torch, lambda: [dense(64, 128), dense(128, 64), dense(64, 10)], mlp_jax, 1792, 32, 60),
    "digits, CNN 16 and 32 kernels": (CNN, cnn_torch, lambda: [kernel(16, 1), kernel(32, 16), dense(128, 10)], cnn_jax, 1792, 32, 15),
    "characters, transformer of 2 blocks of 64": (TEXT, Characters, text_params, text_jax, 512, 16, 4),
}


def clock_of_children():
    if THREADS > 1:
        return time.perf_counter()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def by_bpc(folder, batch, epochs):
    def taken(count):
        before = clock_of_children()
        done = subprocess.run([BPC, "train", str(folder / "s.bp"), "-q", "--threads", str(THREADS), "--optimizer", "adam", "--batch", str(batch), "--epochs", str(count),
                               "--save", str(folder / "m")], capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        return clock_of_children() - before
    taken(1)  # what it compiles is kept for the runs after
    return (taken(1 + LONGER * epochs) - taken(1)) / LONGER


def by_torch(model, data, batch, epochs):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*(torch.tensor(each) for each in data)), batch_size=batch, shuffle=True)
    for epoch in range(1 + epochs):
        if epoch == 1:
            start = clock()
        for x, y in loader:
            optimizer.zero_grad()
            loss_torch(model, x, y).backward()
            optimizer.step()
    return clock() - start


def by_jax(params, apply, data, batch, epochs):
    def loss(p, x, y):
        z = apply(p, x)
        return -jnp.take_along_axis(jax.nn.log_softmax(z), y[..., None], -1).mean()

    @jax.jit
    def step(p, m, v, t, x, y):
        g = jax.grad(loss)(p, x, y)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        p = jax.tree.map(lambda p, m, v: p - 0.001 / (1 - 0.9**t) * m / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8), p, m, v)
        return p, m, v

    x, y = data
    m = v = jax.tree.map(jnp.zeros_like, params)
    t = 0
    for epoch in range(1 + epochs):
        if epoch == 1:
            start = clock()
        order = random.permutation(len(x))
        for at in range(0, len(x), batch):
            t += 1
            rows = order[at:at + batch]
            params, m, v = step(params, m, v, float(t), x[rows], y[rows])
        jax.block_until_ready(params)
    return clock() - start


def main():
    print("# Rows a second\n" if THREADS == 1 else f"\n## {THREADS} threads\n")
    how = "one thread, CPU time" if THREADS == 1 else f"{THREADS} threads, by the clock, on {os.cpu_count()} processors with a load of {os.getloadavg()[0]:.1f}"
    print(f"Made by `bench/training/throughput.py`: {how}, PyTorch {torch.__version__.split('+')[0]}, JAX {jax.__version__}; medians of three "
          "rounds, and the largest spread of a side over them.\n")
    print("| | bpc | PyTorch | JAX | bpc / PyTorch | bpc / JAX | spread |\n|---|---|---|---|---|---|---|")
    for name, (script, make, params, apply, rows, batch, epochs) in WORKLOADS.items():
        if "text" in name or "characters" in name:
            data = tuple(random.integers(0, 48, (rows, 32)).astype(np.int64) for _ in range(2))
        else:
            data = (random.normal(size=(rows, 64)).astype(np.float32), random.integers(0, 10, rows))
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "s.bp").write_text(script)
            np.savez(folder / "data.npz", x=data[0], y=data[1])
            sides = [[], [], []]
            for _ in range(3):
                sides[0].append(by_bpc(folder, batch, epochs))
                sides[1].append(by_torch(make(), data, batch, epochs))
                sides[2].append(by_jax(params(), apply, data, batch, epochs))
        speeds = [rows * epochs / statistics.median(side) for side in sides]
        spread = max((max(side) - min(side)) / statistics.median(side) for side in sides)
        print(f"| {name}, batch {batch} | {speeds[0]:,.0f} | {speeds[1]:,.0f} | {speeds[2]:,.0f} | {speeds[0] / speeds[1]:.1f} | {speeds[0] / speeds[2]:.1f} | "
              f"{100 * spread:.0f} % |", flush=True)


main()
