"""Legends and colour bars, in a band that the drawing keeps free for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.legend import Legend
from matplotlib.legend_handler import HandlerBase, HandlerPatch
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse, Polygon

from .encode import Coloring
from .labels import points, text_width
from .links import resistors
from .picture import root_figure
from .style import Style
from .view import View

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


POLARITIES = ((1, "excitatory"), (-1, "inhibitory"), (0, "electrical"))


SCALE_WIDTH = 4.5  # of a colour bar with its numbers, in text sizes


class SynapseKey(Polygon):
    """A legend entry that shows a synapse with its head, or its resistor."""

    def __init__(self, color: str, sign: int, label: str, width: float = 1.0) -> None:
        super().__init__([(0, 0)], closed=True, facecolor=color, label=label)
        self.color, self.sign, self.width = color, sign, width


class SynapseKeyHandler(HandlerBase):
    """Draws a `SynapseKey` into a legend."""

    def create_artists(
        self,
        legend: Any,
        handle: Any,
        x: float,
        y: float,
        width: float,
        height: float,
        size: float,
        trans: Any,
    ) -> list[Artist]:
        """The line and the head, in the box that the legend gives."""
        middle, tip, head = height / 2 - y, width - x, 0.62 * size
        if handle.sign == 0:
            course = np.stack([np.linspace(-x, tip, 20), np.full(20, middle)], axis=1)
            course = resistors(course[None], 1.6 * head)[0]
            return [Line2D(*course.T, color=handle.color, linewidth=handle.width, transform=trans)]
        foot = tip - head if handle.sign > 0 else tip
        if handle.sign > 0:
            corners = [(tip, middle), (foot, middle + 0.42 * head), (foot, middle - 0.42 * head)]
        else:
            half, thick = 0.5 * head, 0.36 * head
            corners = [
                (tip - dx, middle + dy) for dx, dy in ((0, half), (0, -half), (thick, -half), (thick, half))
            ]
        line = Line2D(
            [-x, foot], [middle, middle], color=handle.color, linewidth=handle.width, transform=trans
        )
        return [
            line,
            Polygon(corners, closed=True, facecolor=handle.color, edgecolor="none", transform=trans),
        ]


def legend_entries(seen: View, coloring: Coloring, look: Style, *, roles: bool) -> list[Artist]:
    """Roles (unless headings tell them), categories of colour, then the two polarities."""
    entries: list[Artist] = []
    if roles:
        plain = look.ground if coloring.scale or coloring.categories else None
        entries += [
            _marker(look.markers[role], plain or look.colors[role], role, look) for role in seen.drawn_roles
        ]
    if coloring.categories:
        entries += [_marker("o", color, kind, look) for kind, color in coloring.categories.items()]
    return entries + polarity_lines(seen, look)


def polarity_lines(seen: View, look: Style, width: float = 1.0) -> list[Artist]:
    """The polarities that occur, as synapses with their heads."""
    signs = [(sign, label) for sign, label in POLARITIES if (seen.polarity == sign).any()]
    return [SynapseKey(look.polarity(sign), sign, label, width) for sign, label in signs]


def polarity_squares(seen: View, look: Style) -> list[Artist]:
    """The polarities as coloured cells."""
    return [square(look.polarity(sign), label) for sign, label in POLARITIES if (seen.polarity == sign).any()]


def square(color: str, label: str, edge: str | None = None) -> Line2D:
    """A coloured cell."""
    options: dict[str, Any] = {"markeredgecolor": edge or color, "markeredgewidth": 0.4 if edge else 0.0}
    return Line2D([], [], linestyle="none", marker="s", markersize=5.0, color=color, label=label, **options)


def legend_columns(entries: Sequence[Artist], width: float, size: float) -> int:
    """How many entries stand side by side in ``width`` points, so that all rows are about equally long."""
    lines = [line for entry in entries for line in _lines(entry)]
    widest = max((text_width(line, size) for line in lines), default=0.0)
    most = max(1, int((width + size) // (widest + 4.6 * size)))
    rows = -(-len(entries) // most)
    return -(-len(entries) // max(rows, 1))


def legend_height(entries: Sequence[Artist], width: float, size: float) -> float:
    """Points that `add_legend` takes."""
    if not entries:
        return 0.0
    columns = legend_columns(entries, width, size)
    rows = [entries[start : start + columns] for start in range(0, len(entries), columns)]
    more = sum(max(len(_lines(entry)) for entry in row) - 1 for row in rows)
    return 1.45 * size * len(rows) + 1.2 * size * more + 0.9 * size


def _lines(entry: Artist) -> list[str]:
    return str(entry.get_label()).split("\n")


def add_legend(ax: Axes, entries: Sequence[Artist], width: float, look: Style) -> Legend:
    """A legend at the foot of the axes, where the drawing left room."""
    size = points(look.small_text)
    columns = legend_columns(entries, width, size)
    by_column = [entry for start in range(columns) for entry in entries[start::columns]]  # read row by row
    legend = ax.legend(
        handles=by_column,
        loc="lower center",
        ncols=columns,
        frameon=False,
        fontsize=size,
        labelcolor=look.ink,
        borderaxespad=0.0,
        borderpad=0.2,
        handlelength=2.0,
        handletextpad=0.6,
        labelspacing=0.35,
        columnspacing=1.6,
        handler_map={SynapseKey: SynapseKeyHandler(), Ellipse: HandlerPatch(patch_func=_round)},
    )
    legend.set_zorder(5)
    legend.set_in_layout(False)
    return legend


def _round(
    legend: Any,
    orig_handle: Any,
    xdescent: float,
    ydescent: float,
    width: float,
    height: float,
    fontsize: float,
) -> Ellipse:
    """A neuron in the middle of the box that the legend gives."""
    return Ellipse((width / 2 - xdescent, height / 2 - ydescent), 0.8 * fontsize, 0.8 * fontsize)


def add_scale(ax: Axes, scale: ScalarMappable, label: str, look: Style) -> Any:
    """A slim colour bar at the right border of the axes."""
    inset = ax.inset_axes((0.98, 0.3, 0.014, 0.4))
    bar = root_figure(ax).colorbar(scale, cax=inset)
    size = points(look.small_text)
    bar.ax.tick_params(labelsize=size, labelcolor=look.ink, color=look.muted, length=2, width=0.5)
    bar.ax.yaxis.set_ticks_position("left")
    bar.ax.set_title(label, fontsize=size, color=look.ink, pad=4, loc="right")
    bar.outline.set_edgecolor(look.muted)
    bar.outline.set_linewidth(0.5)
    bar.locator = _few_ticks()
    bar.update_ticks()
    return bar


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(4)


def _marker(marker: str, color: Any, label: str, look: Style) -> Line2D:
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=marker,
        markersize=5.0 if marker == "D" else 6.0,
        markerfacecolor=color,
        markeredgecolor=look.ink,
        markeredgewidth=0.6,
        label=label,
    )
