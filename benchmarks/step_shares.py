"""Where the time of a training step of the demo goes: kernels, the rest of MLX, the optimizer, Python.

    python benchmarks/step_shares.py               # a minute
    python benchmarks/step_shares.py --out benchmarks/results

"older" is a step outside `mx.compile`, the kernels around MLX, as before they were nodes of its graph;
"compiled" is a step that MLX compiles, whose parameters Python gets back each time; "fit" is `gl.fit`, which
prepares the next step while MLX computes and keeps what it moves in long arrays. Of each, the table has the
milliseconds of a whole step; of the first two, what gradients take beyond kernels, and Adam and constraints
beyond gradients; of `fit`, where both go on at once, the time of Python's thread on the processor, within MLX
and in Python itself. "epoch" is a whole one, with data, validation of a fifth as many items and bookkeeping,
over the kernels' own time for as much, one batch after another, on as many threads.

Ways take turns, some steps of each after an epoch of `fit`, when that has run so long that it compiles.
Of all times, a tenth is shorter than what the table says.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
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
from ganglion.training import loop
from ganglion.training.data import Batches, as_data
from ganglion.training.loop import evaluate
from ganglion.training.step import Step
from ganglion.training.update import LONG

BATCH, ROWS, EPOCH = 32, 8, 45  # as the demo has them: rows of an image, steps of an epoch
NOTES = """
What was tried, in microseconds of a step of the CfC: Python's thread, other threads, the wall (`fit` before:
199, 95, 294; least of 60 epochs, beside other work, which also bounds what both can do at once).

| design | thread | others | wall | |
|---|---|---|---|---|
| a compiled step as before, without `fit` | 153 | 117 | 265 | |
| 8 or 15 steps in one graph | 173 to 195 | 148 to 156 | 295 to 328 | nothing: the nodes cost, not the calls |
| reading losses 2 or 4 steps late | 157 | 108 | | nothing |
| flat arrays in the graph, Adam by MLX | 126 | 164 | 272 | MLX fuses its two powers into every number |
| Adam as one node, an array for each parameter | 193 | 103 | 303 | nothing: results keep all siblings |
| **flat arrays, Adam and constraints as one node** | 78 | 101 | 157 | bit for bit; in `fit` 111, 89, 199 |
| the same, and the loss as 3 nodes for 12 | 73 | 94 | 150 | by another formula, not in `mse`: 5 % |
| the same, 5 or 15 steps in one graph | 68 | 90 | 150 | not done |

What is left: some 30 us of Python and 80 to 90 of MLX's graph (calling it, and evaluating some 20 nodes). An
LTC's kernels hide some of that, a CfC's are too short for it. A node that ran whole steps by itself was not
tried. Ratios depend on how free the cores are, as kernels use both: on a quiet machine a step of the CfC's
takes them 40 to 45 us, and the ratio is 3.4 (2.0 for the LTC); on a busy one they take 65, and it is 1.8 to
2.3 (1.5 to 1.7). What was wanted is 1.5.
"""
OTHERS = 8  # steps of each other way after an epoch of fit
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
        self.held_out = self.x[: len(self.x) // 5], self.y[: len(self.y) // 5]
        self.batch = self.x[:BATCH], self.y[:BATCH]
        self.state = [self.network.state, self.optimizer.state]
        mx.eval(self.x, self.y, self.held_out, self.batch, self.state)
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
            batch_size=BATCH, progress=False, callbacks=[turns], validation=self.held_out,
        )  # fmt: skip

    def validate(self) -> None:
        evaluate(self.network, Batches(as_data(self.held_out), BATCH), gl.training.mse)


class Turns(gl.training.Callback):
    """Between two epochs of `fit`, some steps of each other way; the seconds of all, once it compiles."""

    def __init__(self, ways: dict[str, Callable[[], float]], epochs: int) -> None:
        self.ways, self.epochs = ways, epochs
        self.times: dict[str, list[float]] = {
            name: [] for name in (*ways, "epoch", "validation", "MLX", "thread")
        }
        self.within = self.begin = self.last = self.thread = 0.0

    def on_start(self, run: gl.training.Run) -> None:
        self.begin = time.monotonic() + LONG + 2
        self._begin_epoch()

    def on_epoch(self, run: gl.training.Run) -> None:
        taken = {"epoch": time.perf_counter() - self.last, "validation": self.validated}
        taken |= {"MLX": self.within / EPOCH, "thread": (time.thread_time() - self.thread) / EPOCH}
        if time.monotonic() > self.begin:
            for name, t in taken.items():
                self.times[name].append(t)
            for name, way in self.ways.items():
                self.times[name] += [way() for _ in range(OTHERS)]
        if len(self.times["epoch"]) == self.epochs:
            run.stop = "measured"
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        self.within = self.validated = 0.0
        self.thread, self.last = time.thread_time(), time.perf_counter()

    def low(self) -> dict[str, float]:
        """In milliseconds, what a tenth of the times stays below: epochs are long, and others are at work."""
        return {name: 1000 * float(np.quantile(taken, 0.1)) for name, taken in self.times.items()}

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Count the time within MLX, of Python's thread, and that of validation."""
        inside, later, judge = Step._run_long, mx.async_eval, loop.validate

        def counted(function: Any) -> Any:
            def run(*given: Any) -> Any:
                start = time.thread_time()
                found = function(*given)
                self.within += time.thread_time() - start
                return found

            return run

        def validated(*given: Any) -> float:
            start, thread = time.perf_counter(), time.thread_time()
            found = judge(*given)
            self.validated += time.perf_counter() - start
            self.thread += time.thread_time() - thread
            return found

        Step._run_long, mx.async_eval = counted(inside), counted(later)  # type: ignore[method-assign]
        loop.validate = validated
        try:
            yield
        finally:
            Step._run_long, mx.async_eval, loop.validate = inside, later, judge  # type: ignore[method-assign]


Clock = Callable[[], float]


def seconds(run: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    start = clock()
    run()
    return clock() - start


def kernels_of(run: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    """The seconds of kernels alone in what is run, the kernels around MLX."""
    taken, inner = [], cpu.run_together

    def timed(*arguments: Any) -> int:
        start = clock()
        found = inner(*arguments)
        taken.append(clock() - start)
        return found

    cpu.run_together = timed  # type: ignore[assignment]
    try:
        older(run)
    finally:
        cpu.run_together = inner
    return sum(taken)


def row(name: str, epochs: int) -> list[str]:
    """The three lines of a network."""
    before, after, fitted = (Way(name, compiled=k > 0) for k in range(3))
    turns = Turns(
        {
            "kernels": lambda: kernels_of(before.gradients),
            "kernels of validation": lambda: kernels_of(before.validate),
            "older gradients": lambda: seconds(lambda: older(before.gradients)),
            "older step": lambda: seconds(lambda: older(before.step)),
            "gradients": lambda: seconds(after.gradients),
            "step": lambda: seconds(after.step),
        },
        epochs,
    )
    with turns.looking():
        fitted.fit(turns)
    t = turns.low()

    def line(label: str, whole: float, parts: list[float], epoch: str = "") -> str:
        shares = " | ".join(f"{part:.3f}" if part >= 0 else "" for part in parts)
        return f"| {name}, {label} | {whole:.3f} | {shares} | {whole / t['kernels']:.2f} | {epoch} |"

    def beyond(gradients: float, step: float) -> list[float]:
        return [t["kernels"], gradients - t["kernels"], step - gradients, -1, -1]

    step = (t["epoch"] - t["validation"]) / EPOCH
    epoch = t["epoch"] / (EPOCH * t["kernels"] + t["kernels of validation"])
    return [
        line("older", t["older step"], beyond(t["older gradients"], t["older step"])),
        line("compiled", t["step"], beyond(t["gradients"], t["step"])),
        line("fit", step, [t["kernels"], -1, -1, t["MLX"], t["thread"] - t["MLX"]], f"{epoch:.2f}"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--epochs", type=int, default=40, help="of fit")
    parser.add_argument("--out", type=Path, help="folder for the table")
    chosen = parser.parse_args()
    lines = [
        f"{machine()}; a step of the demo, B={BATCH}, T={ROWS}, milliseconds",
        "",
        "| | whole | kernels | more of gradients | optimizer | thread in MLX | in Python | ratio | epoch |",
        "|---|---|---|---|---|---|---|---|---|",
        *(line for name in NETWORKS for line in row(name, chosen.epochs)),
    ]
    lines += NOTES.rstrip().split("\n")
    print("\n".join(lines))
    if chosen.out:
        (chosen.out / "step_shares.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
