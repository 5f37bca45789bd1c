"""Cells over a compiled circuit, and the networks that run them over sequences."""

from . import ops
from .backbone.cell import BackboneCfCCell, LiquidCell
from .cell import NCPRNNCell
from .cfc.cell import CfCCell
from .ctgru import CTGRUCell
from .ctrnn import CTRNNCell
from .dense import NCPDense
from .equations.cell import EquationCell
from .equations.declaration import electrical, motor, neuron, sensor, synapse
from .layer import NCPLayer
from .ltc.cell import LTCCell
from .missing import MissingValueCell
from .networks.analysis import saliency, time_constants
from .networks.bidirectional import Bidirectional
from .networks.bounded import BoundedStream
from .networks.ensemble import Ensemble, ensemble
from .networks.indicators import Calcium, Indicator, Plain
from .networks.memory import Memory
from .networks.named import LTC, CfC, record
from .networks.ncps import load_ncps, ncps_options, ncps_parameters
from .networks.observing import Observed, observe
from .networks.resting import rest
from .networks.rnn import RNN
from .networks.solving import solver_error
from .networks.stack import Stack
from .networks.streaming import Stream
from .networks.transfer import carried, lesion, transfer
from .networks.untying import untie
from .priors import Fixed, HalfNormal, LogNormal, Normal, Prior, Uniform
from .published.lif import LIF
from .published.lrc import LRC, LRCU
from .published.mingru import MinGRU
from .published.rate import LeakyRate
from .published.stc import STC
from .spread import Spread
from .wrappers import CellWrapper, MixedMemoryCell

__all__ = [
    "LIF",
    "LRC",
    "LRCU",
    "LTC",
    "RNN",
    "STC",
    "BackboneCfCCell",
    "Bidirectional",
    "BoundedStream",
    "CTGRUCell",
    "CTRNNCell",
    "Calcium",
    "CellWrapper",
    "CfC",
    "CfCCell",
    "Ensemble",
    "EquationCell",
    "Fixed",
    "HalfNormal",
    "Indicator",
    "LTCCell",
    "LeakyRate",
    "LiquidCell",
    "LogNormal",
    "Memory",
    "MinGRU",
    "MissingValueCell",
    "MixedMemoryCell",
    "NCPDense",
    "NCPLayer",
    "NCPRNNCell",
    "Normal",
    "Observed",
    "Plain",
    "Prior",
    "Spread",
    "Stack",
    "Stream",
    "Uniform",
    "carried",
    "electrical",
    "ensemble",
    "lesion",
    "load_ncps",
    "motor",
    "ncps_options",
    "ncps_parameters",
    "neuron",
    "observe",
    "ops",
    "record",
    "rest",
    "saliency",
    "sensor",
    "solver_error",
    "synapse",
    "time_constants",
    "transfer",
    "untie",
]
