"""Wiring: circuits, how they are made, edited, checked, described and stored, without MLX."""

from .circuit import ROLES, Circuit, CircuitArrays

__all__ = [
    "ROLES",
    "Circuit",
    "CircuitArrays",
]
