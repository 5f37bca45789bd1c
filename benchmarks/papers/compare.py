"""Tasks of sequences of one length: each model with each seed, ours or one of ncps, and one table."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from common import Result, arguments, table, train
from models import Make, Readout

Part = tuple[
    np.ndarray, ...
]  # inputs (n, T, I), targets and, where samples come irregularly, time spans (n, T)
Score = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Model:
    """A network and how it is trained.

    Attributes:
        make: the network, from its inputs, units, seed and engine.
        units: its states, which a linear map reads.
        rate: of Adam, at first.
        decay: of the rate, per epoch.
        clip: the largest norm of all gradients together.
        batch: sequences per step.
        peer: the layer of ``ncps.torch`` that is the same model, and its options.
    """

    make: Make
    units: int
    rate: float
    decay: float = 1.0
    clip: float | None = None
    batch: int = 16
    peer: tuple[str, dict[str, Any]] | None = None


@dataclass(frozen=True)
class Task:
    """Data, and how an answer is judged.

    Attributes:
        title: the heading of its table.
        measure: what `score` gives, in words.
        score: of outputs (n, T, outputs) and targets.
        higher: whether a higher score is the better one.
        outputs: numbers that a model gives at each step.
        classes: whether these are logits of classes, trained by cross entropy, or values, by squares.
        training, validation, test: the three parts.
        published: the figures of the publication.
        baselines: scores on the test part of what needs no training, by what it is.
        notes: what differs from the publication, as Markdown.
    """

    title: str
    measure: str
    score: Score
    higher: bool
    outputs: int
    classes: bool
    training: Part
    validation: Part
    test: Part
    published: dict[str, str] = field(default_factory=dict)
    baselines: dict[str, float] = field(default_factory=dict)
    notes: str = ""


def squared_error(outputs: np.ndarray, targets: np.ndarray) -> float:
    """The mean of squares over all sequences, steps and features."""
    return float(np.square(outputs - targets, dtype=np.float64).mean())


def accuracy(outputs: np.ndarray, targets: np.ndarray) -> float:
    """The share of steps, in percent, whose class is named rightly."""
    return float(100 * (outputs.argmax(-1) == targets).mean())


def answers(model: nn.Module, part: Part) -> np.ndarray:
    """What a network says to a part's inputs."""
    model.eval()
    inputs = (part[0], *part[2:])
    chunks = [slice(start, start + 256) for start in range(0, len(part[0]), 256)]
    return np.concatenate(
        [np.array(model(*(mx.array(array[chunk]) for array in inputs))) for chunk in chunks]
    )


def squares(model: nn.Module, x: mx.array, y: mx.array, *spans: mx.array) -> mx.array:
    """The loss of values."""
    return nn.losses.mse_loss(model(x, *spans), y)


def entropy(model: nn.Module, x: mx.array, y: mx.array, *spans: mx.array) -> mx.array:
    """The loss of classes."""
    return nn.losses.cross_entropy(model(x, *spans), y, reduction="mean")


def options_of(
    description: str | None, models: dict[str, Model], epochs: int, data: str
) -> argparse.ArgumentParser:
    """The options of a task whose data are in a folder, or a file, that is described."""
    peers = [f"ncps {name}" for name, model in models.items() if model.peer]
    parser = arguments(description, [*models, *peers], epochs)
    parser.set_defaults(models=list(models))
    parser.add_argument("--data", type=Path, required=True, metavar="PATH", help=data)
    parser.add_argument("--units", type=int, help="states of each network (default: as published)")
    return parser


def compare(task: Task, models: dict[str, Model], options: argparse.Namespace) -> list[Result]:
    """Train every model with every seed, and print the table, or write it too."""
    results = [_run(task, name, seed, models, options) for name in options.models for seed in options.seeds]
    lines = [table(results, task.published, task.measure, f"python {shlex.join(sys.argv)}")]
    if task.baselines:
        found = ", ".join(f"{name}: {score:.3f}" for name, score in task.baselines.items())
        lines.append(f"Without training, {task.measure}: {found}.")
    missing = {name: figure for name, figure in task.published.items() if name not in options.models}
    if missing:
        lines.append(
            "Also published: " + ", ".join(f"{name} {figure}" for name, figure in missing.items()) + "."
        )
    text = "\n\n".join([*lines, *([task.notes] if task.notes else [])])
    print(text)
    if options.table:
        options.table.write_text(f"# {task.title}\n\n{text}\n")
    return results


def _run(task: Task, name: str, seed: int, models: dict[str, Model], options: argparse.Namespace) -> Result:
    peer = name.startswith("ncps ")
    model = models[name.removeprefix("ncps ")]
    units = options.units or model.units
    if peer:
        from peer import train_peer

        return train_peer(task, name, seed, model, units, options)
    steps = -(-len(task.training[0]) // model.batch)
    rate = optim.exponential_decay(model.rate, model.decay ** (1 / steps)) if model.decay < 1 else model.rate
    mx.random.seed(seed)
    network = Readout(
        model.make(task.training[0].shape[-1], units, seed, options.engine), units, task.outputs
    )
    return train(
        name, seed, network, task.training, partial(_worse, task), partial(_scored, task), options,
        loss=entropy if task.classes else squares, optimizer=optim.Adam(rate, bias_correction=True),
        batch_size=model.batch, clip_norm=model.clip,
    )  # fmt: skip


def _scored(task: Task, network: nn.Module) -> float:
    return task.score(answers(network, task.test), task.test[1])


def _worse(task: Task, network: nn.Module) -> float:
    """What the choice of the epoch makes small: the score on the validation part."""
    score = task.score(answers(network, task.validation), task.validation[1])
    return -score if task.higher else score


def cut(*arrays: np.ndarray, steps: int, every: int) -> Sequence[np.ndarray]:
    """Windows of some steps, every few steps, of series that run side by side: (n, steps, ...) each."""
    starts = range(0, len(arrays[0]) - steps, every)
    return [np.stack([array[start : start + steps] for start in starts]) for array in arrays]
