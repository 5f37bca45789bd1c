"""Cells over a compiled circuit, and the networks that run them over sequences."""

from . import ops
from .cell import Cell, NCPRNNCell
from .cfc import CfCCell
from .containers import Bidirectional, Stack
from .ctgru import CTGRUCell
from .ctrnn import CTRNNCell
from .dense import NCPDense
from .layer import NCPLayer
from .liquid import BackboneCfCCell, LiquidCell
from .ltc import LTCCell
from .ncps import load_ncps, ncps_parameters
from .networks import LTC, CfC, record
from .rnn import RNN
from .streaming import Stream
from .transfer import lesion, transfer
from .wrappers import CellWrapper, MissingValueCell, MixedMemoryCell

__all__ = [
    "LTC",
    "RNN",
    "BackboneCfCCell",
    "Bidirectional",
    "CTGRUCell",
    "CTRNNCell",
    "Cell",
    "CellWrapper",
    "CfC",
    "CfCCell",
    "LTCCell",
    "LiquidCell",
    "MissingValueCell",
    "MixedMemoryCell",
    "NCPDense",
    "NCPLayer",
    "NCPRNNCell",
    "Stack",
    "Stream",
    "lesion",
    "load_ncps",
    "ncps_parameters",
    "ops",
    "record",
    "transfer",
]
