"""Connectomes: a small circuit with its sources, and loaders of published files that you have.

Nothing is downloaded. Each circuit says in `circuit.graph["citation"]` what to cite and in
`circuit.graph["uncertain"]` what is not known; `circuit.origin` counts what was merged, dropped and split.
"""

from .published import celegans, flywire, larva
from .touch import tap_withdrawal

__all__ = ["celegans", "flywire", "larva", "tap_withdrawal"]
