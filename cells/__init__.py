"""Cells over a compiled circuit, and the networks that run them over sequences."""

from . import ops
from .cell import Cell, NCPRNNCell
from .cfc import CfCCell
from .dense import NCPDense
from .layer import NCPLayer
from .liquid import BackboneCfCCell, LiquidCell
from .ltc import LTCCell
from .memory_cell import MixedMemoryCell
from .ncps import load_ncps, ncps_parameters
from .networks import LTC, CfC, record
from .rnn import RNN

__all__ = [
    "LTC",
    "RNN",
    "BackboneCfCCell",
    "Cell",
    "CfC",
    "CfCCell",
    "LTCCell",
    "LiquidCell",
    "MixedMemoryCell",
    "NCPDense",
    "NCPLayer",
    "NCPRNNCell",
    "load_ncps",
    "ncps_parameters",
    "ops",
    "record",
]
