"""Cells over a compiled circuit, and the networks that run them over sequences."""

from . import ops
from .backbone import BackboneCfCCell
from .cell import Cell
from .cfc import CfCCell
from .dense import NCPDense
from .layer import NCPLayer
from .ltc import LTCCell
from .ncps import load_ncps, ncps_parameters
from .networks import LTC, RNN, CfC, record

__all__ = [
    "LTC",
    "RNN",
    "BackboneCfCCell",
    "Cell",
    "CfC",
    "CfCCell",
    "LTCCell",
    "NCPDense",
    "NCPLayer",
    "load_ncps",
    "ncps_parameters",
    "ops",
    "record",
]
