"""Where the time of a training step of the demo goes: kernels, the rest of MLX, the optimizer, `fit`.

    python benchmarks/step_shares.py               # a minute

"older" is a step outside `mx.compile`, the kernels around MLX, as before they were nodes of its graph; "fit"
is `gl.fit`, which compiles its step. Of each the table has the milliseconds of a whole step and of its parts:
the kernels' own time, what gradients take beyond that, what Adam and constraints take beyond gradients, and
what `fit` takes beyond such a step. Ways take turns, one of each after a step of `fit`, when that has run so
long that it compiles what follows the gradients; medians are compared.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from compiled_step import older
from measure import machine

import ganglion as gl
from ganglion.compile.kernels import cpu
from ganglion.demo import UNITS
from ganglion.demo.data import CLASSES, COLUMNS
from ganglion.training.update import LONG

BATCH, ROWS, EPOCH = 32, 8, 45  # as the demo has them: rows of an image, steps of an epoch
NETWORKS = {"LTC": gl.LTC, "CfC": gl.CfC}


class Way:
    """A network and how it is trained."""

    def __init__(self, name: str, *, compiled: bool) -> None:
        circuit = gl.auto_ncp(UNITS, CLASSES, inputs=COLUMNS)
        self.network: Any = NETWORKS[name](circuit, key=mx.random.key(0))
        self.optimizer = optim.Adam(1e-3, bias_correction=True)
        self.optimizer.init(self.network.trainable_parameters())
        rng = np.random.default_rng(0)
        self.x = mx.array(rng.random((EPOCH * BATCH, ROWS, COLUMNS)).astype(np.float32))
        self.y = mx.array(rng.random((EPOCH * BATCH, ROWS, CLASSES)).astype(np.float32))
        self.batch = self.x[:BATCH], self.y[:BATCH]
        self.state = [self.network.state, self.optimizer.state]
        mx.eval(self.x, self.y, self.batch, self.state)
        self._loss = nn.value_and_grad(self.network, gl.training.mse)
        inside: Any = mx.compile if compiled else lambda run, *_: run
        self._gradients = inside(lambda x, y: self._loss(self.network, x, y), self.state, self.state)
        self._step = inside(self._trained, self.state, self.state)

    def _trained(self, x: mx.array, y: mx.array) -> mx.array:
        loss, gradients = self._loss(self.network, x, y)
        self.optimizer.update(self.network, gradients)
        self.network.apply_constraints()
        return loss

    def gradients(self) -> None:
        mx.eval(self._gradients(*self.batch))

    def step(self) -> None:
        mx.eval(self._step(*self.batch), self.state)

    def fit(self, turns: gl.training.Callback) -> None:
        gl.fit(
            self.network, (self.x, self.y), loss=gl.training.mse, optimizer=self.optimizer, epochs=1 << 20,
            batch_size=BATCH, progress=False, callbacks=[turns],
        )  # fmt: skip


class Turns(gl.training.Callback):
    """Between two steps of `fit`, one of each other way; the seconds of all, once it compiles."""

    def __init__(self, ways: dict[str, Callable[[], float]], steps: int) -> None:
        self.ways, self.steps = ways, steps
        self.times: dict[str, list[float]] = {name: [] for name in (*ways, "fit")}

    def on_start(self, run: gl.training.Run) -> None:
        self.last = time.perf_counter()
        self.begin = time.monotonic() + LONG + 2

    def on_step(self, run: gl.training.Run) -> None:
        taken = {"fit": time.perf_counter() - self.last}
        taken |= {name: way() for name, way in self.ways.items()}
        if time.monotonic() > self.begin:
            for name, t in taken.items():
                self.times[name].append(t)
        if len(self.times["fit"]) == self.steps:
            run.stop = "measured"
        self.last = time.perf_counter()

    def medians(self) -> dict[str, float]:
        """In milliseconds."""
        return {name: 1000 * statistics.median(taken) for name, taken in self.times.items()}


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def kernels_of(run: Callable[[], object]) -> float:
    """The seconds of kernels alone in what is run, the kernels around MLX."""
    taken, inner = [], cpu.run_together

    def timed(*arguments: Any) -> int:
        start = time.perf_counter()
        found = inner(*arguments)
        taken.append(time.perf_counter() - start)
        return found

    cpu.run_together = timed  # type: ignore[assignment]
    try:
        older(run)
    finally:
        cpu.run_together = inner
    return sum(taken)


def row(name: str, steps: int) -> list[str]:
    """The two lines of a network."""
    before, after, fitted = (Way(name, compiled=k > 0) for k in range(3))
    turns = Turns(
        {
            "kernels": lambda: kernels_of(before.gradients),
            "older gradients": lambda: seconds(lambda: older(before.gradients)),
            "older step": lambda: seconds(lambda: older(before.step)),
            "gradients": lambda: seconds(after.gradients),
            "step": lambda: seconds(after.step),
        },
        steps,
    )
    fitted.fit(turns)
    t = turns.medians()

    def line(label: str, whole: float, gradients: float, step: float) -> str:
        parts = [t["kernels"], gradients - t["kernels"], step - gradients, whole - step]
        shares = " | ".join(f"{part:.2f} ({100 * part / whole:.0f} %)" for part in parts)
        return f"| {name}, {label} | {whole:.2f} | {shares} | {whole / t['kernels']:.2f} |"

    return [
        line("older", t["older step"], t["older gradients"], t["older step"]),
        line("fit", t["fit"], t["gradients"], t["step"]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--steps", type=int, default=300, help="of each way")
    chosen = parser.parse_args()
    print(f"{machine()}; a step of the demo, B={BATCH}, T={ROWS}, milliseconds\n")
    print("| | whole | kernels | rest of gradients | optimizer | fit | whole / kernels |")
    print("|---|---|---|---|---|---|---|")
    for name in NETWORKS:
        print(*row(name, chosen.steps), sep="\n", flush=True)


if __name__ == "__main__":
    main()
