"""`plot_protocol`: what sensors are given in the course of time, and when what is perturbed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection

from .labels import quiet
from .picture import Picture, axes_or_new
from .style import current

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

FINE, HEIGHT = 2000, 0.4
"""Points of a line at most, and half of the room that one has in its row."""


def plot_protocol(protocol: Any, *, ax: Axes | None = None) -> Picture:
    """A row for every sensor with its signal, and for every perturbation with a bar of its times.

    A row is as high as its signal is far from 0; beside its name stand the least and the largest value.

    Args:
        protocol: what `ganglion.protocol` returns.
        ax: the axes to draw on; a new figure if not given.

    Returns:
        A `Picture` with ``signals``, the lines of the sensors, and ``perturbations``, their bars.

    Raises:
        TypeError: no protocol.
        ValueError: a protocol without any part.

    Example:
        >>> gl.viz.plot_protocol(gl.protocol(until=10.0, every=0.1).pulse("light", at=2.0, width=1.0))
    """
    if not hasattr(protocol, "perturbations") or not hasattr(protocol, "signals"):
        raise TypeError(f"expected a protocol, as gl.protocol returns it, got {type(protocol).__name__}")
    sensors = list(dict.fromkeys(signal.sensor for signal in protocol.signals))
    acts = list(protocol.perturbations)
    if not sensors and not acts:
        raise ValueError("the protocol has no part: there is nothing to draw")
    axes = axes_or_new(ax, 5.6, 0.9 + 0.34 * (len(sensors) + len(acts)))
    look = current(axes)
    spans = protocol.grid(max(protocol.until / FINE, min(protocol.every, protocol.until)), edges=True)
    times, values = np.cumsum(spans), protocol.sample(sensors, spans)
    times = np.repeat(np.append(0.0, times), 2)[1:-1]  # a value is that of the time since the one before
    curves, names = [], []
    for row, sensor in enumerate(sensors):
        column = np.repeat(values[:, row], 2)
        largest = float(np.abs(column).max()) or 1.0
        curves.append(np.stack([times, row - HEIGHT * column / largest], axis=1))
        low, high = column.min(), column.max()
        names.append(f"{sensor} ({low:.3g} to {high:.3g})" if low != high else f"{sensor} ({low:.3g})")
    artists: dict[str, Artist] = {}
    lines = LineCollection(
        curves, colors=[look.line(k)[0] for k in range(len(curves))] or None, linewidths=1.1, zorder=2
    )
    artists["signals"] = axes.add_collection(lines)
    for row in range(len(sensors)):
        axes.axhline(row, color=look.faint(look.ink, 0.3), linewidth=0.5, zorder=1)
    ends = [(each.start, protocol.until if each.stop is None else each.stop) for each in acts]
    rows = np.arange(len(sensors), len(sensors) + len(acts))
    bars = axes.barh(
        rows, [b - a for a, b in ends], left=[a for a, _ in ends], height=0.5, color=look.muted, zorder=2
    )
    if len(acts):
        artists["perturbations"] = bars[0]
    names += [str(each.perturbation) for each in acts]
    axes.set(xlim=(0.0, protocol.until), ylim=(len(names) - 0.5, -0.5))
    axes.set_yticks(np.arange(len(names)), names)
    quiet(axes, look, f"time ({protocol.unit})" if protocol.unit else "time", "")
    axes.tick_params(axis="y", length=0)
    return Picture({"protocol": axes}, artists)
