"""From a trained circuit to an answer: perturbations, studies of their effects, and experiments.

A `Perturbation` is a value, such as ``Lesion("AVA")``; `perturbed` lays some over a network for a block.
"""

from .perturbations import (
    Cut,
    Each,
    Flip,
    Lesion,
    Noise,
    Perturbation,
    Scale,
    Silence,
    Stimulate,
    Together,
    each,
)
from .perturbed import Perturbed, perturbed, silenced

__all__ = [
    "Cut",
    "Each",
    "Flip",
    "Lesion",
    "Noise",
    "Perturbation",
    "Perturbed",
    "Scale",
    "Silence",
    "Stimulate",
    "Together",
    "each",
    "perturbed",
    "silenced",
]
