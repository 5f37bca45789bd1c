"""How strongly the synapses of a network act, in numbers that can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..compile import Plan, Synapses

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Strengths:
    """The strength of every synapse, with its sign, in the order of a plan.

    Attributes:
        plan: the synapses.
        recurrent: (E,) strengths of recurrent synapses.
        sensory: (S,) strengths of sensory synapses.
        time_constant: (N,) time constants of the neurons without any input; None if they have none.
    """

    plan: Plan
    recurrent: Floats
    sensory: Floats
    time_constant: Floats | None = None

    def polarity(self) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """+1 or -1 for recurrent and for sensory synapses; that of the circuit where the strength is zero."""
        return _signs(self.recurrent, self.plan.recurrent), _signs(self.sensory, self.plan.sensory)


def _signs(strength: Floats, synapses: Synapses) -> NDArray[np.int8]:
    return np.where(strength == 0, synapses.polarity, np.sign(strength)).astype(np.int8)


def as_floats(array: mx.array) -> Floats:
    """A parameter of any type in NumPy, which has no bfloat16."""
    return np.array(array.astype(mx.float32)).astype(np.float64)
