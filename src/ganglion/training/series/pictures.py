"""The pictures of a report."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import viz
from ...cells import RNN, record
from ...interchange import circuit_of
from ...palette import LIGHT
from ...recording import Recording
from ...wiring import Circuit
from .job import Outcome, predict
from .sequences import Floats, Series

SAID = LIGHT.categories[1]
"""The colour of what a model says."""
UNITS = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0}
"""Of time since the first of some dates, in seconds."""
PANELS = 12
"""Targets that get a picture; the table has them all."""


def predictions(outcome: Outcome, shown: Series) -> Figure:
    """Targets and predictions over time, and one over the other."""
    said = predict(outcome.model, shown)
    names = outcome.columns.targets[:PANELS]
    figure = Figure(figsize=(9, 1 + 1.8 * len(names)), layout="constrained")
    grid = figure.add_gridspec(len(names), 2, width_ratios=(4, 1))
    panels = [figure.add_subplot(grid[0, 0])]
    panels += [figure.add_subplot(grid[k, 0], sharex=panels[0]) for k in range(1, len(names))]
    times, label = times_of(outcome, shown)
    for k, (panel, name) in enumerate(zip(panels, names, strict=True)):
        panel.plot(times, shown.y[:, k], color=LIGHT.muted, label="target")
        panel.plot(times, said[:, k], color=SAID, label="prediction")
        panel.set_ylabel(name, parse_math=False)  # a name such as "cost $2 or $3" is no formula
        panel.spines[["top", "right"]].set_visible(False)
        _scatter(figure.add_subplot(grid[k, 1]), shown.y[:, k], said[:, k], last=k == len(names) - 1)
    panels[0].legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
    panels[-1].set_xlabel(label, parse_math=False)
    return figure


def curves(outcome: Outcome) -> Figure:
    """Training and validation loss of each epoch."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    axes = figure.add_subplot()
    viz.plot_history(outcome.history, log=True, ax=axes)
    axes.set_ylabel("mean squared error")
    return figure


def activity(outcome: Outcome, shown: Series) -> Figure:
    """The state of every neuron over time."""
    figure = Figure(figsize=(9, 7), layout="constrained")
    recording, columns = recording_of(outcome, shown), outcome.columns
    named = (*columns.targets, *recording.neurons[len(columns.targets) :])  # outputs come first
    unit = _unit(shown.times) if outcome.dated and shown.times is not None else None
    times = recording.times / UNITS[unit or "seconds"]
    recording = replace(recording, sensors=columns.inputs, neurons=named, times=times)
    picture = viz.plot_activity(recording, ax=figure.add_subplot())
    for axes in picture.axes.values():
        if unit is not None and axes.get_xlabel():
            axes.set_xlabel(f"{axes.get_xlabel()} ({unit})")
    return figure


def circuit(outcome: Outcome) -> Figure:
    """Neurons and synapses with their trained strengths."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    trained = circuit_of(outcome.model)
    names = _columns_of(trained, outcome)
    names |= {name: str(name) for name in trained.neurons("sensory")}  # the columns
    others = len(trained) <= 60
    names |= {n: str(n).rsplit("_", 1)[-1] for n in trained if n not in names and others}
    viz.plot_circuit(trained, ax=figure.add_subplot(), width_by="weight", labels=names)
    return figure


def masks(outcome: Outcome) -> Figure:
    """Which neuron reaches which."""
    figure = Figure(figsize=(7, 7), layout="constrained")
    trained = circuit_of(outcome.model)
    viz.plot_masks(nx.relabel_nodes(trained, _columns_of(trained, outcome)), ax=figure.add_subplot())
    return figure


def times_of(outcome: Outcome, shown: Series) -> tuple[Floats, str]:
    """When samples were taken, and what that is called; from the first one on, where they are dates."""
    if shown.times is None:
        return np.arange(len(shown.x), dtype=np.float64), "sample"
    column = str(outcome.columns.time)
    if outcome.dated:
        since, unit = shown.times - shown.times[0], _unit(shown.times)
        return since / UNITS[unit], f"{unit} of {column} since the first sample"
    return shown.times, column


def _unit(seconds: Floats) -> str:
    """The largest unit of which some times span two."""
    return next((name for name, length in UNITS.items() if np.ptp(seconds) >= 2 * length), "seconds")


def _scatter(axes: Axes, truth: Floats, said: Floats, *, last: bool) -> None:
    """Predictions over targets; on the line both are equal."""
    axes.scatter(truth, said, s=4, color=SAID, linewidths=0)
    known = np.concatenate([truth[np.isfinite(truth)], said])
    ends = [known.min(), known.max()]
    axes.plot(ends, ends, color=LIGHT.muted, linewidth=0.8, zorder=0)
    axes.set_ylabel("prediction")
    if last:
        axes.set_xlabel("target")
    axes.spines[["top", "right"]].set_visible(False)


def recording_of(outcome: Outcome, shown: Series) -> Recording:
    """What every neuron does, with inputs in the units of the network and times in those of the data."""
    model = outcome.model
    x, spans = model.scaled(shown.x, shown.timespans(model.time_unit))
    assert isinstance(model.model, RNN)
    recording = record(model.model, x, timespans=spans)
    return replace(recording, times=recording.times * model.time_unit)


def _columns_of(trained: Circuit, outcome: Outcome) -> dict[Hashable, str]:
    """The motor neurons' columns, but for one that another neuron has as its name."""
    pairs = zip(trained.neurons("motor"), outcome.columns.targets, strict=True)
    return {name: column for name, column in pairs if column not in trained}
