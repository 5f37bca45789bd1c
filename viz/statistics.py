"""Counts of a circuit: `plot_degrees` and `plot_balance`; `plot_summary` puts them beside the circuit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from .blocks import role_counts
from .circuit import plot_circuit
from .labels import fitting_size, points, quiet, text_width
from .masks import plot_masks
from .picture import Picture, Place, axes_or_new, axes_width, clear_canvas
from .style import current
from .view import view

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_SIDES = ((-0.21, "in"), (0.21, "out"))


def plot_degrees(circuit: Any, *, ax: Axes | None = None) -> Picture:
    """How many synapses each neuron receives (hollow) and sends (filled), by role; a bar marks the median.

    Electrical synapses, which have no direction, are not counted.

    Args:
        circuit: a DiGraph, a Plan, a compiled circuit or a network.
        ax: the axes to draw on; a new figure if not given.

    Returns:
        A `Picture` with the points ``in/<role>`` and ``out/<role>``; a neuron's `Place` is its filled point.

    Example:
        >>> gl.viz.plot_degrees(circuit)
    """
    seen = view(circuit)
    axes = axes_or_new(ax, 3.4, 2.6)
    look = current(axes)
    small, width = points(look.small_text), axes_width(axes)
    artists: dict[str, Artist] = {}
    neurons: dict[str, Place] = {}
    medians = []
    chemical = seen.post[seen.chemical], seen.pre[seen.chemical]
    for k, role in enumerate(seen.drawn_roles):
        members = seen.of_role(role)
        for (side, name), ends in zip(_SIDES, chemical, strict=True):
            degree = np.bincount(ends, minlength=len(seen.names))[members]
            dots = axes.scatter(
                k + side + _swarm(degree, 0.15),
                degree,
                s=9,
                marker=look.markers[role],
                facecolors=look.colors[role] if name == "out" else look.ground,
                edgecolors=look.firm(look.colors[role]),
                linewidths=0.6,
                zorder=2,
            )
            artists[f"{name}/{role}"] = dots
            medians.append([(k + side - 0.2, np.median(degree)), (k + side + 0.2, np.median(degree))])
            below: dict[str, Any] = {
                "xycoords": axes.get_xaxis_transform(),
                "textcoords": "offset points",
                "va": "top",
            }
            axes.annotate(name, (k + side, 0), (0, -3), ha="center", fontsize=small, color=look.ink, **below)
        neurons |= {seen.names[m]: Place(dots, at) for at, m in enumerate(members.tolist())}
    bars = LineCollection(medians, colors=look.faint(look.ink, 0.35), linewidths=1.6, zorder=1)
    axes.add_collection(bars, autolim=False)
    artists["medians"] = bars
    axes.set_xlim(-0.55, len(seen.drawn_roles) - 0.45)
    axes.set_xticks(range(len(seen.drawn_roles)), seen.drawn_roles)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -0.04 * high), max(high, 1.08))  # counts: from 0, and at least to 1
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    quiet(axes, look, "", "synapses per neuron")
    slot = width / len(seen.drawn_roles)
    fits = fitting_size(seen.drawn_roles, [0.95 * slot] * len(seen.drawn_roles), small)
    axes.tick_params(axis="x", length=0, pad=1.2 * small + 3, labelsize=fits)
    return Picture({"degrees": axes}, artists, neurons)


def plot_balance(circuit: Any, *, ax: Axes | None = None) -> Picture:
    """How many synapses each role sends: inhibitory ones to the left, excitatory ones to the right.

    Electrical synapses, which have no sign, are not counted.

    Args:
        circuit: a DiGraph, a Plan, a compiled circuit or a network.
        ax: the axes to draw on; a new figure if not given.

    Returns:
        A `Picture` with the bars ``excitatory`` and ``inhibitory``, one item for each role.

    Example:
        >>> gl.viz.plot_balance(circuit)
    """
    seen = view(circuit)
    axes = axes_or_new(ax, 3.4, 2.0)
    look = current(axes)
    small = points(look.small_text)
    sent = role_counts(seen)[:2].sum(axis=2)[:, np.unique(seen.role_ids)]
    widest = int(sent.max(initial=0)) or 1
    artists: dict[str, Artist] = {}
    for sign, name, counts in ((1, "excitatory", sent[0]), (-1, "inhibitory", sent[1])):
        corners = [
            [(0, k - 0.32), (sign * count, k - 0.32), (sign * count, k + 0.32), (0, k + 0.32)]
            for k, count in enumerate(counts.tolist())
        ]
        bars = PolyCollection(corners, facecolors=look.polarity(sign), edgecolors="none", zorder=2)
        axes.add_collection(bars, autolim=False)
        artists[name] = bars
        side: dict[str, Any] = {
            "ha": "left" if sign > 0 else "right",
            "va": "center_baseline",
            "textcoords": "offset points",
        }
        for k, count in enumerate(counts.tolist()):
            text = f"{count:,}"
            axes.annotate(text, (sign * count, k), (3 * sign, 0), fontsize=small, color=look.ink, **side)
        place: dict[str, Any] = {
            "transform": axes.transAxes,
            "ha": "right" if sign > 0 else "left",
            "va": "bottom",
        }
        color = look.firm(look.polarity(sign))
        axes.text(float(sign > 0), 1.0, name, fontsize=small, color=color, **place)
    axes.axvline(0, color=look.ink, linewidth=0.6, zorder=3)
    room = (text_width(f"{widest:,}", small) + 8) / (0.5 * axes_width(axes))  # for the numbers
    reach = widest / max(1 - room, 0.3)
    axes.set(xlim=(-reach, reach), ylim=(len(seen.drawn_roles) - 0.4, -0.6))
    axes.set_yticks(range(len(seen.drawn_roles)), seen.drawn_roles)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, symmetric=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):,.0f}"))
    quiet(axes, look, "synapses sent", "")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return Picture({"balance": axes}, artists)


def plot_summary(circuit: Any, *, ax: Axes | None = None) -> Picture:
    """One figure for a paper: a the circuit, b its masks, c degrees, d balance of signs.

    Args:
        circuit: a DiGraph, a Plan, a compiled circuit or a network.
        ax: axes whose place is taken by the panels; a new figure if not given.

    Returns:
        A `Picture` with the axes and artists of the panels, ``circuit``, ``masks``, ``degrees`` and
        ``balance``; neurons and synapses are those of the circuit's panel.

    Example:
        >>> gl.viz.plot_summary(circuit).save("figure1.pdf")
    """
    host = axes_or_new(ax, 7.0, 6.0)
    look = current(host)
    width, height = clear_canvas(host)
    left, foot = 4.6 * points(look.small_text) / width, 4.2 * points(look.small_text) / height
    panels = {
        "circuit": (0.0, 0.49, 1.0, 0.49),
        "masks": (0.0, 0.0, 0.4, 0.45),
        "degrees": (0.41 + left, foot, 0.34 - left, 0.43 - foot),
        "balance": (0.76 + 1.2 * left, foot, 0.24 - 1.2 * left, 0.43 - foot),
    }
    draw: dict[str, Callable[..., Picture]] = {
        "circuit": plot_circuit,
        "masks": plot_masks,
        "degrees": plot_degrees,
        "balance": plot_balance,
    }
    axes: dict[str, Axes] = {}
    artists: dict[str, Artist] = {}
    for letter, (name, box) in zip("abcd", panels.items(), strict=True):
        axes[name] = host.inset_axes(box)
        picture = draw[name](circuit, ax=axes[name])
        artists |= {f"{name}/{key}": artist for key, artist in picture.artists.items()}
        if name == "circuit":
            neurons, synapses = picture.neurons, picture.synapses
        corner = {"circuit": 0.0, "masks": 0.0, "degrees": 0.41, "balance": 0.76}[name]
        host.text(
            corner, box[1] + box[3], letter, weight="bold", color=look.ink, fontsize=points(look.text) * 1.15
        )
    return Picture(axes, artists, neurons, synapses)


def _swarm(degree: NDArray[np.intp], reach: float) -> NDArray[np.float64]:
    """Offsets that put neurons of equal degree side by side."""
    values, inverse, count = np.unique(degree, return_inverse=True, return_counts=True)
    rank = np.zeros(len(degree))
    for k in range(len(values)):
        own = inverse == k
        rank[own] = np.arange(count[k]) - (count[k] - 1) / 2
    spread: NDArray[np.float64] = rank * min(0.07, 2 * reach / max(count.max() - 1, 1))
    return spread
