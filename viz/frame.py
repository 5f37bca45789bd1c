"""The box a circuit is drawn into: room for text around it, and points in the units of the positions.

Neurons, heads and gaps are sized in points when the picture is made, but live in data units: zooming in
enlarges the drawing as a whole, and resizing the figure never detaches a synapse from its neuron.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Margins:
    """Room for text around the drawing, in points."""

    left: float = 0.0
    right: float = 0.0
    top: float = 0.0
    bottom: float = 0.0


@dataclass(frozen=True)
class Frame:
    """An axes of ``width`` x ``height`` points with margins."""

    width: float
    height: float
    margins: Margins

    @property
    def box(self) -> tuple[float, float]:
        """Width and height inside the margins; an axes too small for its text still has a drawing."""
        m = self.margins
        return (
            max(self.width - m.left - m.right, 0.25 * self.width),
            max(self.height - m.top - m.bottom, 0.25 * self.height),
        )

    def fit(self, ax: Axes, pos: NDArray[np.float64]) -> float:
        """Set the limits so that ``pos`` (K, 2) fills the box, and return one point in data units."""
        low, high = pos.min(axis=0), pos.max(axis=0)
        span = high - low
        unit = float(max(span[0] / self.box[0], span[1] / self.box[1])) or 1.0
        m = self.margins
        # The middle of the positions stands in the middle of the box, which margins may shift.
        centre = (low + high) / 2 - unit * np.array([m.left - m.right, m.bottom - m.top]) / 2
        half = unit * np.array([self.width, self.height]) / 2
        ax.set_xlim(centre[0] - half[0], centre[0] + half[0])
        ax.set_ylim(centre[1] - half[1], centre[1] + half[1])
        ax.set_aspect("equal", adjustable="box")
        return unit


def neuron_radius(pos: NDArray[np.float64], bounds: tuple[float, float], unit: float) -> float:
    """A radius in data units that leaves room between neurons, within ``bounds`` in points."""
    from scipy.spatial import cKDTree  # late: half of the time to import this room

    smallest, largest = bounds[0] * unit, bounds[1] * unit
    if len(pos) < 2:
        return largest
    nearest = cKDTree(pos).query(pos, k=2)[0][:, 1]
    # A few neurons on top of each other must not shrink all the others out of sight.
    smallest = max(smallest, min(20 * unit / np.sqrt(len(pos)), 0.4 * float(np.median(nearest))))
    return float(np.clip(0.3 * np.percentile(nearest, 5), smallest, max(largest, smallest)))
