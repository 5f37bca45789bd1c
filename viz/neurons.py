"""Neurons as markers: one collection for each role."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from .markers import data_scale, marker_shape
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
