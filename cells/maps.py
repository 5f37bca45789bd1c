"""Linear maps of [inputs, states] over the synapses of a circuit, for cells with one or several of them."""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx
import numpy as np

from ..compile import CompiledCircuit, Plan
from .cell import NCPRNNCell, Polarity
from .ops import Draws, glorot_limits

POLARITY = ("init", "fixed")


@dataclass(frozen=True)
class CircuitMap:
    """f_j = b_j + sum_i w_ij [x, h]_i over the synapses i -> j, with weights laid out for execution."""

    compiled: CompiledCircuit
    weights: mx.array
    sensory_weights: mx.array
    bias: mx.array

    def drive(self, x: mx.array) -> mx.array:
        """(B, N) the inputs' part, which does not change within a time step."""
        return self.compiled.sensory.matmul(x, self.sensory_weights) + self.bias

    def __call__(self, drive: mx.array, state: mx.array) -> mx.array:
        """(B, N) the map, from `drive` and states (B, N)."""
        return drive + self.compiled.recurrent.matmul(state, self.weights)


def make_map(cell: NCPRNNCell, name: str, plan: Plan, draws: Draws, *, signed: bool) -> None:
    """Give a cell the parameters ``<name>_w`` (E,), ``sensory_<name>_w`` (S,) and ``<name>_b`` (N,).

    Args:
        cell: a cell over a circuit.
        name: what the map is called.
        plan: the synapses.
        draws: where initial values come from.
        signed: whether weights start with the signs of their synapses.
    """
    limits = glorot_limits(plan.recurrent, plan.sensory)
    for prefix, synapses, limit in zip(("", "sensory_"), (plan.recurrent, plan.sensory), limits, strict=True):
        w = draws.uniform(-limit, limit, len(synapses))
        cell[f"{prefix}{name}_w"] = mx.abs(w) * signs(synapses.polarity) if signed else w
    cell[f"{name}_b"] = mx.zeros((cell.n_neurons,))


def read_map(cell: NCPRNNCell, name: str, *, fixed: bool = False) -> CircuitMap:
    """The map that `make_map` made; `fixed` holds the weights to the signs of their synapses."""
    compiled, plan = cell.compiled, cell.compiled.plan
    weights, sensory_weights = cell[f"{name}_w"], cell[f"sensory_{name}_w"]
    if fixed:
        weights = signs(plan.recurrent.polarity) * mx.abs(weights)
        sensory_weights = signs(plan.sensory.polarity) * mx.abs(sensory_weights)
    return CircuitMap(
        compiled,
        compiled.recurrent.weights(weights),
        compiled.sensory.weights(sensory_weights),
        cell[f"{name}_b"],
    )


def signed_map(cell: NCPRNNCell, name: str) -> list[tuple[mx.array, Polarity]]:
    """The weights of a map and the signs of their synapses, see `NCPRNNCell.signed_weights`."""
    plan = cell.compiled.plan
    return [
        (cell[f"{name}_w"], plan.recurrent.polarity),
        (cell[f"sensory_{name}_w"], plan.sensory.polarity),
    ]


def signs(polarity: np.ndarray[tuple[int], np.dtype[np.int8]]) -> mx.array:
    """+1 or -1 per synapse, as numbers."""
    return mx.array(polarity.astype(np.float32))
