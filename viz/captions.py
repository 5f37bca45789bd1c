"""Names and headings of a circuit picture, placed so that nothing overlaps."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
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
    from matplotlib.text import Text

_SMALLEST = 4.5  # points; smaller text is not readable in print
_GAP = 2.5  # points between a neuron and its name
_SIDES: list[NDArray[np.float64]] = list(np.array([(0.0, -1.0), (0.0, 1.0), (1.0, 0.0), (-1.0, 0.0)]))
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
    force: bool,
) -> dict[str, Text]:
    """Write names inside neurons or beside them; one that would cover another is left out unless forced."""
    written = {}
    faint = look.faint(look.ink, 0.6)
    size, radius = points(look.small_text), scene.radius / scene.unit
    inside = min(size, 1.15 * radius)
    taken = _Taken(ax, seen, scene, force)
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
            away = taken.claim(k, scene.outwards[k], text_width(text, size), 1.15 * size)
            if away is not None:
                color = look.ink if bright[k] else faint
                written[seen.names[k]] = _beside(ax, scene, look, k, away, text, size, color)
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
        write(ax, x, y, text, look, fontsize=size, zorder=4, **options)
        for (x, y), text in zip(middle.tolist(), scene.headings, strict=True)
    ]


def _beside(
    ax: Axes, scene: Scene, look: Style, k: int, away: NDArray[np.float64], text: str, size: float, color: str
) -> Text:
    x, y = scene.pos[k] + away * (scene.reach[k] + _GAP * scene.unit)
    across, up = _anchor(away).tolist()
    horizontal = {-1: "right", 0: "center", 1: "left"}[across]
    vertical = {-1: "top", 0: "center_baseline", 1: "bottom"}[up]
    halo = [patheffects.withStroke(linewidth=1.6, foreground=look.ground)]
    options = {
        "color": color,
        "ha": horizontal,
        "va": vertical,
        "fontsize": size,
        "path_effects": halo,
        "zorder": 4,
    }
    return write(ax, x, y, text, look, **options)


class _Taken:
    """Boxes (in points) that neurons, their loops and names already take, on a page that names stay on."""

    def __init__(self, ax: Axes, seen: View, scene: Scene, force: bool) -> None:
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

    def claim(
        self, k: int, wanted: NDArray[np.float64], width: float, height: float
    ) -> NDArray[np.float64] | None:
        """The direction in which a text beside neuron ``k`` covers nothing, or None; its box is taken.

        A forced text covers the least that it can on the page.
        """
        sides = [wanted, *_SIDES]
        boxes = np.array([self._box(k, away, np.array([width, height])) for away in sides])
        inside = (boxes[:, :2] >= self.page[0] - 1).all(axis=1) & (boxes[:, 2:] <= self.page[1] + 1).all(
            axis=1
        )
        hits = np.array([self._hits(box) for box in boxes])
        best = int(np.lexsort((hits, ~inside))[0])
        if not self.force and (hits[best] or not inside[best]):
            return None
        self.boxes = np.concatenate([self.boxes, boxes[[best]]])
        return sides[best]

    def _hits(self, box: NDArray[np.float64]) -> int:
        hit = (self.boxes[:, :2] < box[2:]).all(axis=1) & (self.boxes[:, 2:] > box[:2]).all(axis=1)
        return int(np.count_nonzero(hit))

    def _box(self, k: int, away: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float64]:
        centre = self.at[k] + away * (self.reach[k] + _GAP) + _anchor(away) * size / 2
        return np.concatenate([centre - size / 2, centre + size / 2])


def _anchor(away: NDArray[np.float64]) -> NDArray[np.float64]:
    """Which way a text extends from its anchor: -1, 0 or 1 in x and y."""
    return np.sign(away) * (np.abs(away) > (0.4, 0.7))
