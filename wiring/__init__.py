"""Wiring: circuits, how they are made, edited, checked, described and stored, without MLX."""

from . import connectomes, edits
from .arrays import CircuitArrays
from .checks import Problem, check
from .circuit import Circuit
from .dense import Dense, dense
from .files import circuit_from, read, write
from .generators import auto_ncp, from_graph, from_ncps, fully_connected, layered, ncp, random
from .origin import Origin
from .projections import Projection, changed, projections
from .roles import ROLES
from .summary import Summary, summary

__all__ = [
    "ROLES",
    "Circuit",
    "CircuitArrays",
    "Dense",
    "Origin",
    "Problem",
    "Projection",
    "Summary",
    "auto_ncp",
    "changed",
    "check",
    "circuit_from",
    "connectomes",
    "dense",
    "edits",
    "from_graph",
    "from_ncps",
    "fully_connected",
    "layered",
    "ncp",
    "projections",
    "random",
    "read",
    "summary",
    "write",
]
