"""The training loop of the demo: plain MLX, with nothing hidden."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np

from ..cells import LTC, CfC
from ..training.step import compilable as kernels_in_graphs
from ..training.update import compilable
from .data import Digits

Network = LTC | CfC


@dataclass(frozen=True)
class Recipe:
    """How to train one kind of cell.

    Attributes:
        gain: logits per unit of a motor neuron's output. A CfC state stays within one, too little for a sure
            answer; an LTC scales its own outputs (`output_mapping`).
        noise: standard deviation of the noise on training pixels, which lie in [0, 1].
        epochs: passes over the training images.
        learning_rate: of Adam, at the start of a cosine decay to zero.
        batch_size: images per step.
    """

    gain: float
    noise: float
    epochs: int = 40
    learning_rate: float = 0.02
    batch_size: int = 32


RECIPES = {
    "ltc": Recipe(gain=1.0, noise=0.0),
    "cfc": Recipe(gain=10.0, noise=0.2),
}
"""Found by trying on a part of the training images; the test images had no say."""


@dataclass
class History:
    """What happened in every epoch: mean training loss, test accuracy, seconds of training."""

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def train(
    rnn: Network,
    digits: Digits,
    recipe: Recipe,
    *,
    seed: int,
    watch: Callable[[int, History], None] = lambda steps, history: None,
) -> History:
    """Train a network in place to name digits.

    ``watch`` is told the number of steps done and the history, after every step and every epoch.
    The test accuracy is measured after every epoch for the learning curves only: nothing is chosen by it.
    """
    mx.random.seed(seed)
    shuffler = np.random.default_rng(seed)
    steps = recipe.epochs * steps_per_epoch(digits, recipe)
    schedule = optim.cosine_decay(recipe.learning_rate, steps)
    optimizer = optim.Adam(learning_rate=schedule, bias_correction=True)

    def loss_of(rnn: Network, images: mx.array, labels: mx.array) -> mx.array:
        noisy = images + recipe.noise * mx.random.normal(images.shape)
        motor, _ = rnn(noisy)
        return nn.losses.cross_entropy(recipe.gain * motor, labels, reduction="mean")

    loss_and_gradients = nn.value_and_grad(rnn, loss_of)
    optimizer.init(rnn.trainable_parameters())
    state: Any = [rnn.state, optimizer.state, mx.random.state]

    def step(images: mx.array, labels: mx.array) -> Any:
        loss, gradients = loss_and_gradients(rnn, images, labels)
        optimizer.update(rnn, gradients)
        rnn.apply_constraints()
        return loss

    if kernels_in_graphs(rnn) and compilable(optimizer, [rnn]):
        step = mx.compile(step, inputs=state, outputs=state)
    history = History()
    done = 0
    for _ in range(recipe.epochs):
        start = time.perf_counter()
        losses = []
        for images, labels in _batches(digits, recipe.batch_size, shuffler):
            loss = step(images, labels)
            mx.eval(loss, state)
            losses.append(loss.item())
            done += 1
            watch(done, history)
        history.seconds.append(time.perf_counter() - start)
        history.loss.append(float(np.mean(losses)))
        history.accuracy.append(accuracy(rnn, digits))
        watch(done, history)
    return history


def steps_per_epoch(digits: Digits, recipe: Recipe) -> int:
    """Batches in one pass over the training images; the last one may be smaller."""
    return -(-len(digits.train_labels) // recipe.batch_size)


def accuracy(rnn: Network, digits: Digits) -> float:
    """The share of test images whose digit is the most active motor neuron after the last row."""
    motor, _ = rnn(mx.array(digits.test_images))
    return float(np.mean(np.argmax(motor, axis=-1) == digits.test_labels))


def _batches(digits: Digits, size: int, shuffler: np.random.Generator) -> Iterator[tuple[mx.array, mx.array]]:
    order = shuffler.permutation(len(digits.train_labels))
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        yield mx.array(digits.train_images[chosen]), mx.array(digits.train_labels[chosen])
