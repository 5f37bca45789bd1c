"""What the papers' tasks share: runs over seeds, kept so that they can be resumed, and a table of them."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

import ganglion as gl


@dataclass(frozen=True)
class Result:
    """One model trained with one seed.

    Attributes:
        model: its name.
        seed: of weights and data order.
        score: on the test set, of the epoch with the best validation loss.
        epoch: that epoch, from 1.
        epochs: how many were run.
        seconds: training and validation, all processes that resumed the run together.
        parameters: trainable numbers.
        processor: median processor seconds of an epoch, all threads together: what a busy machine leaves
            comparable.
    """

    model: str
    seed: int
    score: float
    epoch: int
    epochs: int
    seconds: float
    parameters: int
    processor: float


class Clock(gl.training.Callback):
    """The processor seconds of each epoch, kept beside the checkpoints so that a resumed run has them all."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.epochs: list[float] = []

    def on_start(self, run: gl.training.Run) -> None:
        """Read what earlier processes noted of this run."""
        if self.file is not None and run.epoch and self.file.exists():
            self.epochs = json.loads(self.file.read_text())[: run.epoch]
        self.last = time.process_time()

    def on_epoch(self, run: gl.training.Run) -> None:
        """Note one more."""
        now = time.process_time()
        self.epochs.append(now - self.last)
        self.last = now
        if self.file is not None:
            self.file.write_text(json.dumps(self.epochs))


def arguments(description: str | None, models: Sequence[str], epochs: int) -> argparse.ArgumentParser:
    """The options that every task has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=models, default=models, help="default: all")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="default: 0 1 2")
    parser.add_argument("--epochs", type=int, default=epochs, help=f"default: {epochs}, as published")
    parser.add_argument("--runs", type=Path, help="keep checkpoints here; the same command goes on from them")
    parser.add_argument("--table", type=Path, help="write the table to this Markdown file too")
    parser.add_argument("--engine", default="auto", help="who runs our networks: auto, ops or fused")
    return parser


def train(
    name: str,
    seed: int,
    model: nn.Module,
    data: Any,
    validation: Any,
    test: Callable[[nn.Module], float],
    options: argparse.Namespace,
    **recipe: Any,
) -> Result:
    """Train one model and test it after its best epoch."""
    folder = options.runs / f"{name}-{seed}" if options.runs else None
    clock = Clock(folder and folder.with_suffix(".processor.json"))
    history = gl.fit(
        model, data, validation=validation, epochs=options.epochs, seed=seed, checkpoint=folder,
        callbacks=[clock], **recipe,
    )  # fmt: skip
    assert history.best is not None
    count = sum(array.size for _, array in tree_flatten(model.trainable_parameters()))
    epochs, seconds = len(history.loss), sum(history.seconds)
    processor = median(clock.epochs) if clock.epochs else math.nan
    result = Result(name, seed, test(model), history.best + 1, epochs, seconds, count, processor)
    print(json.dumps(asdict(result)), flush=True)
    return result


def table(results: Sequence[Result], published: dict[str, str], measure: str, command: str) -> str:
    """Mean and spread over the seeds of each model, beside the published figure, in Markdown."""
    lines = [
        f"| model | {measure} | published | best epoch | seconds per run | processor s/epoch | parameters |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(result.model for result in results):
        runs = [result for result in results if result.model == name]
        scores = [run.score for run in runs]
        spread = f" ± {stdev(scores):.3f}" if len(scores) > 1 else ""
        each = ", ".join(f"{score:.3f}" for score in scores)
        lines.append(
            f"| {name} | {fmean(scores):.3f}{spread} ({each}) | {published.get(name, '-')} "
            f"| {', '.join(str(run.epoch) for run in runs)} of {runs[0].epochs} "
            f"| {fmean(run.seconds for run in runs):.0f} | {fmean(run.processor for run in runs):.3g} "
            f"| {runs[0].parameters} |"
        )
    lines += ["", f"`{command}`", "", f"{time.strftime('%Y-%m-%d')}, {machine()}"]
    return "\n".join(lines)


def machine() -> str:
    """The processor and versions that the times belong to."""
    names = Path("/proc/cpuinfo")
    lines = names.read_text().splitlines() if names.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.machine())
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, MLX {mx.__version__}"
