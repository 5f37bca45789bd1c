"""Pictures of a recording: `plot_traces`, `plot_heatmap`, and both for every role in `plot_activity`."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import flag
from ..recording import Recording
from .labels import name_step, points, short_name, text_width, write
from .picture import Picture, Place, axes_or_new, clear_canvas
from .samples import Samples, check_recording, samples
from .series import (
    END_NAMES,
    FEW,
    LONGEST,
    add_colorbar,
    clustered,
    draw_heat,
    draw_traces,
    furnish_time,
    furnish_values,
    name_rows,
    places,
)
from .style import current
from .view import view

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


def plot_activity(
    recording: Recording, *, circuit: Any = None, sequence: int = 0, ax: Axes | None = None
) -> Picture:
    """The activity of every neuron: a heat map and traces for each role, from sensory to motor.

    Args:
        recording: what `ganglion.record` returns.
        circuit: if given, the recording must be one of this circuit.
        sequence: which sequence of a batched recording.
        ax: axes whose place is taken by the panels; a new figure if not given.

    Returns:
        A `Picture` with the axes ``heatmap/<role>`` and ``traces/<role>``.

    Raises:
        CircuitError: a recording of another circuit; the message names the difference.

    Example:
        >>> y, state, recording = rnn(x, record=True)
        >>> gl.viz.plot_activity(recording, sequence=3)
    """
    if circuit is not None:
        check_recording(recording, view(circuit))
    states = samples(recording, sequence)
    groups = [states.of_role(role) for role in states.drawn_roles]
    if recording.sensors:
        groups.insert(0, samples(recording, sequence, sensors=True))
    host = axes_or_new(ax, 7.0, 1.0 + 1.15 * len(groups))
    look = current(host)
    size, small = clear_canvas(host), points(look.small_text)
    rows = _rows(groups, size[1], small)
    columns = _columns(groups, size, [height for _, height in rows], small)
    axes: dict[str, Axes] = {}
    artists: dict[str, Artist] = {}
    neurons: dict[str, Place] = {}
    for group, (bottom, height) in zip(groups, rows, strict=True):
        role, last = group.roles[0], group is groups[-1]
        boxes = {name: (left, bottom, width, height) for name, (left, width) in columns.items()}
        heat = axes[f"heatmap/{role}"] = host.inset_axes(boxes["heatmap"])
        mesh = draw_heat(heat, group, look, group.limit() if role == "sensory" else states.limit())
        add_colorbar(host, boxes["bar"], mesh, look)
        name_rows(heat, group, look, within=True)
        title = {"ha": "left", "va": "bottom", "transform": heat.transAxes, "fontsize": small}
        write(
            heat, 0.0, 1.0 + 0.2 * small / (height * size[1]), f"{role} · {len(group.names)}", look, **title
        )
        trace = axes[f"traces/{role}"] = host.inset_axes(boxes["traces"])
        lines = draw_traces(trace, group, look, short=True)["traces"]
        furnish_values(trace, "", look)
        for panel in (heat, trace):
            furnish_time(panel, group, look, labels=last)
        artists |= {f"heatmap/{role}": mesh, f"traces/{role}": lines}
        neurons |= places(lines, group)
    return Picture(axes, artists, neurons)


def plot_traces(
    recording: Recording,
    neurons: str | Iterable[Hashable] | None = None,
    *,
    sequence: int = 0,
    ax: Axes | None = None,
) -> Picture:
    """States over time as lines. Up to 8 neurons are named; more are drawn faintly, with their mean.

    Args:
        recording: what `ganglion.record` returns.
        neurons: names, the name of a role, or None for all.
        sequence: which sequence of a batched recording.
        ax: the axes to draw on; a new figure if not given.

    Returns:
        A `Picture` with the collection of lines ``traces``.

    Example:
        >>> gl.viz.plot_traces(recording, "motor")
    """
    shown = samples(recording, sequence).select(neurons)
    axes = axes_or_new(ax, 7.0, 2.4)
    look = current(axes)
    artists = draw_traces(axes, shown, look)
    furnish_values(axes, "state", look)
    furnish_time(axes, shown, look)
    return Picture({"traces": axes}, artists, places(artists["traces"], shown))


def plot_heatmap(
    recording: Recording,
    neurons: str | Iterable[Hashable] | None = None,
    *,
    sequence: int = 0,
    cluster: bool = False,
    ax: Axes | None = None,
) -> Picture:
    """States over time as colours, one row per neuron, sorted by role.

    Args:
        recording: what `ganglion.record` returns.
        neurons: names, the name of a role, or None for all.
        sequence: which sequence of a batched recording.
        cluster: sort the neurons inside a role so that similar ones are neighbours (average linkage of
            correlations).
        ax: the axes to draw on; a new figure if not given.

    Returns:
        A `Picture` with the mesh ``heatmap``; a neuron's index is its row from the top.

    Example:
        >>> gl.viz.plot_heatmap(recording, cluster=True)
    """
    shown = samples(recording, sequence).select(neurons)
    if flag("cluster", cluster):
        shown = clustered(shown)
    axes = axes_or_new(ax, 7.0, 3.4)
    look = current(axes)
    mesh = draw_heat(axes, shown, look, shown.limit())
    furnish_time(axes, shown, look)
    name_rows(axes, shown, look)
    add_colorbar(axes, (1.01, 0.0, 0.014, 1.0), mesh, look)
    return Picture({"heatmap": axes}, {"heatmap": mesh}, places(mesh, shown))


def _columns(
    groups: list[Samples], size: tuple[float, float], heights: list[float], small: float
) -> dict[str, tuple[float, float]]:
    """(left, width) of heat maps, their colour bars and traces; their texts take the room they need."""
    width = size[0]
    named = [
        text_width(short_name(*pair), small)
        for group, height in zip(groups, heights, strict=True)
        if name_step(len(group.names), height * size[1], small)
        for pair in zip(group.names, group.roles, strict=True)
    ]
    titles = min(max(named, default=0.0), LONGEST) + 7
    numbers = text_width("\N{MINUS SIGN}0.00", small) + 7
    names = [
        text_width(short_name(*pair), small)
        for group in groups
        if len(group.names) <= FEW
        for pair in zip(group.names, group.roles, strict=True)
    ]
    ends = min(max(names, default=0.0), END_NAMES) + 4
    panel = max((width - titles - 8 - 2 * numbers - ends) / 2, 0.15 * width)
    lefts = {"heatmap": (titles, panel), "bar": (titles + panel + 4, 4.0)}
    lefts["traces"] = (titles + panel + 8 + 2 * numbers, panel)
    return {name: (left / width, wide / width) for name, (left, wide) in lefts.items()}


def _rows(groups: list[Samples], height: float, small: float) -> list[tuple[float, float]]:
    """(bottom, height) of the panels, from the top; roles with more neurons get a little more."""
    weights = np.array([np.sqrt(np.clip(len(group.names), 6, 24)) for group in groups])
    top, gap, foot = 1 - 1.6 * small / height, 1.6 * small / height, 3.2 * small / height
    heights = weights / weights.sum() * max(top - foot - gap * (len(groups) - 1), 0.2)
    bottoms = top - np.cumsum(heights) - gap * np.arange(len(groups))
    return list(zip(bottoms.tolist(), heights.tolist(), strict=True))
