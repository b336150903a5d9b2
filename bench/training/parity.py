"""Trains one network by bpc and by PyTorch in f64, from the same params and rows, and compares the loss of each of 100 steps.

    PYTHON bench/training/parity.py > bench/training/PARITY.md      BPC=… names another bpc

Where PyTorch has no class for it (lion, decay of weights alone, warm-up), the twin is written here from the paper's or bpc's own definition.
"""
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
BPC = os.environ.get("BPC", str(ROOT / "build/release/tools/bpc/bpc"))
STEPS, ROWS, INPUTS, HIDDEN = 100, 48, 5, 7
PARAMS = ["W1", "b1", "W2", "b2"]

SCRIPT = f"""dim N
dim H = {HIDDEN}
input x : [N, {INPUTS}] from "data.npz"["x"]
input y : [N] from "data.npz"["y"]
param W1 : [{INPUTS}, H] = 0
param b1 : [H] = 0
param W2 : [H, 1] = 0
param b2 : [1] = 0
h = tanh(x @ W1 + b1)
z = squeeze(h @ W2 + b2, 1)
loss J = mean((z - y)^2)
"""


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, algorithm 2."""

    def __init__(self, groups, lr, betas=(0.9, 0.99)):
        super().__init__(groups, dict(lr=lr, betas=betas, weight_decay=0.0))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(torch.sign(b1 * m + (1 - b1) * p.grad), alpha=-group["lr"])
                m.mul_(b2).add_(p.grad, alpha=1 - b2)


O = torch.optim
OPTIMIZERS = {
    "sgd(lr = 0.1)": lambda g: O.SGD(g, lr=0.1),
    "momentum(lr = 0.05)": lambda g: O.SGD(g, lr=0.05, momentum=0.9),
    "nesterov(lr = 0.05)": lambda g: O.SGD(g, lr=0.05, momentum=0.9, nesterov=True),
    "rmsprop(lr = 0.01)": lambda g: O.RMSprop(g, lr=0.01, alpha=0.99),
    "adagrad(lr = 0.1)": lambda g: O.Adagrad(g, lr=0.1),
    "adam(lr = 0.02)": lambda g: O.Adam(g, lr=0.02),
    "adamw(lr = 0.02)": lambda g: O.AdamW(g, lr=0.02, weight_decay=0.01),
    "lion(lr = 0.002)": lambda g: Lion(g, lr=0.002),
    "lbfgs(lr = 0.3)": lambda g: O.LBFGS([p for group in g for p in group["params"]], lr=0.3, max_iter=1, history_size=10, tolerance_grad=0,
                                              tolerance_change=0),
}


def warmed(warmup, factor):
    """The first steps climb evenly to what follows."""
    return lambda t: (t + 1) / warmup if t < warmup else factor((t - warmup) / (STEPS - warmup), t - warmup)


SCHEDULES = {
    "constant": (lambda o: O.lr_scheduler.ConstantLR(o, 1)),
    "step(every = 30, by = 0.5)": (lambda o: O.lr_scheduler.StepLR(o, 30, 0.5)),
    "cosine": (lambda o: O.lr_scheduler.CosineAnnealingLR(o, STEPS)),
    "linear(end = 0.1)": (lambda o: O.lr_scheduler.LinearLR(o, 1, 0.1, STEPS)),
    "exponential(end = 0.01)": (lambda o: O.lr_scheduler.ExponentialLR(o, 0.01 ** (1 / STEPS))),
    "cosine(warmup = 10)": (lambda o: O.lr_scheduler.LambdaLR(o, warmed(10, lambda part, _: (1 + math.cos(math.pi * part)) / 2))),
    "linear(warmup = 10)": (lambda o: O.lr_scheduler.LambdaLR(o, warmed(10, lambda part, _: 1 - part))),
}


def bpc(folder, params, optimizer, schedule, batch, more):
    words = [BPC, "train", str(folder / "s.bp"), "--real=f64", "-q", "--params", str(folder / "start.npz"), "--optimizer", optimizer,
             "--schedule", schedule, "--shuffle", "false", "--batch", str(batch), "--steps", str(STEPS), "--log", str(folder / "log.jsonl"),
             "--save", str(folder / "model")] + more
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(" ".join(words) + "\n" + done.stderr)
    return [json.loads(line)["loss"] for line in open(folder / "log.jsonl")]


def pytorch(data, params, make, schedule, batch, clip, decay):
    x, y = (torch.tensor(data[k]) for k in "xy")
    p = {k: torch.tensor(v, requires_grad=True) for k, v in params.items()}
    weights, rest = [p["W1"], p["W2"]], [p["b1"], p["b2"]]
    optimizer = make([dict(params=weights), dict(params=rest)])
    for group in optimizer.param_groups[1:]:
        group["weight_decay"] = 0.0  # biases do not decay
    if decay:
        optimizer.param_groups[0]["weight_decay"] = decay
    scheduler = schedule(optimizer)
    losses, epoch = [], []
    for t in range(STEPS):
        at = t * batch % ROWS
        rows = slice(at, at + batch)

        def closure():
            optimizer.zero_grad()
            z = (torch.tanh(x[rows] @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]).squeeze(1)
            loss = ((z - y[rows]) ** 2).mean()
            loss.backward()
            if clip:
                torch.nn.utils.clip_grad_norm_(list(p.values()), clip)
            return loss

        loss = closure()
        epoch.append(loss.item())
        optimizer.step(closure) if isinstance(optimizer, O.LBFGS) else optimizer.step()
        scheduler.step()
        if at + batch >= ROWS or t + 1 == STEPS:
            losses.append(sum(epoch) / len(epoch))
            epoch = []
    return losses


def lbfgs_exactly(data, params, lr, schedule, batch):
    """PyTorch's LBFGS (max_iter=1, history_size=10, no line search), step by step, in long double: where both sides would be without rounding."""
    L = np.longdouble
    x, y = (data[k].astype(L) for k in "xy")
    shapes = [params[k].shape for k in PARAMS]
    p = np.concatenate([params[k].ravel() for k in PARAMS]).astype(L)
    dummy = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = schedule(dummy)
    losses, epoch, pairs = [], [], []
    before = taken = None
    for t in range(STEPS):
        at = t * batch % ROWS
        X, Y = x[at : at + batch], y[at : at + batch]
        parts, start = [], 0
        for shape in shapes:
            parts.append(p[start : start + int(np.prod(shape))].reshape(shape))
            start += int(np.prod(shape))
        W1, b1, W2, b2 = parts
        h = np.tanh(X @ W1 + b1)
        e = (h @ W2 + b2)[:, 0] - Y
        dz = (2 * e / len(e))[:, None]
        dh = dz @ W2.T * (1 - h * h)
        g = np.concatenate([v.ravel() for v in (X.T @ dh, dh.sum(0), h.T @ dz, dz.sum(0))])
        epoch.append((e * e).sum() / len(e))
        if before is not None and (g - before) @ taken > 1e-10:
            pairs = (pairs + [(taken, g - before)])[-10:]
        q, alpha = -g, []
        for s, d in reversed(pairs):
            alpha.append((s @ q) / (d @ s))
            q = q - alpha[-1] * d
        if pairs:
            s, d = pairs[-1]
            q = q * ((d @ s) / (d @ d))
        for (s, d), a in zip(pairs, reversed(alpha)):
            q = q + s * (a - (d @ q) / (d @ s))
        rate = L(lr) * L(dummy.param_groups[0]["lr"])
        before, taken = g, q * (rate if t else rate * min(L(1), 1 / np.abs(g).sum()))
        p = p + taken
        dummy.step()
        scheduler.step()
        if at + batch >= ROWS or t + 1 == STEPS:
            losses.append(sum(epoch) / len(epoch))
            epoch = []
    return losses


def main():
    random = np.random.default_rng(1)
    data = dict(x=random.normal(size=(ROWS, INPUTS)), y=random.normal(size=ROWS))
    params = dict(W1=random.normal(size=(INPUTS, HIDDEN)) / 2, b1=np.zeros(HIDDEN), W2=random.normal(size=(HIDDEN, 1)) / 2, b2=np.zeros(1))
    rows, lbfgs = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "s.bp").write_text(SCRIPT)
        np.savez(folder / "data.npz", **data)
        np.savez(folder / "start.npz", **params)

        def compare(optimizer, schedule, batch=ROWS, clip=None, decay=None):
            more = (["--clip", str(clip)] if clip else []) + (["--decay", str(decay)] if decay else [])
            ours = bpc(folder, params, optimizer, schedule, batch, more)
            theirs = pytorch(data, params, OPTIMIZERS[optimizer], SCHEDULES[schedule], batch, clip, decay)
            assert len(ours) == len(theirs), (len(ours), len(theirs))
            # What rounding alone makes of it: PyTorch beside itself, from params that differ in the last digits.
            moved = {k: v * (1 + 4e-16) for k, v in params.items()}
            beside = pytorch(data, moved, OPTIMIZERS[optimizer], SCHEDULES[schedule], batch, clip, decay)
            worst, rounding = (max(abs(a - b) / max(1, abs(b)) for a, b in zip(each, theirs)) for each in (ours, beside))
            setting = ", ".join(f"`{k} = {v}`" for k, v in [("clip", clip), ("decay", decay)] if v)
            rows.append((optimizer, schedule, batch, setting, ours[-1], worst, rounding))
            if "lbfgs" in optimizer:
                exact = lbfgs_exactly(data, params, 0.3, SCHEDULES[schedule], batch)
                away = [[abs(a - float(b)) / max(1, abs(float(b))) for a, b in zip(each, exact)] for each in (ours, theirs)]
                first = [next((i + 1 for i, v in enumerate(each) if v > 1e-9), None) for each in away]
                lbfgs.append((schedule, batch, len(exact), *(max(each) for each in away), *first))

        for optimizer in OPTIMIZERS:
            for schedule in SCHEDULES:
                compare(optimizer, schedule)
            compare(optimizer, "constant", batch=16)
        for optimizer in ["sgd(lr = 0.1)", "adam(lr = 0.02)", "adamw(lr = 0.02)"]:
            compare(optimizer, "constant", clip=0.05)
            compare(optimizer, "constant", decay=0.1)
    print("# The losses of bpc and PyTorch\n")
    print(f"Made by `bench/training/parity.py` with PyTorch {torch.__version__.split('+')[0]}: a network of one hidden layer, {ROWS} rows, {STEPS} "
          "steps in f64 from the same params. The difference is the largest of all steps (of the means of epochs, where a batch is not all rows), relative "
          "to 1 or the loss. The last column has that between PyTorch and itself, from params that are 4e-16 of themselves larger: what rounding makes of such "
          "a training.\n")
    print("| rule | schedule | batch | | last loss | difference | of rounding |\n|---|---|---|---|---|---|---|")
    for optimizer, schedule, batch, setting, last, worst, rounding in rows:
        print(f"| `{optimizer}` | `{schedule}` | {batch} | {setting} | {last:.6g} | {worst:.1e} | {rounding:.1e} |")
    print(f"\nThe largest difference is {max(row[-2] for row in rows):.1e}, and but for `lbfgs` {max(row[-2] for row in rows if 'lbfgs' not in row[0]):.1e}.")

    print("\n## lbfgs\n")
    print("`lbfgs` divides by differences of gradients, which get as small as their rounding errors: what rounding does in one step, the steps behind it make larger, "
          "so that PyTorch does not agree with itself to 1e-9 either. So both sides are compared with the same steps in long double (64 bits of mantissa), and agree with these "
          "equally well. PyTorch's tolerances, by which it would leave steps out, are 0.\n")
    print("| schedule | batch | losses | bpc from long double | PyTorch from long double | bpc's first loss off by more than 1e-9 | PyTorch's |\n|---|---|---|---|---|---|---|")
    for schedule, batch, count, ours, theirs, first, their_first in lbfgs:
        print(f"| `{schedule}` | {batch} | {count} | {ours:.1e} | {theirs:.1e} | {first or 'none'} | {their_first or 'none'} |")


if __name__ == "__main__":
    main()
