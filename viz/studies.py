"""`plot_study`: effects of perturbations, with their intervals, or of pairs as a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection

from ..arguments import one_of, whole
from .key import square
from .labels import points, quiet
from .picture import Picture, axes_or_new
from .style import current

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

MOST = 40
FEWEST = 10
"""Places of a matrix of synapses, of which fewer are dots."""
WORDS = {1: "rises", -1: "falls", 0: "no effect"}
"""What a sign of an effect is called."""
UNSURE = "interval holds 0"
"""What an empty dot says."""


def plot_study(
    study: Any,
    measure: str | None = None,
    *,
    top: int = MOST,
    style: str | None = None,
    ax: Axes | None = None,
) -> Picture:
    """The effects that a study found: the largest first, with intervals; those of pairs as a matrix.

    Of several networks, `ganglion.studies.combined`, effects are means and intervals hold every network.

    Args:
        study: what `ganglion.study` or `ganglion.studies.combined` returned.
        measure: the name of one of its measures; the first if not given.
        top: how many effects, or rows and columns of the matrix, are drawn at most; the picture says of how
            many.
        style: "effects" or "matrix"; the matrix where all perturbations are of two neurons, or of
            synapses, more than a few, that fill a tenth of it.
        ax: the axes to draw on; a new figure if not given.

    Returns:
        A `Picture` with ``effects``, ``intervals``, ``zero`` and ``legend``, or ``matrix`` and ``scale``.

    Raises:
        TypeError: no study.
        ValueError: no row, an unknown measure or style.

    Example:
        >>> gl.viz.plot_study(gl.study(rnn, gl.each("command"), measure="output change", x=x))
    """
    if not hasattr(study, "of") or not hasattr(study, "rows"):
        raise TypeError(f"expected a study, as gl.study returns it, got {type(study).__name__}")
    if style is not None:
        one_of("style", style, ("effects", "matrix"))
    whole("top", top)
    if not study.rows:
        raise ValueError("the study has no row: there is nothing to draw")
    rows = sorted(study.of(measure), key=lambda row: -abs(np.nan_to_num(row.effect)))
    firsts, seconds = ({getattr(row, end) for row in rows} for end in ("first", "second"))
    paired, together = all(row.second for row in rows), all(row.kind == "together" for row in rows)
    least = 1 if together else FEWEST  # of two neurons, each is in every row of dots that it is in
    crowded = paired and 10 * len(rows) >= len(firsts) * len(seconds) > least
    if style == "matrix" or (style is None and crowded):
        return _matrix(study.of(measure), top, ax)
    return _effects(rows, top, ax)


def _effects(every: Sequence[Any], top: int, ax: Axes | None) -> Picture:
    rows = every[:top]
    axes = axes_or_new(ax, 5.2, 0.9 + 0.19 * len(rows))
    look = current(axes)
    places = np.arange(len(rows))
    effects = np.array([row.effect for row in rows])
    signs = np.sign(np.nan_to_num(effects)).astype(int)
    colors = {1: look.excitatory, -1: look.inhibitory, 0: look.muted}
    artists: dict[str, Artist] = {}
    intervals = LineCollection(
        [[(row.low, k), (row.high, k)] for k, row in enumerate(rows)],
        colors=look.ink,
        linewidths=0.9,
        zorder=2,
    )
    axes.add_collection(intervals)
    artists["intervals"] = intervals
    inks = [colors[s] for s in signs.tolist()]
    open_ = [bool(sign) and row.low <= 0.0 <= row.high for sign, row in zip(signs, rows, strict=True)]
    faces = [look.ground if held else ink for held, ink in zip(open_, inks, strict=True)]
    artists["effects"] = axes.scatter(effects, places, s=16, c=faces, edgecolors=inks, zorder=3)
    artists["zero"] = axes.axvline(0.0, color=look.faint(look.ink, 0.4), linewidth=0.7, zorder=1)
    known = np.array([(row.low, row.high, row.effect) for row in rows] + [(0.0, 0.0, 0.0)]).reshape(-1)
    known = known[np.isfinite(known)]
    low, high = known.min(), known.max()
    room = 0.06 * (high - low or 1.0)
    axes.set(xlim=(low - room, high + room), ylim=(len(rows) - 0.5, -0.5))
    names = [row.who.replace("->", "\u2192") for row in rows]
    axes.set_yticks(places, names)
    cut = f"\nthe {top} largest of {len(every)} effects" if len(every) > top else ""
    quiet(axes, look, _effect_on(rows) + cut, "")
    axes.tick_params(axis="y", length=0)
    entries = [square(colors[sign], word) for sign, word in WORDS.items() if sign in signs]
    if any(open_):  # what may as well be none is not coloured in full
        entries.append(square(look.ground, UNSURE, look.ink))
    small = points(look.small_text)
    artists["legend"] = axes.legend(
        handles=entries,
        frameon=False,
        fontsize=small,
        labelcolor=look.ink,
        handletextpad=0.2,
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),  # beside the axes, where no interval is
    )
    return Picture({"study": axes}, artists)


def _effect_on(rows: Sequence[Any], what: str = "mean and range") -> str:
    networks = getattr(rows[0], "networks", 1)
    return f"effect on {rows[0].measure}" + (f", {what} of {networks} networks" if networks > 1 else "")


def _matrix(rows: Sequence[Any], top: int, ax: Axes | None) -> Picture:
    firsts = list(dict.fromkeys(row.first for row in rows))
    seconds = list(dict.fromkeys(row.second for row in rows))
    both_ways = all(row.kind == "together" for row in rows)
    if both_ways:  # the same order of rows and columns
        firsts = seconds = list(dict.fromkeys([*firsts, *seconds]))
    there = len(firsts), len(seconds)
    firsts, seconds = firsts[:top], seconds[:top]
    values = np.full((len(firsts), len(seconds)), np.nan)
    for row in rows:
        for one, other in ((row.first, row.second), (row.second, row.first))[: 1 + both_ways]:
            if one in firsts and other in seconds:
                values[firsts.index(one), seconds.index(other)] = row.effect
    side = 1.4 + 0.19 * len(seconds), 1.0 + 0.19 * len(firsts)
    axes = axes_or_new(ax, max(side[0] + 1.0, 3.0), max(side[1], 2.2))
    look = current(axes)
    limit = float(np.nanmax(np.abs(values))) or 1.0
    mesh = axes.imshow(
        values, cmap=look.diverging(), vmin=-limit, vmax=limit, aspect="equal", interpolation="nearest"
    )
    axes.set_xticks(range(len(seconds)), seconds, rotation=90)
    axes.set_yticks(range(len(firsts)), firsts)
    ends = ("", "") if both_ways or any(row.kind == "together" for row in rows) else ("pre", "post")
    cut = [f"the first {top} of {count}" if count > top else "" for count in there]
    told = [", ".join(filter(None, pair)) for pair in zip(ends, cut, strict=True)]
    quiet(axes, look, told[1], told[0])
    scale = axes.figure.colorbar(mesh, ax=axes, shrink=0.8)
    scale.set_label(_effect_on(rows, "mean"), fontsize=points(look.small_text), color=look.ink)
    scale.ax.tick_params(labelsize=points(look.small_text), color=look.ink, labelcolor=look.ink)
    assert scale.solids is not None
    return Picture({"study": axes}, {"matrix": mesh, "scale": scale.solids})
