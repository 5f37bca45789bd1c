"""Cells over a compiled circuit, and the networks that run them over sequences."""

from . import ops
from .analysis import saliency, time_constants
from .bidirectional import Bidirectional
from .cell import NCPRNNCell
from .cfc import CfCCell
from .ctgru import CTGRUCell
from .ctrnn import CTRNNCell
from .dense import NCPDense
from .export import export_c
from .layer import NCPLayer
from .liquid import BackboneCfCCell, LiquidCell
from .ltc import LTCCell
from .memory import Memory
from .ncps import load_ncps, ncps_parameters
from .networks import LTC, CfC, record
from .rnn import RNN
from .stack import Stack
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
    "CellWrapper",
    "CfC",
    "CfCCell",
    "LTCCell",
    "LiquidCell",
    "Memory",
    "MissingValueCell",
    "MixedMemoryCell",
    "NCPDense",
    "NCPLayer",
    "NCPRNNCell",
    "Stack",
    "Stream",
    "export_c",
    "lesion",
    "load_ncps",
    "ncps_parameters",
    "ops",
    "record",
    "saliency",
    "time_constants",
    "transfer",
]
