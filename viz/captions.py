"""Names and headings of a circuit picture, placed so that nothing overlaps."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import patheffects
from numpy.typing import NDArray

from ..arguments import flag
from .labels import fitting_size, points, short_name, shorten, text_width, write
from .links import LOOP_APART, LOOP_SIZE
from .scene import Scene
from .style import Style, lightness
from .view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.text import Text

_SMALLEST = 4.5  # points; smaller text is not readable in print
_GAPS = (2.5, 7.5)  # points between a neuron and its name, and where a synapse passes between them
_SIDES: list[NDArray[np.float64]] = list(
    np.array([(0.0, -1.0), (0.0, 1.0), (1.0, 0.0), (-1.0, 0.0), *product((0.71, -0.71), (-0.71, 0.71))])
)
_AIR = 2.2  # points between a name and a synapse
_HALO = 2.4  # points around letters that break a line behind them
_CROWD = 200  # neurons; above it, names are shown on demand only


def wanted_names(seen: View, labels: bool | Mapping[Hashable, str] | None) -> dict[int, str]:
    """The text of each neuron to be labelled: none, all, or those of a mapping by node or name."""
    if isinstance(labels, Mapping):
        return {seen.find(node): str(text) for node, text in labels.items()}
    if labels is not None:
        labels = flag("labels", labels)
    if labels is False or (labels is None and len(seen.names) > _CROWD):
        return {}
    return {
        k: short_name(name, role) for k, (name, role) in enumerate(zip(seen.names, seen.roles, strict=True))
    }


def outer_names(texts: Mapping[int, str]) -> dict[int, str]:
    """The names that are too long to stand inside their neurons."""
    return {k: text for k, text in texts.items() if not text.isdigit()}


def add_names(
    ax: Axes,
    seen: View,
    scene: Scene,
    look: Style,
    texts: Mapping[int, str],
    fills: NDArray[np.float64],
    bright: NDArray[np.bool_],
    synapses: LineCollection,
    force: bool,
) -> dict[str, Text]:
    """Write names inside neurons or beside them, where there are fewest synapses.

    One that would cover another is left out unless forced.
    """
    written = {}
    faint = look.faint(look.ink, 0.6)
    size, radius = points(look.small_text), scene.radius / scene.unit
    inside = min(size, 1.15 * radius)
    taken = _Taken(ax, seen, scene, synapses, force)
    for k, text in texts.items():
        x, y = scene.pos[k]
        if text_width(text, inside) <= 1.6 * radius and inside >= _SMALLEST:
            contrast = "black" if lightness(fills[k]) > 55 else "white"
            color = contrast if bright[k] else faint
            options = {
                "ha": "center",
                "va": "center_baseline",
                "fontsize": inside,
                "color": color,
                "zorder": 4,
            }
            written[seen.names[k]] = write(ax, x, y, text, look, **options)
        elif force or not text.isdigit():
            text = shorten(text, size, 0.22 * scene.frame.width)
            place = taken.claim(k, scene.outwards[k], text_width(text, size), 1.15 * size)
            if place is not None:
                color = look.ink if bright[k] else faint
                written[seen.names[k]] = _beside(ax, scene, look, k, *place, text, size, color)
    return written


def add_headings(ax: Axes, scene: Scene, look: Style) -> list[Text]:
    """The name of each layer: over its column, or left of its row."""
    if not scene.headings or scene.flow is None:
        return []
    middle = np.array([scene.pos[scene.layer == k].mean(axis=0) for k in range(len(scene.headings))])
    right = scene.flow[0] > 0
    if right:
        gaps = np.diff(middle[:, 0]) / scene.unit if len(middle) > 1 else np.array([scene.frame.width])
        size = fitting_size(scene.headings, [0.95 * gaps.min()] * len(middle), points(look.text), _SMALLEST)
        middle[:, 1] = ax.get_ylim()[1] - 0.3 * size * scene.unit
        options = {"ha": "center", "va": "top"}
    else:
        size = fitting_size(
            scene.headings, [0.25 * scene.frame.width] * len(middle), points(look.text), _SMALLEST
        )
        middle[:, 0] = ax.get_xlim()[0]
        options = {"ha": "left", "va": "center"}
    return [
        write(ax, x, y, text, look, fontsize=size, zorder=4, path_effects=_halo(look), **options)
        for (x, y), text in zip(middle.tolist(), scene.headings, strict=True)
    ]


def _beside(
    ax: Axes,
    scene: Scene,
    look: Style,
    k: int,
    away: NDArray[np.float64],
    gap: float,
    text: str,
    size: float,
    color: str,
) -> Text:
    x, y = scene.pos[k] + away * (scene.reach[k] + gap * scene.unit)
    across, up = _anchor(away).tolist()
    horizontal = {-1: "right", 0: "center", 1: "left"}[across]
    vertical = {-1: "top", 0: "center_baseline", 1: "bottom"}[up]
    options = {
        "color": color,
        "ha": horizontal,
        "va": vertical,
        "fontsize": size,
        "path_effects": _halo(look),
        "zorder": 4,
    }
    return write(ax, x, y, text, look, **options)


def _halo(look: Style) -> list[patheffects.AbstractPathEffect]:
    return [patheffects.withStroke(linewidth=_HALO, foreground=look.ground)]


class _Taken:
    """Boxes (in points) that neurons, their loops and names already take, on a page that names stay on."""

    def __init__(self, ax: Axes, seen: View, scene: Scene, synapses: LineCollection, force: bool) -> None:
        self.force = force
        self.at = scene.pos / scene.unit
        self.reach = scene.reach[:, None] / scene.unit
        self.page = np.array([*zip(ax.get_xlim(), ax.get_ylim(), strict=True)]) / scene.unit
        own = seen.pre[seen.pre == seen.post]
        loops = (self.at + LOOP_APART * self.reach * scene.loops)[own]
        half = LOOP_SIZE * self.reach[own]
        low, high = (
            np.concatenate([self.at - self.reach, loops - half]),
            np.concatenate([self.at + self.reach, loops + half]),
        )
        self.boxes = np.concatenate([low, high], axis=1)
        curves = [np.asarray(curve) / scene.unit for curve in synapses.get_segments()]
        none = np.empty((0, 2))
        self.starts = np.concatenate([none, *(curve[:-1] for curve in curves)])
        self.steps = np.concatenate([none, *(np.diff(curve, axis=0) for curve in curves)])

    def claim(
        self, k: int, wanted: NDArray[np.float64], width: float, height: float
    ) -> tuple[NDArray[np.float64], float] | None:
        """Where a text beside neuron ``k`` covers nothing: direction and gap, or None; its box is taken.

        A text lies on the fewest synapses that it can; a forced one covers the least that it can on the page.
        """
        places = [(away, gap) for gap in _GAPS for away in (wanted, *_SIDES)]
        boxes = np.array([self._box(k, away, gap, np.array([width, height])) for away, gap in places])
        inside = (boxes[:, :2] >= self.page[0] - 1).all(axis=1) & (boxes[:, 2:] <= self.page[1] + 1).all(
            axis=1
        )
        hits = np.array([self._hits(box) for box in boxes])
        best = int(np.lexsort((self._struck(boxes + _AIR * np.array([-1, -1, 1, 1])), hits, ~inside))[0])
        if not self.force and (hits[best] or not inside[best]):
            return None
        self.boxes = np.concatenate([self.boxes, boxes[[best]]])
        return places[best]

    def _hits(self, box: NDArray[np.float64]) -> int:
        hit = (self.boxes[:, :2] < box[2:]).all(axis=1) & (self.boxes[:, 2:] > box[:2]).all(axis=1)
        return int(np.count_nonzero(hit))

    def _struck(self, boxes: NDArray[np.float64]) -> NDArray[np.intp]:
        """How many pieces of synapses run through each box."""
        low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        ends = self.starts + self.steps
        near = (np.maximum(self.starts, ends) > low) & (np.minimum(self.starts, ends) < high)
        start, step = self.starts[near.all(axis=1)], self.steps[near.all(axis=1)]
        step = np.where(step == 0, 1e-12, step)  # a line along an axis
        at = (boxes.reshape(-1, 2, 1, 2) - start) / step  # where it meets the four sides
        enters, leaves = at.min(axis=1).max(axis=-1), at.max(axis=1).min(axis=-1)
        struck: NDArray[np.intp] = ((enters < leaves) & (leaves > 0) & (enters < 1)).sum(axis=1)
        return struck

    def _box(
        self, k: int, away: NDArray[np.float64], gap: float, size: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        centre = self.at[k] + away * (self.reach[k] + gap) + _anchor(away) * size / 2
        return np.concatenate([centre - size / 2, centre + size / 2])


def _anchor(away: NDArray[np.float64]) -> NDArray[np.float64]:
    """Which way a text extends from its anchor: -1, 0 or 1 in x and y."""
    return np.sign(away) * (np.abs(away) > (0.4, 0.7))
