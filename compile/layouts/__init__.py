"""Layouts: how the synapses of a plan are executed."""

from __future__ import annotations

from ...errors import LayoutError
from ..synapses import Synapses
from .dense import DenseProjection
from .edge import EdgeProjection
from .projection import Projection

LAYOUTS = ("dense", "edge")


def lay_out(synapses: Synapses, layout: str) -> Projection:
    """Lay the synapses of one population pair out for execution."""
    if layout == "dense":
        return DenseProjection(synapses)
    if layout == "edge":
        return EdgeProjection(synapses)
    raise LayoutError(f"unknown layout {layout!r}: expected one of {', '.join(LAYOUTS)}")


__all__ = ["LAYOUTS", "DenseProjection", "EdgeProjection", "Projection", "lay_out"]
