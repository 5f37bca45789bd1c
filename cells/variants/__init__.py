"""Many networks that differ from one in little: what differs, which neurons that reaches, and their launch.

A perturbation changes what the neurons do that there is a path to from it, its cone. All others do what they
did before, so of every perturbed network only the cone is run, see ``ltc_variants_forward.c``.
"""

from .differences import Differences
from .launch import Variants

__all__ = ["Differences", "Variants"]
