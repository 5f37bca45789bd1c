"""What `gl.fit` costs over the same loop written by hand: the target is under 3 %.

    python benchmarks/fit_overhead.py                # a minute on a quiet machine

The two take turns, step by step: after each step of `fit` a callback does the same step by hand, on an
equal network and an equal batch, so that a busy machine slows both alike. Each has its own copy of the
data: who comes second would find a shared batch in the cache. The table shows the median time of a step of
both, and the median of the ratio of neighbouring steps, which is the figure to read, beside "method": the
same ratio for two loops by hand, which is what the measurement itself is worth. "bar" is the share of all
time that the progress bar takes on a terminal, where it is drawn twice a second. The weights of both must
end equal to the bit.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr

os.environ["FORCE_COLOR"] = "1"  # so that the progress bar is drawn

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from measure import machine
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.training.progress import INTERVAL, ProgressBar
from ganglion.training.run import Run

BATCH, STEPS, INPUTS, OUTPUTS, SEED = 32, 32, 16, 8, 0
EPOCH, WARM = 100, 20  # steps of an epoch, and those that are not counted
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "LTC, auto_ncp(64, 8)": lambda: gl.LTC(gl.auto_ncp(64, OUTPUTS, inputs=INPUTS)),
    "CfC, auto_ncp(64, 8)": lambda: gl.CfC(gl.auto_ncp(64, OUTPUTS, inputs=INPUTS)),
    "CfC, auto_ncp(16, 8)": lambda: gl.CfC(gl.auto_ncp(16, OUTPUTS, inputs=INPUTS)),
}
Task = tuple[mx.array, mx.array]
Times = tuple[np.ndarray, np.ndarray]


def by_hand(model: nn.Module, task: Task, epochs: int) -> Iterator[float]:
    """The plain MLX loop, which stops after every step to tell its loss."""
    x, y = task
    optimizer = optim.Adam(0.001, bias_correction=True)
    loss_and_gradients = nn.value_and_grad(model, gl.training.mse)
    for epoch in range(epochs):
        order = np.random.default_rng([SEED, epoch]).permutation(len(x))
        for start in range(0, len(x), BATCH):
            chosen = mx.array(order[start : start + BATCH])
            loss, gradients = loss_and_gradients(model, x[chosen], y[chosen])
            gradients, _ = optim.clip_grad_norm(gradients, 1.0)
            optimizer.update(model, gradients)
            model.apply_constraints()
            mx.eval(loss, model.parameters(), optimizer.state)
            yield loss.item()


class Turns(gl.training.Callback):
    """After each step of one loop, one step by hand; the seconds of both."""

    def __init__(self, steps: Iterator[float]) -> None:
        self.steps = steps
        self.first: list[float] = []
        self.hand: list[float] = []

    def on_start(self, run: gl.training.Run | None = None) -> None:
        self.last = time.perf_counter()

    def on_step(self, run: gl.training.Run | None = None) -> None:
        before = time.perf_counter()
        self.first.append(before - self.last)
        next(self.steps)
        self.last = time.perf_counter()
        self.hand.append(self.last - before)

    @property
    def times(self) -> Times:
        return np.array(self.first[WARM:]), np.array(self.hand[WARM:])


def fit_beside_hand(make: Callable[[], nn.Module], epochs: int) -> Times:
    """Seconds of every step, of `fit` and by hand."""
    ours, theirs = _network(make), _network(make)
    turns = Turns(by_hand(theirs, _task(), epochs))
    gl.fit(
        ours, _task(), loss=gl.training.mse, optimizer=optim.Adam(0.001, bias_correction=True),
        epochs=epochs, batch_size=BATCH, clip_norm=1.0, seed=SEED, callbacks=[turns], progress=False,
    )  # fmt: skip
    parameters = dict(tree_flatten(theirs.parameters()))
    for name, array in tree_flatten(ours.parameters()):
        assert mx.array_equal(array, parameters[name]).item(), f"{name} differs"
    return turns.times


def hand_beside_hand(make: Callable[[], nn.Module], epochs: int) -> Times:
    """The same of two loops by hand: what differs is the measurement's own error."""
    turns = Turns(by_hand(_network(make), _task(), epochs))
    turns.on_start()
    for _ in by_hand(_network(make), _task(), epochs):
        turns.on_step()
    return turns.times


def _network(make: Callable[[], nn.Module]) -> nn.Module:
    mx.random.seed(SEED)
    return make()


def _task() -> Task:
    x = mx.random.normal((EPOCH * BATCH, STEPS, INPUTS), key=mx.random.key(SEED))
    task = (x, mx.tanh(x[..., :OUTPUTS]))
    mx.eval(task)
    return task


def bar_share() -> float:
    """The share of time that drawing the progress bar takes."""
    run = Run(
        nn.Linear(1, 1), optim.Adam(0.001, bias_correction=True), epochs=100, steps_per_epoch=100, epoch=50
    )
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        bar = ProgressBar()
        bar.on_start(run)
        start = time.perf_counter()
        for _ in range(100):
            bar.draw(run)
        seconds = (time.perf_counter() - start) / 100
        bar.on_end(run)
    return seconds / INTERVAL


def overhead(times: Times) -> float:
    """In percent, the median over neighbouring steps."""
    first, hand = times
    return 100 * (float(np.median(first / hand)) - 1)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10, help=f"of {EPOCH} steps, of each way and network")
    options = parser.parse_args()
    print(f"{machine()}; {options.epochs * EPOCH} steps of each, B={BATCH} T={STEPS}; wanted: under 3 %\n")
    print("| network | by hand, ms | fit, ms | overhead | method | bar |\n|---|---|---|---|---|---|")
    for name, make in NETWORKS.items():
        fit = fit_beside_hand(make, options.epochs)
        control = hand_beside_hand(make, options.epochs)
        print(
            f"| {name} | {1e3 * np.median(fit[1]):.3f} | {1e3 * np.median(fit[0]):.3f} "
            f"| {overhead(fit):+.1f} % | {overhead(control):+.1f} % | {100 * bar_share():.1f} % |",
            flush=True,
        )


if __name__ == "__main__":
    main()
