"""Operations the cells are made of: what MLX lacks, and what fixes a convention of ours.

Whatever MLX has is used from MLX. Sums over synapses and masked products are operations of a layout, see
`ganglion.compile`; here is the rest: activations and affine maps (`nn_ops`), the synaptic sigmoid, solver
steps and positive parameters (`math_ops`), initial values (`random_ops`), sequences of unequal length
(`array_ops`) and what is done to states (`state_ops`).
"""

from .array_ops import held_index, length_mask, reverse_index, take_steps
from .math_ops import ode_step, softplus_inverse, synaptic_sigmoid
from .nn_ops import ACTIVATIONS, Activation, activate, activation_of, affine, lecun_tanh
from .random_ops import Draws, glorot_limits
from .state_ops import State, blend, detach, reset, rows, zeros

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Draws",
    "State",
    "activate",
    "activation_of",
    "affine",
    "blend",
    "detach",
    "glorot_limits",
    "held_index",
    "lecun_tanh",
    "length_mask",
    "ode_step",
    "reset",
    "reverse_index",
    "rows",
    "softplus_inverse",
    "synaptic_sigmoid",
    "take_steps",
    "zeros",
]
