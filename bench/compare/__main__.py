"""Times bpc beside the peers: `bench/run.sh [PATTERN…]`, where a pattern is a part of a workload's name. See bench/README.md."""
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

import peers as tools
from workload import WORKLOADS
import report
import workloads  # noqa: F401  fills WORKLOADS
import gradbench  # noqa: F401  goes on filling it

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent.parent
KINDS = ("value", "gradient", "step")
ROUNDS = 3


class Failure(Exception):
    pass


def output_of(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Failure(done.stderr.strip()[:2000] or f"{command[0]}: exit {done.returncode}")
    return json.loads(done.stdout)


class Bpc:
    name = "bpc"

    def __init__(self, binary, work):
        self.binary, self.work = binary, work
        self.version = subprocess.run([binary, "--version"], capture_output=True, text=True).stdout.split("\n")[0]

    def results(self, workload):
        commands = workload.commands(self.work)
        shown = output_of([self.binary, "run", "--json", f"--real={workload.real}", *commands.get("gradient", commands.get("value"))])
        return shown["values"] | shown.get("grads", {})

    def times(self, workload):
        times = {}
        for kind, command in workload.commands(self.work).items():
            measured = output_of([self.binary, "bench", "--json", "--threads=1", f"--real={workload.real}", *command])
            times |= {k: measured[k]["cpu"] for k in KINDS if k in measured} if kind == "value" else {kind: measured["value"]["cpu"]}
        return times


class Native:
    """Programs in C++ by hand: bench/native/NAME.cpp, which prints its times and results."""
    name = "C++"

    def __init__(self, work):
        self.work = work
        self.compiler = os.environ.get("CXX", "c++")
        self.version = subprocess.run([self.compiler, "-dumpfullversion"], capture_output=True, text=True).stdout.strip()

    def program(self, name):
        source = HERE / "native" / f"{name}.cpp"
        if not source.exists():
            return None
        program = self.work / name.replace("/", "_")
        subprocess.run([self.compiler, "-std=c++20", "-O3", "-march=native", str(source), "-o", str(program)], check=True)
        return [str(program)]

    def command(self, workload):
        program = self.program(workload.native or workload.name)
        if not program or not workload.native:
            return program
        folder = self.work / f"{workload.name}_arrays"
        folder.mkdir(exist_ok=True)
        for name, numbers in (workload.values() | workload.sizes).items():
            numbers = np.ascontiguousarray(numbers)
            numbers.tofile(folder / name)
            np.array(numbers.shape).tofile(folder / f"{name}.shape")
        return program + [str(folder)]


def error(found, expected):
    """The largest difference, beside the largest number."""
    found, expected = np.asarray(found, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    if found.shape != expected.shape:
        raise Failure(f"shape {found.shape} where {expected.shape} is expected")
    return float(np.max(np.abs(found - expected)) / (np.max(np.abs(expected)) + 1e-30)) if found.size else 0.0


def checked(bpc, workload, peers, program):
    """How far bpc's results are from PyTorch's or JAX's in f64, or else from those by hand; None where there is neither."""
    sure = next((p for p in peers if isinstance(p, (tools.Torch, tools.Jax))), None)
    if workload.tolerance is None:
        return None
    if (workload.twin or workload.derivative) and sure:
        expected = sure.reference(workload)
    elif program:
        expected = output_of(program)["results"]
    else:
        return None
    found = bpc.results(workload)
    off = max(error(found[name], numbers) for name, numbers in expected.items())
    if not off < workload.tolerance:
        raise Failure(f"wrong by {off:.2g}")
    return off


def compiled_runs(peer, workload):
    """What to time, after its first run, which compiles; nothing where the tool cannot do it."""
    try:
        runs = peer.runs(workload)
        for run in runs.values():
            run()
        return runs
    except Exception as reason:
        print(f"  {peer.name}: {type(reason).__name__}: {str(reason).splitlines()[0][:200]}", file=sys.stderr)
        return {}


def measure(workload, bpc, native, peers):
    program = native.command(workload)
    peers = [peer for peer in peers if peer.name not in workload.without]
    record = {"name": workload.name, "error": checked(bpc, workload, peers, program)}
    runs = {peer.name: compiled_runs(peer, workload) for peer in peers if workload.twin or workload.derivative}
    times = {}
    for _ in range(ROUNDS):
        sides = {bpc.name: bpc.times(workload)}
        for name, side in runs.items():
            sides[name] = {kind: tools.seconds(run) for kind, run in side.items()}
        if program:
            sides[native.name] = output_of(program)["times"]
        for side, by_kind in sides.items():
            for kind, taken in by_kind.items():
                times.setdefault(kind, {}).setdefault(side, []).append(taken)
    record["times"] = {kind: {side: statistics.median(t) for side, t in sides.items()} for kind, sides in times.items()}
    record["spread"] = max(max(t) / min(t) - 1 for sides in times.values() for t in sides.values())
    record |= {"flops": workload.flops, "moved": workload.moved, "real": workload.real}
    return record


def main():
    work = HERE.parent / "build" / "bench"
    work.mkdir(parents=True, exist_ok=True)
    bpc = Bpc(os.environ.get("BPC", str(HERE.parent / "build/release/tools/bpc/bpc")), work)
    native = Native(work)
    peers = tools.installed()
    patterns = sys.argv[1:] or [""]
    machine = output_of(native.program("machine"))
    machine |= {"processor": report.processor(), "system": platform.platform(), "date": datetime.date.today().isoformat(),
                "versions": {side.name: side.version for side in [bpc, native, *peers]}}
    kept = work / "results.json"
    records = json.loads(kept.read_text())["records"] if kept.exists() else {}
    failed = False
    for name, workload in WORKLOADS.items():
        if not any(pattern in name for pattern in patterns):
            continue
        try:
            records[name] = measure(workload, bpc, native, peers)
        except Failure as reason:
            records[name] = {"name": name, "failure": str(reason)}
            failed = True
        print("\n".join(report.lines(records[name], machine)), flush=True)
        kept.write_text(json.dumps({"machine": machine, "records": records}))
    ordered = [records[name] for name in WORKLOADS if name in records]
    (HERE / "RESULTS.md").write_text(report.markdown(ordered, machine))
    return 1 if failed else 0


sys.exit(main())
