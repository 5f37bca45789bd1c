"""Operations the cells are made of: `ganglion.ops`, see there. Each part says itself what is public."""

from . import array_ops, math_ops, nn_ops, random_ops, state_ops
from .array_ops import *
from .math_ops import *
from .nn_ops import *
from .nn_ops import Activation
from .random_ops import Draws
from .state_ops import *
from .state_ops import State

__all__ = [
    "Activation",
    "Draws",
    "State",
    "array_ops",
    "math_ops",
    "nn_ops",
    "random_ops",
    "state_ops",
    *array_ops.__all__,
    *math_ops.__all__,
    *nn_ops.__all__,
    *state_ops.__all__,
]
