"""Layouts: how the synapses of a plan are executed."""

from __future__ import annotations

from ...errors import LayoutError
from ..synapses import Synapses
from ..tiling import Order
from .block import BlockProjection
from .dense import DenseProjection
from .edge import EdgeProjection
from .mixed import MixedProjection
from .projection import LIMIT, Projection

LAYOUTS = ("dense", "block", "edge")


def lay_out(synapses: Synapses, layout: str, block_size: int = 32, order: Order | None = None) -> Projection:
    """Lay the synapses of one population pair out for execution.

    Args:
        synapses: the population pair.
        layout: "dense", "block" or "edge".
        block_size: neurons per side of a tile, for "block".
        order: how neurons are arranged, for "block".
    """
    if layout == "dense":
        return DenseProjection(synapses)
    if layout == "block":
        return BlockProjection(synapses, block_size, order)
    if layout == "edge":
        return EdgeProjection(synapses)
    raise LayoutError(f"unknown layout {layout!r}: expected one of {', '.join(LAYOUTS)}")


__all__ = [
    "LAYOUTS",
    "LIMIT",
    "BlockProjection",
    "DenseProjection",
    "EdgeProjection",
    "MixedProjection",
    "Projection",
    "lay_out",
]
