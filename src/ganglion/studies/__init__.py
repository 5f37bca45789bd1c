"""From a trained circuit to an answer: perturbations, studies of their effects, and experiments.

A `Perturbation` is a value, such as ``Lesion("AVA")``; `perturbed` lays some over a network for a block.
"""

from .measures import Look
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
from .study import study
from .table import Row, Study

__all__ = [
    "Cut",
    "Each",
    "Flip",
    "Lesion",
    "Look",
    "Noise",
    "Perturbation",
    "Perturbed",
    "Row",
    "Scale",
    "Silence",
    "Stimulate",
    "Study",
    "Together",
    "each",
    "perturbed",
    "silenced",
    "study",
]
