"""Wiring: circuits, how they are made, edited, checked, described and stored, without MLX."""

from .arrays import CircuitArrays
from .checks import Problem, check
from .circuit import Circuit
from .dense import Dense, dense
from .files import read, write
from .generators import auto_ncp, from_graph, from_ncps, fully_connected, layered, ncp, random
from .roles import ROLES
from .summary import Summary, summary

__all__ = [
    "ROLES",
    "Circuit",
    "CircuitArrays",
    "Dense",
    "Problem",
    "Summary",
    "auto_ncp",
    "check",
    "dense",
    "from_graph",
    "from_ncps",
    "fully_connected",
    "layered",
    "ncp",
    "random",
    "read",
    "summary",
    "write",
]
