"""Fused kernels: a circuit's whole sequence, forward and backward, in one piece of compiled code each.

README.md in this folder walks through one kernel line by line.
"""

from .cfc import ACTIVATIONS, CFC_MAPS, CFC_PARAMETERS, cfc_kernel, dense_kernel
from .cpu import forget_spare
from .ltc import LTC_PARAMETERS, ltc_kernel
from .sequence import SAVED_MOST, FusedSequence, on_metal, unit_spans, where
from .threads import thread_count

__all__ = [
    "ACTIVATIONS",
    "CFC_MAPS",
    "CFC_PARAMETERS",
    "LTC_PARAMETERS",
    "SAVED_MOST",
    "FusedSequence",
    "cfc_kernel",
    "dense_kernel",
    "forget_spare",
    "ltc_kernel",
    "on_metal",
    "thread_count",
    "unit_spans",
    "where",
]
