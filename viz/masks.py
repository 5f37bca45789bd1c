"""`plot_masks`: the signed adjacency of a circuit, as cells see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from ..arguments import flag, whole
from .frame import Frame, Margins
from .grid import Grid, arrangement, make_grid, rectangle
from .key import add_legend, legend_height, polarity_squares, square
from .labels import points
from .markers import data_scale
from .picture import Picture, Place, axes_or_new, clear_canvas
from .style import Style, current
from .titles import draw_titles, titles
from .view import View, view

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_LEAST = 0.7  # points: the smallest cell, so that no synapse of a large circuit vanishes
_STRIP = 3.5  # points: the coloured band that tells the role of rows and columns


def plot_masks(
    circuit: Any, *, ax: Axes | None = None, block_size: int | None = None, legend: bool = True
) -> Picture:
    """Draw which neuron reaches which: rows are presynaptic, columns postsynaptic.

    The sensory part (I, N) stands on the recurrent part (N, N), in the same columns: one column is all that a
    neuron receives. Neurons are in the order of all pictures: from sensory to motor, inside a role as in the
    graph. A circuit compiled to the layout ``block`` is drawn in the order that it is executed in.

    Rows and columns have the names of their neurons, every second to fifth where not all fit; where even
    those do not, the roles are named, with how many neurons they have.

    Args:
        circuit: a compiled circuit, a Plan or a DiGraph.
        ax: the axes to draw on; a new figure if not given.
        block_size: draw the grid of blocks of this many neurons and shade the blocks that hold a synapse; the
            legend tells how full they are. A circuit compiled to the layout ``block`` brings its own size.
        legend: whether to explain the colours.

    Returns:
        A `Picture` with a collection of cells for each polarity, ``synapses/excitatory``,
        ``synapses/inhibitory`` and, smaller and on both sides of the diagonal, ``synapses/electrical``.

    Raises:
        CircuitError: a synapse ends at a sensory neuron, which has no column.

    Example:
        >>> gl.viz.plot_masks(gl.compile_circuit(circuit)).save("masks.pdf")
    """
    seen = view(circuit)
    flag("legend", legend)
    if block_size is not None:
        whole("block_size", block_size)
    grid = make_grid(seen, arrangement(circuit, seen))
    axes = axes_or_new(ax, 4.4, 5.0)
    look = current(axes)
    width, height = clear_canvas(axes)
    small = points(look.small_text)
    entries = polarity_squares(seen, look) if legend else []
    found = titles(seen, grid, width, height, small)
    if legend and (grid.fragmented or found.named):
        entries += [square(look.colors[role], role, look.ink) for role in seen.drawn_roles]
    artists: dict[str, Artist] = {}
    if block_size is None and getattr(circuit, "layout", None) == "block":
        block_size = int(circuit.block_size)
    if block_size:
        shade = look.faint(look.muted, 0.6)
        artists["blocks"], full = _draw_blocks(axes, seen, grid, block_size, shade, look.ground)
        entries += [square(shade, f"blocks of {block_size}, {full:.0%} full")] * legend
    margins = Margins(
        left=found.left + 2.2 * _STRIP + 2.3 * small,
        right=3,
        top=found.over + 2 * _STRIP + 1.7 * small,
        bottom=legend_height(entries, width, small) + found.under + 4,
    )
    unit = Frame(width, height, margins).fit(axes, np.array([[0.0, -grid.size], [grid.size, grid.top]]))
    places = _draw_cells(axes, seen, grid, look, unit, artists)
    artists |= _draw_borders(axes, grid, look, unit)
    draw_titles(axes, grid, found, look, unit, _STRIP, small)
    if entries:
        artists["legend"] = add_legend(axes, entries, width, look)
    return Picture({"masks": axes}, artists, {}, places)


def _draw_cells(
    ax: Axes, seen: View, grid: Grid, look: Style, unit: float, artists: dict[str, Artist]
) -> dict[tuple[str, str], Place]:
    """A square for each synapse, never smaller than is visible."""
    columns = grid.column[(seen.role_ids[seen.pre] == 0).astype(int), seen.post]
    middles = np.stack([columns + 0.5, grid.row[seen.pre] - 0.5], axis=1)
    side = max(1.0, _LEAST * unit)
    pairs = seen.synapses
    places: dict[tuple[str, str], Place] = {}
    for sign, name in ((0, "electrical"), (1, "excitatory"), (-1, "inhibitory")):
        chosen = np.flatnonzero(seen.polarity == sign)
        if not sign and not len(chosen):
            continue
        where = middles[chosen]
        if not sign:
            back = np.stack([grid.column[0, seen.pre] + 0.5, grid.row[seen.post] - 0.5], axis=1)
            where = np.concatenate([where, back[chosen]])
        cells = PathCollection(
            [Path.unit_rectangle().transformed(Affine2D().translate(-0.5, -0.5))],
            offsets=where,
            offset_transform=ax.transData,
            facecolors=look.polarity(sign),
            edgecolors="none",
            zorder=2 if sign else 2.5,
            rasterized=len(chosen) > 20_000,
        )
        cells.set_transform(data_scale(ax, side if sign else max(0.45 * side, _LEAST * unit)))
        artists[f"synapses/{name}"] = ax.add_collection(cells, autolim=False)
        places |= {pairs[k]: Place(cells, at) for at, k in enumerate(chosen.tolist())}
    return places


def _draw_borders(ax: Axes, grid: Grid, look: Style, unit: float) -> dict[str, Artist]:
    """Lines between roles, and bands in the colours of the roles along rows and columns."""
    n, strip = float(grid.size), _STRIP * unit
    lines, bands, colors = [], [], []
    for run in grid.rows:
        lines += [[(0, y), (n, y)] for y in (run.start, run.start - run.count)]
        bands.append(rectangle(-1.4 * strip, run.start - run.count, strip, run.count))
        colors.append(look.colors[run.role])
    for runs, (low, high), own_bands in zip(grid.columns, grid.spans, grid.banded, strict=True):
        for run in runs:
            lines += [[(x, low), (x, high)] for x in (run.start, run.start + run.count)]
            if own_bands:
                bands.append(rectangle(run.start, high + 0.4 * strip, run.count, strip))
                colors.append(look.colors[run.role])
    borders = LineCollection(lines, colors=look.muted, linewidths=0.5, zorder=3, capstyle="projecting")
    strips = PolyCollection(bands, facecolors=colors, edgecolors=look.ink, linewidths=0.3, zorder=3)
    ax.add_collection(borders, autolim=False)
    ax.add_collection(strips, autolim=False)
    return {"borders": borders, "roles": strips}


def _draw_blocks(
    ax: Axes, seen: View, grid: Grid, block: int, color: str, edge: str
) -> tuple[PolyCollection, float]:
    """Shade the blocks that hold a synapse, counted from each part's upper left corner; how full are they?"""
    corners, cells = [], 0
    sensory = seen.role_ids[seen.pre] == 0
    for part, (low, high) in enumerate(grid.spans):
        own = (sensory == bool(part)) & seen.chemical
        rows, columns = high - grid.row[seen.pre[own]], grid.column[part, seen.post[own]]
        for r, c in np.unique(np.stack([rows, columns], axis=1) // block, axis=0).astype(int).tolist():
            left, top = c * block, high - r * block
            wide, tall = min(block, grid.size - left), min(block, top - low)
            corners.append(rectangle(left, top - tall, wide, tall))
            cells += round(wide * tall)
    blocks = PolyCollection(corners, facecolors=color, edgecolors=edge, linewidths=0.3, zorder=1)
    ax.add_collection(blocks, autolim=False)
    return blocks, int(seen.chemical.sum()) / max(cells, 1)
