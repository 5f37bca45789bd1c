"""Synapses as curves with heads: one collection of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection, PolyCollection
from numpy.typing import NDArray

from .links import Ids, Links, Points, head_room, link, resistors
from .picture import Place
from .routes import POINTS, Router, touched
from .scene import Scene
from .style import Style
from .view import View

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_GAP = 1.08  # how far curves end from the middle of a neuron, in reaches of its marker
DASHES: Any = (0, (2.5, 2))
FAINT = 0.12  # opacity of what is not highlighted


def draw_synapses(
    ax: Axes,
    seen: View,
    scene: Scene,
    look: Style,
    order: NDArray[np.intp],
    artists: dict[str, Artist],
    *,
    colors: Any,
    widths: NDArray[np.float64],
    opacity: NDArray[np.float64],
    styles: Sequence[Any] | None = None,
) -> dict[tuple[str, str], Place]:
    """Add ``synapses`` and ``heads`` to ``artists`` and return where each synapse is.

    Args:
        order: (L,) which synapse is drawn first, second, ...; what is drawn late covers the rest.
        colors, widths, opacity: (L,) in the order of the graph, as are ``styles``, solid if not given.
    """
    head = min(1.1 * scene.radius, 5 * scene.unit) * np.clip(widths / look.line_width[1], 0.6, 2.0)
    seen, head, color = seen.keep(order), head[order], np.asarray(colors)[order]
    widths, opacity = widths[order], opacity[order]
    curves = _curves(seen, scene, look, head)
    lines = LineCollection(
        list(_with_resistors(curves, seen, scene)),
        colors=color,
        linewidths=widths,
        alpha=_alpha(opacity),
        zorder=1,
        capstyle="butt",
    )
    if styles is not None:
        lines.set_linestyle([styles[at] for at in order.tolist()])
    corners: Any = curves.heads(head, seen.polarity)  # one array: much faster than a list of them
    heads = PolyCollection(corners, facecolors=color, edgecolors="none", zorder=2)
    heads.set_alpha(_alpha(np.minimum(1.0, 1.4 * opacity)))
    for key, artist in (("synapses", lines), ("heads", heads)):
        ax.add_collection(artist, autolim=False)
        artists[key] = artist
    pairs = seen.synapses  # of an electrical one beside a chemical one, the latter is the pair's
    return {pairs[at]: Place(lines, at) for at in np.argsort(seen.chemical, kind="stable").tolist()}


def _with_resistors(links: Links, seen: View, scene: Scene) -> NDArray[np.float64]:
    """The curves, electrical ones with a zigzag in their middle; where thousands are drawn, plain."""
    found = np.flatnonzero(~seen.chemical)
    drawn = links.curves.copy()
    if drawn.shape[1] <= 10:
        return drawn
    for share in (0.5, 0.35, 0.65, 0.22, 0.78):  # elsewhere if it would lie on a neuron
        drawn[found] = resistors(links.curves[found], 15 * scene.unit, share)
        hit = touched(drawn[found], scene.pos, scene.extent, seen.pre[found], seen.post[found])
        if not len(hit):
            break
        found = found[np.unique(hit[:, 0])]
    return drawn


def _alpha(opacity: NDArray[np.float64]) -> float | list[float] | None:
    """One number if all are alike, since matplotlib exchanges that more readily."""
    if not len(opacity):
        return None
    return float(opacity[0]) if np.ptp(opacity) == 0 else list(opacity.tolist())


def synapse_opacity(count: int, bright: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(L,) crowded synapses let each other shine through; what is not highlighted is faint."""
    shown = max(int(bright.sum()), 1)
    return np.where(bright, np.clip((500 / shown) ** 0.4, 0.2, 0.9), FAINT if count > shown else 1.0)


def _curves(seen: View, scene: Scene, look: Style, head: NDArray[np.float64]) -> Links:
    """Forward synapses follow the flow of the layers; those inside a layer, or back, bow out of the way.

    Electrical ones bow to the other side, so that those of one pair can be told apart.
    """
    bend = np.full(len(seen.pre), look.curvature)
    if scene.flow is not None:
        ahead = scene.layer[seen.post] - scene.layer[seen.pre]
        chord = (scene.pos[seen.post] - scene.pos[seen.pre]) @ scene.flow
        bend[ahead > 0] = 0.0
        inside = (ahead == 0) & (np.abs(chord) < scene.radius)
        bend[inside] *= 2.2  # other neurons of the column stand between the ends
        bend[~seen.chemical] *= -1  # beside a chemical one of the same pair
        bend[(ahead > 0) & ~seen.chemical] = -0.5 * look.curvature
    else:
        same_axis = (scene.layer[seen.post] == scene.layer[seen.pre]) & (scene.layer.max() > 0)
        bend[same_axis] *= 4
        bend[~seen.chemical] *= -1
    angle, room = np.arctan2(scene.loops[:, 1], scene.loops[:, 0]), head_room(head, seen.polarity)

    def plain(bend: Points, angle: Points, chosen: Ids, points: int = POINTS) -> Links:
        return link(
            scene.pos,
            _GAP * scene.reach,
            seen.pre[chosen],
            seen.post[chosen],
            bend=bend[chosen],
            head=room[chosen],
            flow=scene.flow,
            loop_angle=angle,
            points=points,
        )

    router = Router(scene.pos, scene.extent, seen.pre, seen.post, _GAP * scene.reach, room)
    led = router.lead(plain, bend, angle, scene.flow, look.curvature)
    return led or plain(bend, angle, np.arange(len(bend)), 20 if len(bend) < 5000 else 9)
