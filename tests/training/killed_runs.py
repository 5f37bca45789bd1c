"""Train a small network, undisturbed and killed again and again; `test_resume.py` compares what they leave.

    python killed_runs.py DIRECTORY KILLS SEED

Each attempt is a fork of this process, which imports everything once but never computes with MLX itself. It
is killed a random number of steps after it started and a random part of a step later, so that the kill falls
into steps, checkpoints and the clearing of old checkpoints alike.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import mlx.core as mx
import mlx.optimizers as optim

import ganglion as gl

EPOCHS, ITEMS, BATCH = 8, 22, 4


class Ticks(gl.training.Callback):
    """Tell the parent about every step."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe

    def on_step(self, run: gl.training.Run) -> None:
        os.write(self.pipe, b".")


def noisy_mse(rnn: gl.LTC, x: mx.array, y: mx.array) -> mx.array:
    """A loss that draws random numbers, so that the random state matters."""
    return gl.training.mse(rnn, x + 0.1 * mx.random.normal(x.shape), y)


def train(directory: Path, pipe: int) -> None:
    mx.random.seed(7)
    x = mx.random.normal((ITEMS, 3, 2))
    rnn = gl.CfC(gl.random(4, inputs=2, outputs=2, sparsity=0.2), schedule="synchronous")
    gl.fit(
        rnn,
        (x, mx.tanh(x)),
        loss=noisy_mse,
        optimizer=optim.Adam(optim.cosine_decay(0.02, 60)),
        epochs=EPOCHS,
        batch_size=BATCH,
        validation=(x[:5], mx.tanh(x[:5])),
        clip_norm=1.0,
        checkpoint=directory,
        checkpoint_every=2,
        callbacks=[Ticks(pipe)],
        progress=False,
    )


def attempt(directory: Path, ticks: int | None, delay: float) -> bool:
    """Train in a child, and kill it `delay` seconds after so many ticks; whether it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            train(directory, writing)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writing)
    if ticks is not None:
        for _ in range(ticks):
            if not os.read(reading, 1):
                break
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(reading)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        sys.exit(f"training failed in {directory}")
    return os.WIFSIGNALED(status)


def main() -> None:
    folder, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(seed)
    attempt(folder / "undisturbed", None, 0.0)
    killed = runs = 0
    while killed < kills:  # a run that got through before all kills were spent is followed by another one
        runs += 1
        directory = folder / f"killed-{runs}"
        while attempt(directory, chance.randint(1, 5) if killed < kills else None, chance.uniform(0, 0.02)):
            killed += 1
    print(killed, runs)


main()
