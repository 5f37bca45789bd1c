"""Where everything of one circuit picture goes, before anything is drawn."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from matplotlib.artist import Artist
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers
from .frame import Frame, Margins, neuron_radius
from .key import SCALE_WIDTH, legend_height
from .labels import points, text_width
from .layout import depths, positions
from .links import LOOP_REACH
from .markers import extents, reaches
from .style import Style
from .view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Pos: TypeAlias = str | Mapping[Hashable, ArrayLike] | ArrayLike
_FLOWS = {"right": (1.0, 0.0), "down": (0.0, -1.0)}


@dataclass(frozen=True, eq=False)
class Scene:
    """A circuit's place on its axes. K neurons.

    Attributes:
        frame: the box around the drawing.
        pos: (K, 2) positions in data units.
        unit: one point in data units.
        radius: of a round neuron, in data units; all are equally large.
        reach: (K,) how far each neuron's marker reaches, sideways or up and down.
        extent: (K,) how far it reaches in any direction.
        flow: (2,) the direction from layer to layer, if there are layers.
        layer: (K,) the layer, or axis, of each neuron; all 0 without layers.
        headings: the text of each layer.
    """

    frame: Frame
    pos: NDArray[np.float64]
    unit: float
    radius: float
    reach: NDArray[np.float64]
    extent: NDArray[np.float64]
    flow: NDArray[np.float64] | None
    layer: NDArray[np.intp]
    headings: tuple[str, ...]

    @property
    def outwards(self) -> NDArray[np.float64]:
        """(K, 2) where there is room for a name: away from the middle, or beside the first and last layer."""
        if self.flow is None:
            away = self.pos - self.pos.mean(axis=0)
            length = np.linalg.norm(away, axis=1, keepdims=True)
            return np.where(length > 1e-9, away / np.maximum(length, 1e-9), (0.0, -1.0))
        across = np.array([-self.flow[1], self.flow[0]])
        side = np.where(self.layer == 0, -1.0, 1.0)[:, None] * self.flow
        between = (self.layer > 0) & (self.layer < len(self.headings) - 1)
        return np.where(between[:, None], -np.abs(across) if across[1] else np.abs(across), side)

    @property
    def loops(self) -> NDArray[np.float64]:
        """(K, 2) the direction in which a synapse of a neuron with itself stands: up, or outwards."""
        return self.outwards if self.flow is None else np.broadcast_to((0.0, 1.0), self.pos.shape)


def arrange(
    ax: Axes,
    seen: View,
    look: Style,
    size: tuple[float, float],
    pos: Pos,
    direction: str,
    names: Mapping[int, str],
    entries: Sequence[Artist],
    scale: str | None = None,
) -> Scene:
    """Find positions on an axes of ``size`` points, with room for headings, outer ``names``, legend and
    a colour bar with the title ``scale``.

    Raises:
        ValueError: positions that miss a neuron or have another shape.
    """
    kind = pos if isinstance(pos, str) else ""
    layer, headings = _layers(seen, kind)
    loops = bool((seen.pre == seen.post).any())
    margins = _margins(look, size, layer, headings, direction, names, entries, loops)
    if scale is not None:  # its title ends at the border, and must not reach names
        small = points(look.small_text)
        wide = max(SCALE_WIDTH * small, min(text_width(scale, small), 0.3 * size[0]) + small)
        margins = replace(margins, right=margins.right + wide)
    frame = Frame(*size, margins)
    options = {"direction": direction} if headings else {}
    aspect = frame.box[0] / frame.box[1]
    where = positions(seen, pos, aspect=aspect, **options) if isinstance(pos, str) else _given(seen, pos)
    unit = frame.fit(ax, where)
    flow = np.array(_FLOWS[direction]) if headings else None
    radius = neuron_radius(where, look.radius, unit)
    reach, extent = radius * reaches(seen, look), radius * extents(seen, look)
    return Scene(frame, where, unit, radius, reach, extent, flow, layer, headings)


def _layers(seen: View, kind: str) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """The layer of each neuron, and what stands over each layer; nothing without layers."""
    if kind == "layered":
        roles = seen.drawn_roles
        layer = np.array([roles.index(role) for role in seen.roles], dtype=np.intp)
        return layer, tuple(f"{role} · {len(seen.of_role(role))}" for role in roles)
    if kind == "hierarchy":
        depth = depths(seen)
        names = ["input", *(f"depth {d}" for d in range(1, depth.max() + 1))]
        if (depth < 0).any():
            names.append("unreached")
        return np.where(depth < 0, depth.max() + 1, depth), tuple(names)
    if kind == "hive":  # axes are layers without a common flow
        return seen.role_ids, ()
    return np.zeros(len(seen.names), dtype=np.intp), ()


def _margins(
    look: Style,
    size: tuple[float, float],
    layer: NDArray[np.intp],
    headings: tuple[str, ...],
    direction: str,
    names: Mapping[int, str],
    entries: Sequence[Artist],
    loops: bool,
) -> Margins:
    text, small = points(look.text), points(look.small_text)
    # Neurons are sized when they have their places; this is close enough to leave room for them.
    crowd = np.bincount(layer).max() if headings else 2 * np.sqrt(len(layer))
    neuron = float(np.clip(0.25 * (size[1] if direction == "right" else size[0]) / crowd, *look.radius)) + 1
    bottom = legend_height(entries, size[0], small)
    line = 1.3 * small if names else 0.0  # one line of names above, below and beside the neurons
    loop = (LOOP_REACH - 1) * neuron if loops else 0.0
    if not headings:
        wide = neuron + loop + 0.5 * _widest(names.values(), small, 0.3 * size[0]) + 2
        high = neuron + loop + line + 2
        return Margins(wide, wide, high, high + bottom)
    if direction == "down":
        left = _widest(headings, text, 0.25 * size[0]) + neuron + 0.6 * text
        return Margins(left, neuron + 2, 1.3 * neuron + loop + line, neuron + line + bottom)
    first = _widest((name for k, name in names.items() if layer[k] == 0), small, 0.22 * size[0])
    last = _widest((name for k, name in names.items() if layer[k] == layer.max()), small, 0.22 * size[0])
    over = [0.5 * text_width(heading, text) for heading in (headings[0], headings[-1])]
    side = neuron + 3
    return Margins(
        max(first + side, over[0]) + 2,
        max(last + side, over[1]) + 2,
        1.3 * neuron + 1.7 * text,
        neuron + line + bottom,
    )


def _widest(texts: Iterable[str], size: float, most: float) -> float:
    return min(max((text_width(text, size) for text in texts), default=0.0), most)


def _given(seen: View, pos: Any) -> NDArray[np.float64]:
    """Positions from a mapping by node or name, or from an array in the order of the graph."""
    if isinstance(pos, Mapping):
        keys = [node if node in pos else name for node, name in zip(seen.nodes, seen.names, strict=True)]
        if missing := [key for key in keys if key not in pos]:
            raise ValueError(f"pos has no position for neuron {missing[0]!r} ({len(missing)} are missing)")
        pos = [pos[key] for key in keys]
    where = np.asarray(numbers("pos", pos), dtype=float)
    if where.shape != (len(seen.names), 2) or not np.isfinite(where).all():
        raise ValueError(
            f"pos has shape {where.shape}; expected finite ({len(seen.names)}, 2), a row per neuron"
        )
    return where
