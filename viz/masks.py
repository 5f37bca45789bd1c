"""`plot_masks`: the signed adjacency of a circuit, as cells see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from ..errors import CircuitError
from .frame import Frame, Margins
from .key import add_legend, legend_height, polarity_squares, square
from .labels import points, spread, text_width, write
from .markers import data_scale
from .picture import Picture, Place, axes_or_new, clear_canvas
from .style import Style, current
from .view import View, view

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_STATE_ROLES = ("motor", "command", "inter")  # the order of a plan
_LEAST = 0.7  # points: the smallest cell, so that no synapse of a large circuit vanishes
_STRIP = 3.5  # points: the coloured band that tells the role of rows and columns


def plot_masks(
    circuit: Any, *, ax: Axes | None = None, block_size: int | None = None, legend: bool = True
) -> Picture:
    """Draw which neuron reaches which: rows are presynaptic, columns postsynaptic.

    The sensory part (I, N) stands on the recurrent part (N, N), in the same columns: one column is all that a
    neuron receives. Neurons are in plan order: motor, command, inter.

    Args:
        circuit: a compiled circuit, a Plan or a DiGraph.
        ax: the axes to draw on; a new figure if not given.
        block_size: draw the grid of blocks of this many neurons and shade the blocks that hold a synapse; the
            legend tells how full they are. A circuit compiled to the layout ``block`` brings its own size.
        legend: whether to explain the colours.

    Returns:
        A `Picture` with a collection of cells for each polarity, ``synapses/excitatory`` and
        ``synapses/inhibitory``.

    Raises:
        CircuitError: a synapse ends at a sensory neuron, which has no column.

    Example:
        >>> gl.viz.plot_masks(gl.compile_circuit(circuit)).save("masks.pdf")
    """
    seen = view(circuit)
    grid = _grid(seen)
    axes = axes_or_new(ax, 4.4, 5.0)
    look = current(axes)
    width, height = clear_canvas(axes)
    entries = polarity_squares(seen, look) if legend else []
    artists: dict[str, Artist] = {}
    if block_size is None and getattr(circuit, "layout", None) == "block":
        block_size = int(circuit.block_size)
    if block_size:
        shade = look.faint(look.muted, 0.6)
        artists["blocks"], full = _draw_blocks(axes, seen, grid, block_size, shade, look.ground)
        entries += [square(shade, f"blocks of {block_size}, {full:.0%} full")] * legend
    small = points(look.small_text)
    names = max(text_width(_title(role, count), small) for role, _, count in grid.rows)
    foot = legend_height(entries, width, small)
    margins = Margins(names + 2.2 * _STRIP + 2 * small, 3, 2 * _STRIP + 2.7 * small, foot + 4)
    unit = Frame(width, height, margins).fit(axes, np.array([[0.0, grid.spans[0][0]], [grid.size, grid.top]]))
    places = _draw_cells(axes, seen, grid, look, unit, artists)
    artists |= _draw_borders(axes, grid, look, unit)
    _draw_names(axes, grid, look, unit, small)
    if entries:
        artists["legend"] = add_legend(axes, entries, width, look)
    return Picture({"masks": axes}, artists, {}, places)


@dataclass(frozen=True, eq=False)
class _Grid:
    """Where rows and columns are. The recurrent part has its upper left corner at (0, 0), y upwards.

    Attributes:
        row: (K,) y of the upper border of each neuron's row.
        column: (K,) x of the left border of each neuron's column; sensory neurons have none.
        rows, columns: for each role its name, its upper or left border, and its neurons.
        spans: lower and upper y of the recurrent part, then of the sensory part if there is one.
    """

    row: NDArray[np.float64]
    column: NDArray[np.float64]
    rows: list[tuple[str, float, int]]
    columns: list[tuple[str, float, int]]
    spans: list[tuple[float, float]]

    @property
    def size(self) -> int:
        """N: neurons with state."""
        return sum(count for _, _, count in self.columns)

    @property
    def top(self) -> float:
        """The upper border of it all."""
        return self.spans[-1][1]


def _grid(seen: View) -> _Grid:
    if (wrong := np.flatnonzero(seen.role_ids[seen.post] == 0)).size:
        pre, post = seen.synapses[wrong[0]]
        raise CircuitError(
            f"synapse {pre!r} -> {post!r} ends at a sensory neuron: masks have no column for it"
        )
    if (seen.role_ids == 0).all():
        raise CircuitError("this circuit has no neurons with state: masks have no columns")
    row, column = np.zeros(len(seen.names)), np.full(len(seen.names), np.nan)
    columns: list[tuple[str, float, int]] = []
    start = 0
    for role in (role for role in _STATE_ROLES if role in seen.roles):
        members = seen.of_role(role)
        column[members] = start + np.arange(len(members))
        columns.append((role, float(start), len(members)))
        start += len(members)
    row[:] = -column
    rows = [(role, -left, count) for role, left, count in columns]
    spans = [(-float(start), 0.0)]
    sensory = seen.of_role("sensory")
    if len(sensory):
        low = max(0.6, 0.025 * start)
        spans.append((low, low + len(sensory)))
        row[sensory] = spans[-1][1] - np.arange(len(sensory))
        rows.insert(0, ("sensory", spans[-1][1], len(sensory)))
    return _Grid(row, column, rows, columns, spans)


def _draw_cells(
    ax: Axes, seen: View, grid: _Grid, look: Style, unit: float, artists: dict[str, Artist]
) -> dict[tuple[str, str], Place]:
    """A square for each synapse, never smaller than is visible."""
    middles = np.stack([grid.column[seen.post] + 0.5, grid.row[seen.pre] - 0.5], axis=1)
    side = max(1.0, _LEAST * unit)
    pairs = seen.synapses
    places: dict[tuple[str, str], Place] = {}
    for sign, name in ((1, "excitatory"), (-1, "inhibitory")):
        chosen = np.flatnonzero(seen.polarity == sign)
        cells = PathCollection(
            [Path.unit_rectangle().transformed(Affine2D().translate(-0.5, -0.5))],
            offsets=middles[chosen],
            offset_transform=ax.transData,
            facecolors=look.polarity(sign),
            edgecolors="none",
            zorder=2,
            rasterized=len(chosen) > 20_000,
        )
        cells.set_transform(data_scale(ax, side))
        artists[f"synapses/{name}"] = ax.add_collection(cells, autolim=False)
        places |= {pairs[k]: Place(cells, at) for at, k in enumerate(chosen.tolist())}
    return places


def _draw_borders(ax: Axes, grid: _Grid, look: Style, unit: float) -> dict[str, Artist]:
    """Lines between roles, and bands in the colours of the roles along rows and columns."""
    n, strip = float(grid.size), _STRIP * unit
    lines, bands, colors = [], [], []
    for role, top, count in grid.rows:
        lines += [[(0, top), (n, top)], [(0, top - count), (n, top - count)]]
        bands.append(_rectangle(-1.4 * strip, top - count, strip, count))
        colors.append(look.colors[role])
    for role, left, count in grid.columns:
        for low, high in grid.spans:
            lines += [[(x, low), (x, high)] for x in (left, left + count)]
        bands.append(_rectangle(left, grid.top + 0.4 * strip, count, strip))
        colors.append(look.colors[role])
    borders = LineCollection(lines, colors=look.muted, linewidths=0.5, zorder=3, capstyle="projecting")
    strips = PolyCollection(bands, facecolors=colors, edgecolors=look.ink, linewidths=0.3, zorder=3)
    ax.add_collection(borders, autolim=False)
    ax.add_collection(strips, autolim=False)
    return {"borders": borders, "roles": strips}


def _draw_names(ax: Axes, grid: _Grid, look: Style, unit: float, small: float) -> None:
    """Roles and axes in words; names that would touch make room for each other."""
    line = 1.25 * small * unit
    middles = np.array([top - count / 2 for _, top, count in grid.rows])
    for y, (role, _, count) in zip(spread(middles, line, -np.inf, np.inf), grid.rows, strict=True):
        write(ax, -2.2 * _STRIP * unit, y, _title(role, count), look, ha="right", va="center", fontsize=small)
    titles = [_title(role, count) for role, _, count in grid.columns]
    apart = (max(text_width(title, small) for title in titles) + small) * unit
    middles = np.array([left + count / 2 for _, left, count in grid.columns])
    shelf = grid.top + (1.9 * _STRIP + 0.1 * small) * unit
    for x, title in zip(spread(middles, apart, -np.inf, np.inf), titles, strict=True):
        write(ax, x, shelf, title, look, ha="center", va="bottom", fontsize=small)
    write(ax, grid.size / 2, shelf + line, "postsynaptic", look, ha="center", va="bottom", fontsize=small)
    names = max(text_width(_title(role, count), small) for role, _, count in grid.rows)
    edge = -(2.2 * _STRIP + names + 0.5 * small) * unit
    y = (grid.top - grid.size) / 2
    write(ax, edge, y, "presynaptic", look, ha="right", va="center", rotation=90, fontsize=small)


def _draw_blocks(
    ax: Axes, seen: View, grid: _Grid, block: int, color: str, edge: str
) -> tuple[PolyCollection, float]:
    """Shade the blocks that hold a synapse, counted from each part's upper left corner; how full are they?"""
    corners, cells = [], 0
    recurrent = seen.role_ids[seen.pre] > 0
    for part, (low, high) in zip((recurrent, ~recurrent), grid.spans, strict=False):
        rows, columns = (high - grid.row[seen.pre[part]]) // block, grid.column[seen.post[part]] // block
        for r, c in np.unique(np.stack([rows, columns], axis=1), axis=0).astype(int).tolist():
            left, top = c * block, high - r * block
            wide, tall = min(block, grid.size - left), min(block, top - low)
            corners.append(_rectangle(left, top - tall, wide, tall))
            cells += round(wide * tall)
    blocks = PolyCollection(corners, facecolors=color, edgecolors=edge, linewidths=0.3, zorder=1)
    ax.add_collection(blocks, autolim=False)
    return blocks, len(seen.pre) / max(cells, 1)


def _rectangle(left: float, bottom: float, width: float, height: float) -> list[tuple[float, float]]:
    right, top = left + width, bottom + height
    return [(left, bottom), (right, bottom), (right, top), (left, top)]


def _title(role: str, count: int) -> str:
    return f"{role} · {count}"
