"""The shapes of neurons: matplotlib markers, made equally large, that live in data units."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, AffineDeltaTransform, Transform
from numpy.typing import NDArray

from .style import Style
from .view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def data_scale(ax: Axes, size: float) -> Transform:
    """Paths of unit size become ``size`` data units large, also when the axes are zoomed or resized."""
    return Affine2D().scale(size) + AffineDeltaTransform(ax.transData)  # type: ignore[arg-type]


def reaches(seen: View, look: Style) -> NDArray[np.float64]:
    """(K,) how far each neuron's marker reaches, relative to a circle of the same area."""
    reach = {role: marker_shape(look.markers[role])[1] for role in seen.drawn_roles}
    return np.array([reach[role] for role in seen.roles])


def extents(seen: View, look: Style) -> NDArray[np.float64]:
    """(K,) the radius of a circle around each neuron's marker, corners and all, in the same units."""
    extent = {}
    for role in seen.drawn_roles:
        polygons = marker_shape(look.markers[role])[0].to_polygons()
        corners = np.concatenate([np.asarray(polygon) for polygon in polygons] or [np.ones((1, 2))])
        extent[role] = float(np.linalg.norm(corners, axis=1).max())
    return np.array([extent[role] for role in seen.roles])


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
