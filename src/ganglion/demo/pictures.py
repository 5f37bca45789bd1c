"""The pictures that the demo leaves behind: circuit, masks, learning curves and activity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import mlx.core as mx
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .. import viz
from ..cells import record
from ..compile import CompiledCircuit
from ..palette import LIGHT
from ..viz import Picture
from ..wiring import Circuit
from .data import Digits
from .training import History, Network

DPI = 160


def save_circuit(circuit: Circuit, path: Path) -> None:
    """The circuit, layered by role."""
    figure = Figure(figsize=(10, 7), layout="constrained")
    viz.plot_circuit(circuit, ax=figure.add_subplot()).save(path, dpi=DPI)


def save_masks(compiled: CompiledCircuit, path: Path) -> None:
    """The sensory mask above the recurrent one."""
    figure = Figure(figsize=(7, 8), layout="constrained")
    viz.plot_masks(compiled, ax=figure.add_subplot()).save(path, dpi=DPI)


def save_activity(label: str, rnn: Network, digits: Digits, index: int, path: Path) -> None:
    """Every neuron of a network while it reads one test image, a row per step."""
    recording = record(rnn, mx.array(digits.test_images[index]))
    answer = int(recording.outputs[-1].argmax())
    figure = Figure(figsize=(9, 7), layout="constrained")
    picture = viz.plot_activity(recording, ax=figure.add_subplot())
    title = f"{label} reads a handwritten {digits.test_labels[index]} row by row and takes it for a {answer}"
    picture.figure.suptitle(title, fontsize="large")
    picture.save(path, dpi=DPI)


def save_curves(histories: Mapping[str, Sequence[History]], baseline: float, path: Path) -> None:
    """Training loss and test accuracy of every run, with logistic regression as a line."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, accuracies = figure.subplots(1, 2)
    for color, (label, runs) in zip(LIGHT.categories, histories.items(), strict=False):
        for number, run in enumerate(runs):
            epochs = range(1, len(run.loss) + 1)
            marker = "o" if len(run.loss) == 1 else None
            losses.plot(epochs, run.loss, color=color, marker=marker)
            name = label if number == 0 else None
            accuracies.plot(epochs, run.accuracy, color=color, marker=marker, label=name)
    accuracies.axhline(baseline, color=LIGHT.muted, linestyle="--", linewidth=1, label="logistic regression")
    losses.set(xlabel="epoch", ylabel="training loss (cross-entropy)", ylim=(0, None))
    accuracies.set(xlabel="epoch", ylabel="test accuracy", ylim=(0, 1))
    accuracies.legend(frameon=False, loc="lower right")
    for axes in (losses, accuracies):
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    Picture({"loss": losses, "accuracy": accuracies}, {}).save(path, dpi=DPI)
