"""Values over time on given axes: lines, colours, and the furniture around them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.ticker import MaxNLocator

from .labels import name_step, points, short_name, shorten, spread, write
from .picture import Place, axes_width
from .samples import Samples
from .style import Style

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

FEW = 8  # neurons that get a colour and a name each
LONGEST = 60  # points: the longest name beside the rows of a panel
END_NAMES = 60  # points: the longest name at the end of a line


def draw_heat(ax: Axes, shown: Samples, look: Style, limit: float) -> QuadMesh:
    """One row per neuron, the first on top; colours from -limit to limit."""
    rows = np.arange(len(shown.names) + 1)
    mesh = ax.pcolormesh(
        shown.edges,
        rows,
        np.ma.masked_invalid(shown.values.T),
        cmap=look.diverging(),
        vmin=-limit,
        vmax=limit,
        rasterized=True,
        zorder=1,
    )
    ax.set_ylim(len(shown.names), 0)
    return mesh


def draw_traces(ax: Axes, shown: Samples, look: Style, *, short: bool = False) -> dict[str, Artist]:
    """One line per neuron: few are coloured and named at their ends, many are faint under their mean."""
    few = len(shown.names) <= FEW
    base = look.firm(look.colors[shown.roles[0]]) if len(set(shown.roles)) == 1 else look.muted
    drawn = [look.line(k) if few else (look.faint(base, 0.35), "-") for k in range(len(shown.names))]
    colors, dashes = [color for color, _ in drawn], [dash for _, dash in drawn]
    curves = [np.stack([shown.times, values], axis=1) for values in shown.values.T]
    lines = LineCollection(
        curves,
        colors=colors,
        linestyles=dashes if few else "-",
        linewidths=1.0 if few else 0.4,
        alpha=1.0 if few else 0.7,
        zorder=2,
    )
    ax.add_collection(lines)
    artists: dict[str, Artist] = {"traces": lines}
    if not few:
        mean = np.ma.masked_invalid(shown.values).mean(axis=1).filled(np.nan)  # no value, no mean
        artists["mean"] = ax.plot(shown.times, mean, color=look.ink, linewidth=1.2, zorder=3)[0]
    if alone := _alone(shown.values):
        at, row = np.array(alone).T
        dots = ax.scatter(
            shown.times[at],
            shown.values[at, row],
            s=6,
            zorder=3,
            linewidths=0,
            c=[colors[k] for k in row.tolist()],
        )
        artists["dots"] = dots
    ax.autoscale_view()
    if few:
        _name_ends(ax, shown, colors, look, short)
    return artists


def places(artist: Artist, shown: Samples) -> dict[str, Place]:
    """Neuron k is item, or row, k."""
    return {name: Place(artist, k) for k, name in enumerate(shown.names)}


def furnish_time(ax: Axes, shown: Samples, look: Style, *, labels: bool = True) -> None:
    """Limits and ticks of a time axis, and quiet frames."""
    size = points(look.small_text)
    ax.set_xlim(*shown.span)
    ax.tick_params(
        labelsize=size, length=2.5, width=0.6, color=look.ink, labelcolor=look.ink, labelbottom=labels
    )
    ax.xaxis.set_major_locator(
        MaxNLocator(
            max(2, min(6, int(axes_width(ax) / (4 * size)))),
            integer=bool(np.all(shown.times == np.round(shown.times))),
        )
    )
    for spine in ax.spines.values():
        spine.set(linewidth=0.6, color=look.ink)
    if labels:
        ax.set_xlabel("time", fontsize=size, color=look.ink, labelpad=2)


def furnish_values(ax: Axes, label: str, look: Style) -> None:
    """A value axis with few ticks, open to the right and to the top."""
    ax.yaxis.set_major_locator(MaxNLocator(3))
    ax.set_ylabel(label, fontsize=points(look.small_text), color=look.ink, labelpad=2)
    ax.spines[["top", "right"]].set_visible(False)


def name_rows(ax: Axes, shown: Samples, look: Style, *, within: bool = False) -> list[Artist]:
    """A name for every row where they fit, else for every second, third, ... of each role, with lines between
    roles.

    Where only a few of many would be named, roles and their numbers say more. ``within`` a panel whose title
    tells the role, names are short, and those of many are left out.
    """
    ax.set_yticks([])
    for start in _starts(shown)[1:-1]:
        ax.axhline(start, color=look.ink, linewidth=0.6, zorder=3)
    place = {"x": -0.008, "transform": ax.get_yaxis_transform(), "ha": "right", "va": "center"}
    return _named(ax, shown, look, "y", ax.get_window_extent().height, place, within=within)


def name_columns(ax: Axes, shown: Samples, look: Style) -> list[Artist]:
    """The names of `name_rows`, under columns of the same neurons."""
    ax.set_xticks([])
    for start in _starts(shown)[1:-1]:
        ax.axvline(start, color=look.ink, linewidth=0.6, zorder=3)
    place = {"y": -0.008, "transform": ax.get_xaxis_transform(), "ha": "center", "va": "top", "rotation": 90}
    return _named(ax, shown, look, "x", ax.get_window_extent().width, place)


def _named(
    ax: Axes,
    shown: Samples,
    look: Style,
    axis: str,
    pixels: float,
    place: dict[str, Any],
    within: bool = False,
) -> list[Artist]:
    """Names along an axis of so many pixels."""
    size = points(look.small_text)
    marks = _marks(shown, pixels * 72 / ax.figure.dpi, size, within)
    return [_label(ax, look, size, text, **place, **{axis: at}) for at, text in marks]


def _starts(shown: Samples) -> list[int]:
    """Where each run of a role begins, and the end of all."""
    roles = np.array(shown.roles)
    return [0, *(np.flatnonzero(roles[1:] != roles[:-1]) + 1).tolist(), len(roles)]


def _marks(shown: Samples, length: float, size: float, within: bool) -> list[tuple[float, str]]:
    """Texts along ``length`` points, and where they stand."""
    roles, starts = shown.roles, _starts(shown)
    if every := name_step(len(roles), length, size):
        named = [k for a, b in pairwise(starts) for k in range(a, b, every)]
        full = [short_name(shown.names[k], shown.roles[k]) if within else shown.names[k] for k in named]
        texts = [shorten(name, size, LONGEST if within else 90) for name in full]
        middles = np.array(named) + 0.5
    elif within:
        texts, middles = [], np.empty(0)
    else:
        texts = [f"{shown.roles[a]} · {b - a}" for a, b in pairwise(starts)]
        middles = np.array([0.5 * (a + b) for a, b in pairwise(starts)])
    apart = 1.2 * size * len(roles) / length
    placed = spread(middles, apart, 0.4 * apart, len(roles) - 0.4 * apart)
    return list(zip(placed.tolist(), texts, strict=True))


def _label(ax: Axes, look: Style, size: float, text: str, *, x: float, y: float, **place: Any) -> Artist:
    label = write(ax, x, y, text, look, fontsize=size, **place)
    label.set_in_layout(True)
    return label


def add_colorbar(host: Axes, bounds: tuple[float, float, float, float], mesh: QuadMesh, look: Style) -> Axes:
    """A slim bar at ``bounds`` (fractions of ``host``), its ends and zero named."""
    bar_ax = host.inset_axes(bounds)
    bar = host.figure.colorbar(mesh, cax=bar_ax)
    limit = mesh.get_clim()[1]
    ticks = {-limit: f"\N{MINUS SIGN}{limit:.2g}", 0.0: "0", limit: f"{limit:.2g}"}
    if bar_ax.get_window_extent().height * 72 / host.figure.dpi < 3.2 * points(look.small_text):
        del ticks[0.0]  # no room between the ends
    bar.set_ticks(list(ticks), labels=list(ticks.values()))
    bar_ax.tick_params(
        labelsize=points(look.small_text), length=2, width=0.5, color=look.ink, labelcolor=look.ink, pad=1.5
    )
    bar.outline.set(linewidth=0.5, edgecolor=look.ink)
    return bar_ax


def clustered(shown: Samples) -> Samples:
    """The same neurons, similar ones side by side inside each role (average linkage of 1 - correlation)."""
    from scipy.cluster.hierarchy import leaves_list, linkage  # late: it is slow to import

    order: list[int] = []
    for role in shown.drawn_roles:
        members = [k for k, found in enumerate(shown.roles) if found == role]
        known = np.ma.masked_invalid(shown.values[:, members])
        values = (known - known.mean(axis=0)).filled(0).T
        values = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
        order += (
            [members[k] for k in leaves_list(linkage(values, "average"))] if len(members) > 2 else members
        )
    return shown.pick(order)


def _alone(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[tuple[int, int]]:
    """Samples without a neighbour in time, which a line does not show: (time, neuron)."""
    known = np.pad(np.isfinite(values), ((1, 1), (0, 0)))
    lonely = known[1:-1] & ~known[:-2] & ~known[2:]
    return [(int(t), int(r)) for t, r in np.argwhere(lonely)]


def _name_ends(ax: Axes, shown: Samples, colors: list[str], look: Style, short: bool) -> None:
    """Names right of the lines' last values, pushed apart where they would overlap."""
    size = points(look.small_text)
    height = ax.get_window_extent().height * 72 / ax.figure.dpi
    low, high = ax.get_ylim()
    apart = 1.2 * size * (high - low) / height
    ends = np.array(
        [values[np.isfinite(values)][-1] if np.isfinite(values).any() else low for values in shown.values.T]
    )
    fits = len(ends) * apart <= 1.1 * (high - low)
    if not fits:
        return
    for k, y in enumerate(spread(ends, apart, low, high)):
        name = short_name(shown.names[k], shown.roles[k]) if short else shown.names[k]
        name = shorten(name, size, END_NAMES)
        text = write(
            ax, 1.01, y, name, look, transform=ax.get_yaxis_transform(), ha="left", va="center", fontsize=size
        )
        text.set_color(look.firm(colors[k]))
        text.set_in_layout(True)
