"""What the states do and why: `plot_phase`, `plot_time_constants` and `plot_saliency`."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from ..arguments import LARGEST, counted, instance, numbers, whole
from ..recording import Recording
from .labels import points, shorten, text_width
from .picture import Picture, Place, axes_or_new
from .samples import Samples, samples
from .series import furnish_time, name_rows, places
from .style import Style, current, font_family

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


def plot_phase(
    recording: Recording,
    neurons: str | Iterable[Hashable] | None = None,
    *,
    sequence: int = 0,
    ax: Axes | None = None,
) -> Picture:
    """The path of the state in a plane, coloured by time, from the hollow to the filled dot.

    Args:
        recording: what `ganglion.record` returns.
        neurons: exactly two names give their states; a role, more names, or None give the first two principal
            components of those neurons, with the share of variance each explains.
        sequence: which sequence of a batched recording.
        ax: the axes to draw on; a new figure if not given.

    Returns:
        A `Picture` with the collection ``path`` and the points ``start`` and ``end``.

    Raises:
        ValueError: fewer than two neurons, or no sample at which all have a value.

    Example:
        >>> gl.viz.plot_phase(recording, ["command_0", "motor_0"])
    """
    shown = samples(recording, sequence).select(neurons)
    alive = np.flatnonzero(np.isfinite(shown.values).any(axis=0)).tolist()
    if 2 <= len(alive) < len(shown.names):
        silent = len(shown.names) - len(alive)
        warnings.warn(
            f"left out {silent} of {len(shown.names)} neurons, which never have a value", stacklevel=2
        )
        shown = shown.pick(alive)
    plane, labels = _plane(shown)
    axes = axes_or_new(ax, 3.4, 2.9)
    look = current(axes)
    pieces = np.stack([plane[:-1], plane[1:]], axis=1)
    path = LineCollection(list(pieces), cmap=look.sequential, linewidths=1.2, zorder=2, capstyle="round")
    path.set_array((shown.times[:-1] + shown.times[1:]) / 2)
    path.set_clim(*(shown.span if len(shown.times) == 1 else (shown.times[0], shown.times[-1])))
    axes.add_collection(path)
    artists: dict[str, Artist] = {"path": path}
    known = np.flatnonzero(np.isfinite(plane).all(axis=1))
    for name, at, face in (("start", known[:1], look.ground), ("end", known[-1:], look.ink)):
        dots = axes.scatter(
            plane[at, 0], plane[at, 1], s=22, facecolors=face, edgecolors=look.ink, linewidths=0.9, zorder=3
        )
        artists[name] = dots
    axes.margins(0.08)
    axes.autoscale_view()
    _furnish_plane(axes, look, labels)
    bar = _scale(axes, path, "time", look)
    if len(shown.times) == 1:
        bar.set_ticks([float(shown.times[0])], labels=[f"{shown.times[0]:.4g}"])
    return Picture({"phase": axes}, artists)


def plot_time_constants(
    recording: Recording,
    time_constants: ArrayLike,
    neurons: str | Iterable[Hashable] | None = None,
    *,
    sequence: int = 0,
    ax: Axes | None = None,
) -> Picture:
    """The effective time constant of each liquid neuron over time, on a logarithmic scale of colours.

    For an LTC neuron that is ``c / (g + sum of its synaptic activations)``: inputs make it faster or slower,
    which is what makes the neuron liquid (Hasani et al., AAAI 2021, eq. 1).

    Args:
        recording: what `ganglion.record` returns; it brings names, roles and times.
        time_constants: what `ganglion.time_constants` returns: (T, N) or (B, T, N), not negative, in the
            unit of the times; nan is a gap.
        neurons: names, the name of a role, or None for all.
        sequence: which sequence of a batched recording.
        ax: the axes to draw on; a new figure if not given.

    Returns:
        A `Picture` with the mesh ``time_constants``; a neuron's item is its row from the top.

    Raises:
        ValueError: another shape than the states, or a value below 0.

    Example:
        >>> gl.viz.plot_time_constants(recording, gl.time_constants(rnn, recording))
    """
    instance("recording", recording, Recording, "a Recording, as gl.record returns it")
    tau = numbers("time_constants", time_constants).astype(float)
    if tau.shape != recording.states.shape:
        raise ValueError(
            f"time_constants have shape {tau.shape}; expected {recording.states.shape}, as the states"
        )
    if (wrong := np.argwhere(tau < 0)).size:
        name = recording.neurons[wrong[0, -1]]
        raise ValueError(f"the time constant of {name!r} is {tau[tuple(wrong[0])]}; expected none below 0")
    shown = samples(replace(recording, states=tau), sequence).select(neurons)
    axes = axes_or_new(ax, 7.0, 3.4)
    look = current(axes)
    finite = shown.values[np.isfinite(shown.values) & (shown.values > 0)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (1.0, 1.0)
    if high < 1.01 * low:  # one colour for constants that do not change
        low, high = low / 1.5, high * 1.5
    mesh = axes.pcolormesh(
        shown.edges,
        np.arange(len(shown.names) + 1),
        np.ma.masked_invalid(
            np.maximum(shown.values.T, low)
        ),  # a neuron without capacitance has none: the darkest
        cmap=look.magnitudes(),
        norm=LogNorm(low, high),
        rasterized=True,
        zorder=1,
    )
    axes.set_ylim(len(shown.names), 0)
    furnish_time(axes, shown, look)
    name_rows(axes, shown, look)
    bar = _scale(axes, mesh, "time constant", look)
    bar.ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    return Picture({"time_constants": axes}, {"time_constants": mesh}, places(mesh, shown))


def plot_saliency(
    recording: Recording, saliency: ArrayLike, *, sequence: int = 0, ax: Axes | None = None
) -> Picture:
    """What each sensor contributes to each motor neuron: the gradient of the output with respect to the
    input.

    Args:
        recording: what `ganglion.record` returns; it brings the names.
        saliency: what `ganglion.saliency` returns: (I, M) signed gradients, or (B, I, M).
        sequence: which sequence of a batch.
        ax: the axes to draw on; a new figure if not given.

    Returns:
        A `Picture` with the mesh ``saliency``; a motor neuron's item is its column, a sensor's its row.

    Raises:
        ValueError: another shape, or no sensor or no motor neuron.

    Example:
        >>> gl.viz.plot_saliency(recording, gl.saliency(rnn, x))
    """
    instance("recording", recording, Recording, "a Recording, as gl.record returns it")
    whole("sequence", sequence, -LARGEST)
    values = numbers("saliency", saliency).astype(float)
    motors = tuple(n for n, role in zip(recording.neurons, recording.roles, strict=True) if role == "motor")
    if values.ndim == 3:
        if not -len(values) <= sequence < len(values):
            raise IndexError(f"sequence {sequence} of a saliency of {counted(len(values), 'sequence')}")
        values = values[sequence]
    if values.shape != (len(recording.sensors), len(motors)):
        expected = (len(recording.sensors), len(motors))
        raise ValueError(f"saliency has shape {values.shape}; expected {expected}: sensors x motor neurons")
    if not values.size:
        raise ValueError(
            f"nothing to draw: {counted(len(recording.sensors), 'sensor')} and "
            f"{counted(len(motors), 'motor neuron')}; "
            "a saliency needs one of each"
        )
    axes = axes_or_new(ax, 3.4, 2.9)
    look = current(axes)
    limit = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(values), cmap=look.diverging(), vmin=-limit, vmax=limit, edgecolors=look.ground
    )
    mesh.set_linewidth(0.4)
    axes.set_ylim(len(values), 0)
    _name_ticks(axes, recording.sensors, motors, look)
    _scale(axes, mesh, "d output / d input", look)
    rows = {name: Place(mesh, k) for k, name in enumerate(recording.sensors)}
    return Picture(
        {"saliency": axes}, {"saliency": mesh}, rows | {n: Place(mesh, k) for k, n in enumerate(motors)}
    )


def _plane(shown: Samples) -> tuple[NDArray[np.float64], tuple[str, str]]:
    """(T, 2) two states, or the first two principal components; and their names."""
    if len(shown.names) < 2:
        raise ValueError(f"a phase plane needs two neurons, got {len(shown.names)}")
    known = np.isfinite(shown.values).all(axis=1)
    if not known.any():
        raise ValueError(f"no sample at which all {len(shown.names)} neurons have a value")
    if len(shown.names) == 2:
        return shown.values, (shown.names[0], shown.names[1])
    plane = np.full((len(shown.times), 2), np.nan)
    centred = shown.values[known] - shown.values[known].mean(axis=0)
    _, scale, axes = np.linalg.svd(
        np.pad(centred, ((0, max(2 - len(centred), 0)), (0, 0))), full_matrices=False
    )
    plane[known] = centred @ axes[:2].T
    share = scale[:2] ** 2 / max(float((scale**2).sum()), 1e-30)
    return plane, (f"component 1 ({share[0]:.0%})", f"component 2 ({share[1]:.0%})")


def _furnish_plane(ax: Axes, look: Style, labels: tuple[str, str]) -> None:
    size = points(look.small_text)
    for axis, label in ((ax.xaxis, labels[0]), (ax.yaxis, labels[1])):
        axis.set_major_locator(MaxNLocator(4))
        axis.set_label_text(
            shorten(label, size, 120), fontsize=size, color=look.ink, parse_math=False, family=font_family()
        )
    ax.tick_params(labelsize=size, length=2.5, width=0.6, color=look.ink, labelcolor=look.ink)
    ax.spines[["top", "right"]].set_visible(False)
    for spine in ax.spines.values():
        spine.set(linewidth=0.6, color=look.ink)


def _scale(ax: Axes, mappable: Any, label: str, look: Style) -> Any:
    """A named colour bar right of the axes."""
    size = points(look.small_text)
    with np.errstate(under="ignore"):  # of matplotlib before 3.11, for a scale of one value
        bar = ax.figure.colorbar(mappable, cax=ax.inset_axes((1.02, 0.0, 0.02, 1.0)))
    bar.set_label(label, fontsize=size, color=look.ink, labelpad=3)
    bar.ax.tick_params(
        which="both", labelsize=size, length=2, width=0.5, color=look.ink, labelcolor=look.ink, pad=2
    )
    bar.outline.set(linewidth=0.5, edgecolor=look.ink)
    return bar


def _name_ticks(ax: Axes, rows: tuple[str, ...], columns: tuple[str, ...], look: Style) -> None:
    """Names at rows and columns; every n-th where there are too many to read."""
    size = points(look.small_text)
    box = ax.get_window_extent()
    room = 72 / ax.figure.dpi
    for axis, names, length in ((ax.yaxis, rows, box.height * room), (ax.xaxis, columns, box.width * room)):
        step = max(1, int(np.ceil(1.25 * size * len(names) / max(length, 1))))
        at = np.arange(0, len(names), step)
        axis.set_ticks(at + 0.5, [shorten(names[k], size, 80) for k in at])
    for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        label.set(parse_math=False, fontsize=size, color=look.ink, family=font_family())
    widest = max((text_width(label.get_text(), size) for label in ax.get_xticklabels()), default=0)
    if widest > 0.7 * box.width * room / max(len(columns), 1):
        ax.tick_params(axis="x", rotation=90)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
