"""What trained numbers mean: which of them data tell, how sure they are, and what else fits as well."""

from .posterior import Posterior, laplace
from .simulator import Simulator, SimulatorPrior, simulator
from .spectrum import Combination, Identifiability, identifiability

__all__ = [
    "Combination",
    "Identifiability",
    "Posterior",
    "Simulator",
    "SimulatorPrior",
    "identifiability",
    "laplace",
    "simulator",
]
