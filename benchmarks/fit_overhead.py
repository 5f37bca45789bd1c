"""What `gl.fit` costs over the same loop written by hand: the target is under 3 %.

    python benchmarks/fit_overhead.py                # a minute on a quiet machine

The two take turns, step by step: after each step of `fit` a callback does the same step by hand, on an equal
network and an equal batch, so that a busy machine slows both alike. The table shows the median time of a step
of both, and the median of the ratio of neighbouring steps, which is the figure to read. "bar" is the share of
all time that the progress bar takes on a terminal, where it is drawn twice a second. The weights of both must
end equal to the bit.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator

os.environ["FORCE_COLOR"] = "1"  # so that the progress bar is drawn

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.training.progress import INTERVAL, ProgressBar
from ganglion.training.run import Run

BATCH, STEPS, INPUTS, OUTPUTS, SEED, WARM = 32, 32, 16, 8, 0, 20
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "LTC, auto_ncp(64, 8)": lambda: gl.LTC(gl.auto_ncp(64, OUTPUTS, inputs=INPUTS)),
    "CfC, auto_ncp(64, 8)": lambda: gl.CfC(gl.auto_ncp(64, OUTPUTS, inputs=INPUTS)),
    "CfC, auto_ncp(16, 8)": lambda: gl.CfC(gl.auto_ncp(16, OUTPUTS, inputs=INPUTS)),
}
Task = tuple[mx.array, mx.array]


def by_hand(model: nn.Module, task: Task, epochs: int) -> Iterator[float]:
    """The plain MLX loop, which stops after every step to tell its loss."""
    x, y = task
    optimizer = optim.Adam(0.001)
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
    """After each step of `fit`, one step by hand; the seconds of both."""

    def __init__(self, steps: Iterator[float]) -> None:
        self.steps = steps
        self.fit: list[float] = []
        self.hand: list[float] = []

    def on_start(self, run: gl.training.Run) -> None:
        self.last = time.perf_counter()

    def on_step(self, run: gl.training.Run) -> None:
        before = time.perf_counter()
        self.fit.append(before - self.last)
        next(self.steps)
        self.last = time.perf_counter()
        self.hand.append(self.last - before)


def compare(make: Callable[[], nn.Module], steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Seconds of every step, of `fit` and by hand."""
    networks = []
    for _ in range(2):
        mx.random.seed(SEED)
        networks.append(make())
    x = mx.random.normal((100 * BATCH, STEPS, INPUTS))
    task = (x, mx.tanh(x[..., :OUTPUTS]))
    mx.eval(task)
    epochs = -(-steps // 100)
    turns = Turns(by_hand(networks[1], task, epochs))
    gl.fit(
        networks[0], task, loss=gl.training.mse, optimizer=optim.Adam(0.001), epochs=epochs, batch_size=BATCH,
        clip_norm=1.0, seed=SEED, callbacks=[turns], progress=False,
    )  # fmt: skip
    ours, theirs = (dict(tree_flatten(network.parameters())) for network in networks)
    for name, array in ours.items():
        assert mx.array_equal(array, theirs[name]).item(), f"{name} differs"
    return np.array(turns.fit[WARM:]), np.array(turns.hand[WARM:])


def bar_share() -> float:
    """The share of time that drawing the progress bar takes."""
    bar, run = (
        ProgressBar(),
        Run(nn.Linear(1, 1), optim.Adam(0.001), epochs=100, steps_per_epoch=100, epoch=50),
    )
    bar.on_start(run)
    start = time.perf_counter()
    for _ in range(100):
        bar.draw(run)
    seconds = (time.perf_counter() - start) / 100
    bar.on_end(run)
    return seconds / INTERVAL


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=1000, help="of each way, per network")
    options = parser.parse_args()
    print("| network | by hand, ms | fit, ms | overhead | bar |\n|---|---|---|---|---|")
    with open(os.devnull, "w") as nowhere:
        stderr, sys.stderr = sys.stderr, nowhere  # where the bar goes
        for name, make in NETWORKS.items():
            fit, hand = compare(make, options.steps)
            overhead = np.median(fit / hand) - 1
            print(
                f"| {name} | {1e3 * np.median(hand):.3f} | {1e3 * np.median(fit):.3f} "
                f"| {100 * overhead:+.1f} % | {100 * bar_share():.1f} % |",
                file=sys.__stdout__,
                flush=True,
            )
        sys.stderr = stderr


if __name__ == "__main__":
    main()
