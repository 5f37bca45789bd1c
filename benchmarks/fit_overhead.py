"""What `gl.fit` costs over the same loop written by hand: the target is under 3 %.

    python benchmarks/fit_overhead.py                # a few minutes

Both train equal networks on equal batches, a round of some steps each in turn, so that a busy machine slows
both alike. Times are per step: of the wall clock, the best round, which is the one that the machine disturbed
least; of the processor, the median. "with bar" draws the progress bar, as on a terminal. The weights of all
ways must end equal to the bit.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

os.environ["FORCE_COLOR"] = "1"  # so that the progress bar is drawn

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from mlx.utils import tree_flatten

import ganglion as gl

BATCH, STEPS, INPUTS, OUTPUTS = 32, 32, 16, 8
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "LTC, auto_ncp(64, 8)": lambda: gl.LTC(gl.auto_ncp(64, OUTPUTS, inputs=INPUTS)),
    "CfC, auto_ncp(64, 8)": lambda: gl.CfC(gl.auto_ncp(64, OUTPUTS, inputs=INPUTS)),
    "CfC, auto_ncp(16, 8)": lambda: gl.CfC(gl.auto_ncp(16, OUTPUTS, inputs=INPUTS)),
}
Task = tuple[mx.array, mx.array]


class Times(NamedTuple):
    """Seconds per step: of the wall clock in the best round, and of the processor."""

    wall: float
    processor: float


class ByHand:
    """The plain MLX loop."""

    def __init__(self, model: nn.Module) -> None:
        self.model, self.optimizer = model, optim.Adam(0.001)
        self.loss_and_gradients = nn.value_and_grad(model, gl.training.mse)

    def train(self, task: Task, seed: int) -> None:
        x, y = task
        order = np.random.default_rng([seed, 0]).permutation(len(x))
        losses = []
        for start in range(0, len(x), BATCH):
            chosen = mx.array(order[start : start + BATCH])
            loss, gradients = self.loss_and_gradients(self.model, x[chosen], y[chosen])
            gradients, _ = optim.clip_grad_norm(gradients, 1.0)
            self.optimizer.update(self.model, gradients)
            self.model.apply_constraints()
            mx.eval(loss, self.model.parameters(), self.optimizer.state)
            losses.append(loss.item())


class ByFit:
    """The same through `fit`."""

    def __init__(self, model: nn.Module, *, bar: bool) -> None:
        self.model, self.optimizer, self.bar = model, optim.Adam(0.001), bar

    def train(self, task: Task, seed: int) -> None:
        gl.fit(
            self.model, task, loss=gl.training.mse, optimizer=self.optimizer, epochs=1,
            batch_size=BATCH, clip_norm=1.0, seed=seed, progress=self.bar,
        )  # fmt: skip


def compare(make: Callable[[], nn.Module], rounds: int, batches: int) -> list[Times]:
    """Seconds per step of each way."""
    models = []
    for _ in range(3):
        mx.random.seed(0)
        models.append(make())
    ways = [ByHand(models[0]), ByFit(models[1], bar=False), ByFit(models[2], bar=True)]
    x = mx.random.normal((batches * BATCH, STEPS, INPUTS))
    task = (x, mx.tanh(x[..., :OUTPUTS]))
    rows: list[list[tuple[float, float]]] = [[] for _ in ways]
    for number in range(rounds + 1):
        for k in np.roll(np.arange(len(ways)), number):  # nobody is always first
            wall, processor = time.perf_counter(), time.process_time()
            ways[k].train(task, seed=number)
            if number:  # the first round builds kernels and warms up
                rows[k].append((time.perf_counter() - wall, time.process_time() - processor))
    for model in models[1:]:
        for (name, ours), (_, theirs) in zip(
            tree_flatten(model.parameters()), tree_flatten(models[0].parameters()), strict=True
        ):
            assert mx.array_equal(ours, theirs).item(), f"{name} differs"
    return [
        Times(min(wall for wall, _ in way) / batches, median(processor for _, processor in way) / batches)
        for way in rows
    ]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--batches", type=int, default=40, help="steps per round")
    options = parser.parse_args()
    print("| network | clock | by hand, ms | fit, ms | overhead | with bar, ms | overhead |")
    print("|---|---|---|---|---|---|---|")
    with open(os.devnull, "w") as nowhere:
        stderr, sys.stderr = sys.stderr, nowhere  # where the bar goes
        for name, make in NETWORKS.items():
            times = compare(make, options.rounds, options.batches)
            for clock, hand, fit, bar in zip(Times._fields, *times, strict=True):
                cells = [f"{1e3 * hand:.3f}"]
                cells += [f"{1e3 * way:.3f} | {100 * (way / hand - 1):+.1f} %" for way in (fit, bar)]
                print(f"| {name} | {clock} | {' | '.join(cells)} |", flush=True)
        sys.stderr = stderr


if __name__ == "__main__":
    main()
