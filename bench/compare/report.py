"""What was measured, as lines for a terminal and as bench/RESULTS.md."""
COLUMNS = ("bpc", "PyTorch", "torch.compile", "JAX", "NumPy", "C++")


def processor():
    with open("/proc/cpuinfo") as file:
        return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")


def time_text(seconds):
    for unit, name in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds * 1e9:.3g} ns"


def ratio(times):
    """bpc's time by the fastest other's, and who that is."""
    others = {side: t for side, t in times.items() if side != "bpc"}
    if not others:
        return None
    fastest = min(others, key=others.get)
    return times["bpc"] / others[fastest], fastest


def share_of_peak(record, kind, machine):
    """Of the multiply-adds, or of the bandwidth, that the machine was measured to have."""
    last = "gradient" if "gradient" in record["times"] else "value"
    if kind != last and kind != "step":
        return ""
    taken = record["times"][kind]["bpc"]
    if record["flops"]:
        return f"{record['flops'] / taken / 1e9:.1f} GF/s, {100 * record['flops'] / taken / machine['fma_' + record['real']]:.0f} %"
    if record["moved"]:
        return f"{record['moved'] / taken / 1e9:.1f} GB/s, {100 * record['moved'] / taken / machine['copy']:.0f} %"
    return ""


def cells(record, machine):
    for kind, times in record["times"].items():
        best = ratio(times)
        yield [record["name"], kind, *(time_text(times[c]) if c in times else "" for c in COLUMNS),
               f"{best[0]:.2f} ({best[1]})" if best else "", share_of_peak(record, kind, machine)]


def lines(record, machine):
    if "failure" in record:
        return [f"{record['name']}: FAILED: {record['failure']}"]
    found = []
    for name, kind, *times, best, share in cells(record, machine):
        sides = ", ".join(f"{side} {t}" for side, t in zip(COLUMNS, times) if t)
        found.append(f"{name} {kind}: {sides}" + (f"; {best}" if best else "") + (f"; {share}" if share else ""))
    return found


def markdown(records, machine):
    versions = ", ".join(f"{name} {version.removeprefix('bpc ')}" for name, version in machine["versions"].items())
    text = f"""# Measured

By `bench/run.sh`, on {machine['date']}: {machine['processor']}, {machine['system']}; {versions}. One thread. CPU time, the sides one after
the other, the median of three rounds of medians; each workload as it was measured last. *value* is the loss or the result, *gradient* the loss and its gradient by every param, *step*
those and the params after a step of gradient descent. The ratio is bpc's time by the fastest other's: below 1, bpc is ahead. The machine's
own peak, measured by `bench/native/machine.cpp`: {machine['fma_f32'] / 1e9:.0f} GF/s f32, {machine['fma_f64'] / 1e9:.0f} GF/s f64, {machine['copy'] / 1e9:.1f} GB/s copied.

"""
    suite = [record for record in records if record["name"].startswith("gradbench_")]
    text += table([record for record in records if record not in suite], machine)
    if suite:
        text += f"""
## GradBench

The twelve evaluations of [GradBench](https://github.com/gradbench/gradbench), in f64, from the scripts in [gradbench](gradbench) and with
arrays as large as in the suite, whose numbers are drawn anew. *gradient* is the derivative that it asks for: for `kmeans` the direction of
Newton's method, for `ba` a sparse Jacobian block by block, for `ht` a dense one, for `particle` and `saddle` a whole descent with nested
derivatives (the outer one forward or reverse, then the inner one). C++ has derivatives by hand, as in the suite; those of `kmeans` use that
a point moves no more than the nearest centre, those of `ht` that a number moves one finger.

{table(suite, machine)}"""
    return text


def table(records, machine):
    text = f"""| workload | | {' | '.join(COLUMNS)} | ratio | of the peak | error | spread |
|{'---|' * (len(COLUMNS) + 6)}
"""
    for record in records:
        if "failure" in record:
            text += f"| {record['name']} | failed: {record['failure'].splitlines()[0]} |{' |' * (len(COLUMNS) + 4)}\n"
            continue
        for row in cells(record, machine):
            off = "" if record["error"] is None else f"{record['error']:.0e}"
            text += "| " + " | ".join([*row, off, f"{100 * record['spread']:.0f} %"]) + " |\n"
    return text
