"""A workload: a script, and the same computation for the other tools, on the same numbers."""
import dataclasses
import re
from typing import Callable, Optional

import numpy as np

WORKLOADS: dict[str, "Workload"] = {}
RATE = 0.001


@dataclasses.dataclass
class Array:
    """A param or an input, filled with scale * sin(frequency * i) + shift, or with what `text` and `numbers` say."""
    kind: str
    name: str
    shape: list[int]
    frequency: float = 0.7
    scale: float = 1.0
    shift: float = 0.0
    text: Optional[str] = None
    numbers: Optional[np.ndarray] = None

    def declaration(self) -> str:
        if self.text:
            return self.text
        if not self.shape:
            return f"{self.kind} {self.name} = {self.scale}\n"
        wave = f"{self.scale} * sin({self.frequency} * arange({int(np.prod(self.shape))})) + {self.shift}"
        if len(self.shape) > 1:
            wave = f"reshape({wave}, {self.shape})"
        return f"{self.kind} {self.name} : {self.shape} = {wave}\n"

    def values(self, real) -> np.ndarray:
        if self.numbers is not None:
            return self.numbers.astype(real) if self.numbers.dtype.kind == "f" else self.numbers
        if not self.shape:
            return np.asarray(self.scale, dtype=real)
        angles = real(self.frequency) * np.arange(int(np.prod(self.shape)), dtype=real)
        wave = np.sin(angles.astype(np.float64)).astype(real)
        return (real(self.scale) * wave + real(self.shift)).astype(real).reshape(self.shape)


def param(name, shape, *wave):
    return Array("param", name, shape, *wave)


def given(name, shape, *wave):
    return Array("input", name, shape, *wave)


def labels(name, count, classes):
    text = f"input {name} : i32[{count}] = i32(arange({count})) * 7 % {classes}\n"
    return Array("input", name, [count], text=text, numbers=(np.arange(count) * 7 % classes).astype(np.int32))


@dataclasses.dataclass
class Workload:
    """`script` computes `loss J` (then the gradient by each param is measured too) or `y`. `twin(n, d)` is the same for the
    arrays d by name and the functions of n, one of the classes of peers.py. Where `function` is what the loss calls, a step of
    gradient descent is measured as well, as one function of the params."""
    name: str
    arrays: list[Array]
    script: str
    twin: Optional[Callable] = None
    function: str = ""
    real: str = "f32"
    flops: float = 0  # of the value, or of value and gradient where there is one
    moved: float = 0  # bytes that the gradient, or else the value, must read and write, each once
    tolerance: float = 1e-3
    derivative: Optional[Callable] = None  # a twin of another derivative than the loss's, by name of the result
    without: tuple = ()  # tools that would take minutes, or cannot do it
    native: str = ""  # the program by hand, where it is not called like the workload

    def __post_init__(self):
        WORKLOADS[self.name] = self

    @property
    def params(self):
        return [a.name for a in self.arrays if a.kind == "param"]

    @property
    def has_loss(self):
        return "loss J" in self.script

    def values(self):
        return {a.name: a.values({"f32": np.float32, "f64": np.float64}[self.real]) for a in self.arrays}

    def commands(self, work):
        """For each kind that is not measured with the value, and for the value: the script, written to the folder `work`, and flags."""
        made = {"value": self.text()} | ({"step": self.step_text()} if self.function else {})
        paths = {kind: work / f"{self.name}_{kind}.bp" for kind in made}
        for kind, text in made.items():
            paths[kind].write_text(text)
        return {kind: [str(path)] for kind, path in paths.items()}

    def text(self):
        return "".join(a.declaration() for a in self.arrays) + self.script

    def step_text(self):
        names = ", ".join(self.params)
        gradients = ", ".join("g_" + p for p in self.params)
        updated = ", ".join(f"{p} - {RATE} * g_{p}" for p in self.params)
        step = (f"fn descend({names}) {{\n  j = {self.function}\n  {gradients} = grad(j, {names})\n  return j, {updated}\n}}\n"
                f"J, {', '.join('new_' + p for p in self.params)} = descend({names})\n")
        return re.sub(r"loss J = .*\n", "", self.text()) + step
