"""A training step inside `mx.compile`, as the scripts of mlx-examples do it, beside the same step outside.

    python benchmarks/compiled_step.py               # a minute on a quiet machine

The networks are those of `peers.py`; a step is loss, gradients, Adam and constraints. Three steps take turns,
so that a busy machine slows them alike: "older", outside `mx.compile` with the kernels around MLX, as before
they were nodes of its graph; "step", outside with nodes; and "compiled". Times are medians in
milliseconds. "first" is the first call of the compiled step, tracing included, with the kernels on disk
already, in a process of its own. "differ by" is the largest difference of a weight after ten steps of
"compiled" and of the same on plain operations.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from measure import machine
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.compile.kernels import nodes

T = TypeVar("T")
BATCH, STEPS, INPUTS, OUTPUTS = 32, 32, 16, 8
NETWORKS: dict[str, Callable[..., Any]] = {
    "LTC, auto_ncp(64, 8)": lambda **o: gl.LTC(gl.auto_ncp(64, OUTPUTS, inputs=INPUTS), **o),
    "LTC, random(128, sparsity 0.9)": lambda **o: gl.LTC(
        gl.random(128, inputs=INPUTS, outputs=OUTPUTS, sparsity=0.9), **o
    ),
    "CfC wired, auto_ncp(64, 8)": lambda **o: gl.CfC(gl.auto_ncp(64, OUTPUTS, inputs=INPUTS), **o),
    "CfC wired, auto_ncp(256, 16, sparsity 0.8)": lambda **o: gl.CfC(
        gl.auto_ncp(256, 16, inputs=INPUTS, sparsity=0.8), **o
    ),
    "CfC dense, 64 units, backbone 128": lambda **o: gl.CfC(gl.dense(INPUTS, 64), backbone_units=128, **o),
}


class Training:
    """One network, its optimizer and a batch; `step()` trains, on one of the ways."""

    def __init__(self, name: str, *, compiled: bool = False, **options: Any) -> None:
        self.network = NETWORKS[name](key=mx.random.key(0), **options)
        self.optimizer = optim.Adam(1e-3, bias_correction=True)
        self.optimizer.init(self.network.trainable_parameters())
        rng = np.random.default_rng(0)
        self.x = mx.array(rng.normal(size=(BATCH, STEPS, INPUTS)).astype(np.float32))
        self.y = mx.array(rng.normal(size=(BATCH, STEPS, self.network.cell.n_outputs)).astype(np.float32))
        self.state = [self.network.state, self.optimizer.state]
        mx.eval(self.x, self.y, self.state)
        self._gradients = nn.value_and_grad(self.network, gl.training.mse)
        self._run = mx.compile(self._step, self.state, self.state) if compiled else self._step

    def step(self) -> float:
        """Train one step; the seconds it took."""
        start = time.perf_counter()
        mx.eval(self._run(self.x, self.y), self.state)
        return time.perf_counter() - start

    def weights(self) -> dict[str, np.ndarray]:
        named: Any = tree_flatten(self.network.trainable_parameters())
        return {name: np.array(value) for name, value in named}

    def _step(self, x: mx.array, y: mx.array) -> mx.array:
        loss, gradients = self._gradients(self.network, x, y)
        self.optimizer.update(self.network, gradients)
        self.network.apply_constraints()
        return loss


def older(run: Callable[[], T]) -> T:
    """Something with the kernels around MLX."""
    found, nodes._found = nodes._found, lambda: "switched off"
    try:
        return run()
    finally:
        nodes._found = found


def first_call(name: str) -> float:
    """Seconds of the first compiled step in a process of its own."""
    ran = subprocess.run(
        [sys.executable, __file__, "--first", name], capture_output=True, text=True, check=True
    )
    return float(ran.stdout)


def differ_by(name: str) -> float:
    """The largest difference of a weight after ten steps, from plain operations."""
    trainings = Training(name, compiled=True), Training(name, engine="ops")
    for training in trainings:
        for _ in range(10):
            training.step()
    ours, plain = (training.weights() for training in trainings)
    return max(float(np.abs(ours[name] - plain[name]).max()) for name in plain)


def row(name: str, rounds: int) -> str:
    first = first_call(name)
    ways: dict[str, tuple[Training, Callable[[Training], float]]] = {
        "older": (Training(name), lambda training: older(training.step)),
        "step": (Training(name), Training.step),
        "compiled": (Training(name, compiled=True), Training.step),
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(rounds + 3):
        for way, (training, run) in ways.items():
            taken = run(training)
            if turn >= 3:
                times[way].append(taken)
    medians = {way: statistics.median(taken) for way, taken in times.items()}
    ratios = [c / o for c, o in zip(times["compiled"], times["older"], strict=True)]
    shown = " | ".join(f"{1000 * medians[way]:.2f}" for way in ways)
    return f"| {name} | {shown} | {statistics.median(ratios):.2f} | {first:.2f} s | {differ_by(name):.1e} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=60, help="steps of each kind")
    parser.add_argument("--first", metavar="NAME", help="only print the seconds of the first step")
    chosen = parser.parse_args()
    if chosen.first:
        print(Training(chosen.first, compiled=True).step())
        return
    print(machine(), end="\n\n")
    print(
        "| network, B=32, T=32, Adam, ms | older | step | compiled | compiled / older | first | differ by |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in NETWORKS:
        print(row(name, chosen.rounds), flush=True)


if __name__ == "__main__":
    main()
