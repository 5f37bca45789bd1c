"""Neurons as markers: one collection for each role."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, AffineDeltaTransform, Transform
from numpy.typing import NDArray

from .picture import Place
from .scene import Scene
from .style import Style
from .view import View

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


def draw_neurons(
    ax: Axes,
    seen: View,
    scene: Scene,
    look: Style,
    colors: NDArray[np.float64],
    bright: NDArray[np.bool_],
    artists: dict[str, Artist],
) -> dict[str, Place]:
    """Add ``neurons/<role>`` to ``artists`` and return where each neuron is.

    Markers are scaled in data units, so that synapses stay attached to them. Neurons that are not ``bright``
    (K,) are
    mixed with the ground instead of made transparent: no synapse shines through.
    """
    places: dict[str, Place] = {}
    ground, ink = np.array(to_rgb(look.ground)), np.array(to_rgb(look.ink))
    for role in seen.drawn_roles:
        members = seen.of_role(role)
        shape, _ = marker_shape(look.markers[role])
        faint = np.where(bright[members], 0.0, 0.8)[:, None]
        dots = PathCollection(
            [shape],
            offsets=scene.pos[members],
            offset_transform=ax.transData,
            zorder=3,
            facecolors=(1 - faint) * colors[members, :3] + faint * ground,
            edgecolors=(1 - faint) * ink + faint * ground,
            linewidths=min(0.7, 0.09 * scene.radius / scene.unit),
        )
        dots.set_transform(data_scale(ax, scene.radius))
        ax.add_collection(dots, autolim=False)
        artists[f"neurons/{role}"] = dots
        places |= {seen.names[k]: Place(dots, at) for at, k in enumerate(members.tolist())}
    return places


def data_scale(ax: Axes, size: float) -> Transform:
    """Paths of unit size become ``size`` data units large, also when the axes are zoomed or resized."""
    return Affine2D().scale(size) + AffineDeltaTransform(ax.transData)  # type: ignore[arg-type]


def reaches(seen: View, look: Style) -> NDArray[np.float64]:
    """(K,) how far each neuron's marker reaches, relative to a circle of the same area."""
    reach = {role: marker_shape(look.markers[role])[1] for role in seen.drawn_roles}
    return np.array([reach[role] for role in seen.roles])


@cache
def marker_shape(marker: Any) -> tuple[Path, float]:
    """A marker's outline with the area of the unit circle, so that all look equally large, and its reach."""
    style = MarkerStyle(marker)
    path = style.get_path().transformed(style.get_transform())
    corners = np.concatenate([np.asarray(polygon) for polygon in path.to_polygons()] or [np.zeros((1, 2))])
    x, y = corners.T
    area = max(
        0.5 * abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1))), 0.3
    )  # markers such as "+" have no area
    scale = float(np.sqrt(np.pi / area))
    return path.transformed(Affine2D().scale(scale)), scale * float(np.abs(path.vertices).max())
