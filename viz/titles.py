"""What stands beside the rows and over the columns of a mask: names where they fit, else roles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .grid import Grid, Run
from .labels import name_step, shorten, spread, text_width, write
from .style import Style
from .view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST = 60  # points: the longest name
Marks = list[tuple[float, str]]  # where, in data units, and what


@dataclass(frozen=True)
class Titles:
    """Texts and the room that they take.

    Attributes:
        named: whether they are names; otherwise roles, or nothing where roles are scattered.
        rows, columns, foot: texts beside rows, over the upper part and under the lower one.
        left, over, under: points.
    """

    named: bool
    rows: Marks
    columns: Marks
    foot: Marks
    left: float
    over: float
    under: float


def titles(seen: View, grid: Grid, width: float, height: float, size: float) -> Titles:
    """What can be written in ``width`` x ``height`` points, of which the names take their share."""
    cell = min((width - 1.5 * _LONGEST) / grid.size, (height - 2 * _LONGEST) / (grid.size + grid.top))
    step = name_step(1, cell, 1.2 * size)
    if not step:
        if grid.fragmented:  # the legend tells the roles
            return Titles(False, [], [], [], 0.0, 0.0, 0.0)
        rows = [(run.start - run.count / 2, run.title) for run in grid.rows]
        columns = [(run.start + run.count / 2, run.title) for run in grid.columns[-1]]
        return Titles(False, rows, columns, [], _widest(rows, size), size, 0.0)
    at = {float(y): name for y, name in zip(grid.row, seen.names, strict=True)}
    apart = 1.1 * size / cell if grid.fragmented else 0.0
    rows = _named(at, grid.rows, -1, step, size, apart)
    parts = [
        _named({float(x): seen.names[k] for k, x in _states(seen, part)}, runs, 1, step, size, apart)
        for part, runs in zip(grid.column, grid.columns, strict=False)
    ]
    foot = parts[0] if len(parts) > 1 and grid.banded[0] else []
    return Titles(
        True, rows, parts[-1], foot, _widest(rows, size), _widest(parts[-1], size), _widest(foot, size)
    )


def draw_titles(
    ax: Axes, grid: Grid, found: Titles, look: Style, unit: float, strip: float, size: float
) -> None:
    """Write the texts and what rows and columns are; those that would touch make room for each other."""
    left, shelf = -2.2 * strip * unit, grid.top + (1.9 * strip + 0.1 * size) * unit
    line = 1.25 * size * unit
    for y, text in _apart(found.rows, line, last=grid.top - 0.3 * size * unit):
        write(ax, left, y, text, look, ha="right", va="center", fontsize=size)
    turned = {"rotation": 90, "ha": "center", "fontsize": size}
    if found.named:
        for x, text in _apart(found.columns, line, first=0.3 * size * unit):
            write(ax, x, shelf, text, look, va="bottom", **turned)
        for x, text in _apart(found.foot, line):
            write(ax, x, -grid.size - 0.3 * size * unit, text, look, va="top", **turned)
    else:
        wide = _widest(found.columns, size)
        last = grid.size - 0.5 * wide * unit  # a narrow last role would be named beyond the edge
        for x, text in _apart(found.columns, (wide + size) * unit, last=last):
            write(ax, x, shelf, text, look, ha="center", va="bottom", fontsize=size)
    over = shelf + (found.over + 0.25 * size * bool(found.over)) * unit
    write(ax, grid.size / 2, over, "postsynaptic", look, ha="center", va="bottom", fontsize=size)
    edge = left - (found.left + 0.9 * size) * unit
    y = (grid.top - grid.size) / 2
    write(ax, edge, y, "presynaptic", look, ha="right", va="center", rotation=90, fontsize=size)


def _states(seen: View, columns: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Iterable[tuple[int, float]]:
    return ((k, float(columns[k])) for k in np.flatnonzero(seen.role_ids).tolist())


def _named(
    names: dict[float, str], runs: Iterable[Run], way: int, step: int, size: float, apart: float
) -> Marks:
    """Every ``step``-th neuron of each run, and none nearer than ``apart`` to the one before."""
    places: list[float] = []
    for place in (run.start + way * k for run in runs for k in range(0, run.count, step)):
        if not places or way * (place - places[-1]) >= apart:
            places.append(place)
    return [(place + 0.5 * way, shorten(names[place], size, _LONGEST)) for place in places]


def _apart(marks: Marks, apart: float, *, first: float = -np.inf, last: float = np.inf) -> Marks:
    places = spread(np.array([place for place, _ in marks]), apart, first, last)
    return [(float(place), text) for place, (_, text) in zip(places, marks, strict=True)]


def _widest(marks: Marks, size: float) -> float:
    return max((text_width(text, size) for _, text in marks), default=0.0)
