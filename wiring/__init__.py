"""Wiring: circuits, how they are made, edited, checked, described and stored, without MLX."""

from .arrays import CircuitArrays
from .checks import Problem, check
from .circuit import Circuit
from .dense import Dense, dense
from .roles import ROLES
from .summary import Summary, summary

__all__ = [
    "ROLES",
    "Circuit",
    "CircuitArrays",
    "Dense",
    "Problem",
    "Summary",
    "check",
    "dense",
    "summary",
]
