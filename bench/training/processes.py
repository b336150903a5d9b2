"""What a step costs when processes train together, beside one: `mpirun -n R bpc train`, for numbers of params P.

    PYTHON bench/training/processes.py > bench/training/PROCESSES.md      BPC=… names another bpc, RANKS=2,4 other numbers of processes

The net is as small as one of P params can be (its loss and gradient take P multiplications a batch), so that the difference is the sum of the
gradients, all else being equal. Wall time, from the log of epochs: the first epoch, and what comes before it, is left out. Through it a line is
laid: seconds = a + b * bytes.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
BPC = os.environ.get("BPC", str(ROOT / "build/release/tools/bpc/bpc"))
RANKS = [int(r) for r in os.environ.get("RANKS", "2,4").split(",")]
SIZES = [1_000, 10_000, 100_000, 1_000_000, 4_000_000]
ROWS = ", ".join(str(i / 32) for i in range(32))
SCRIPT = f"""dim N
input x : [N] = [{ROWS}]
param w : [{{}}] = 0.5
loss J = mean(x) * sum(w)
train {{{{ optimizer = sgd(lr = 1e-9); batch = 8; shuffle = false }}}}
"""


def seconds_of_step(folder, size, ranks):
    (folder / "s.bp").write_text(SCRIPT.format(size))
    epochs = max(6, min(400, 20_000_000 // size))
    words = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
    words += [BPC, "train", str(folder / "s.bp"), "--threads=1", "-q", f"--epochs={epochs}", "--log", str(folder / "log.jsonl"), "--save", str(folder / "m")]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(" ".join(words) + "\n" + done.stderr)
    at = [json.loads(line)["seconds"] for line in open(folder / "log.jsonl")]
    return statistics.median(b - a for a, b in zip(at, at[1:])) / 4  # steps of an epoch


def main():
    rows, points = [], {r: [] for r in RANKS}
    with tempfile.TemporaryDirectory() as name:
        for size in SIZES:
            one = seconds_of_step(pathlib.Path(name), size, 1)
            cells = []
            for ranks in RANKS:
                more = seconds_of_step(pathlib.Path(name), size, ranks) - one
                points[ranks].append((4 * size, more))
                cells.append(f"{1e6 * more:.0f}")
            rows.append(f"| {size:,} | {4 * size:,} | {1e6 * one:.1f} | " + " | ".join(cells) + " |")
    print("# What processes that train together say to each other\n")
    print(f"Made by `bench/training/processes.py`, on a machine of {os.cpu_count()} processors, with a load of {os.getloadavg()[0]:.1f}: microseconds of a step by one "
          "process, and what is added by the sum of the gradients over so many processes of the same machine.\n")
    print("| params | bytes of gradients | one process | " + " | ".join(f"{r} processes" for r in RANKS) + " |")
    print("|---|---|---|" + "---|" * len(RANKS))
    print("\n".join(rows))
    print()
    for ranks, found in points.items():
        size, seconds = (np.array(v, float) for v in zip(*found))
        weight = 1 / np.maximum(seconds, 1e-6)
        b, a = np.polyfit(size, seconds, 1, w=weight)
        print(f"{ranks} processes: {1e6 * a:.0f} µs + {1e9 * b:.2f} ns a byte of gradients ({1e-9 / b:.2f} GB/s).\n")


main()
