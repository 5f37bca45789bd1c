"""From a trained circuit to an answer: perturbations, studies of their effects, and experiments.

A `Perturbation` is a value, such as ``Lesion("AVA")``; `perturbed` lays some over a network for a block.
"""

from .combined import Combined, CombinedRow, combined
from .evolution import Evolving, Generator
from .experiment import experiment
from .measures import Look
from .outcome import Experiment, Result
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
from .protocol import During, Protocol, protocol
from .study import study
from .sweeping import sweep
from .table import Row, Study
from .trials import Trial
from .under import under

__all__ = [
    "Combined",
    "CombinedRow",
    "Cut",
    "During",
    "Each",
    "Evolving",
    "Experiment",
    "Flip",
    "Generator",
    "Lesion",
    "Look",
    "Noise",
    "Perturbation",
    "Perturbed",
    "Protocol",
    "Result",
    "Row",
    "Scale",
    "Silence",
    "Stimulate",
    "Study",
    "Together",
    "Trial",
    "combined",
    "each",
    "experiment",
    "perturbed",
    "protocol",
    "silenced",
    "study",
    "sweep",
    "under",
]
