"""Fused kernels: a circuit's whole sequence, forward and backward, in one piece of compiled code each.

Here is the machinery; the kernels themselves lie in the folders of the cells that they run. README.md in this
folder walks through one of them line by line.
"""

from .sequence import (
    SAVED_MOST,
    ExportError,
    FusedSequence,
    constant,
    forget_spare,
    in_graphs,
    unit_spans,
    way_in,
    where,
)
from .source import ACTIVATIONS
from .threads import thread_count

__all__ = [
    "ACTIVATIONS",
    "SAVED_MOST",
    "ExportError",
    "FusedSequence",
    "constant",
    "forget_spare",
    "in_graphs",
    "thread_count",
    "unit_spans",
    "way_in",
    "where",
]
