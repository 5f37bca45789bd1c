"""Linear maps of [inputs, states] over the synapses of a circuit, for cells with one or several of them."""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx

from ..compile import CompiledCircuit, Plan
from .cell import NCPRNNCell
from .ops import Draws, glorot_limits
from .signs import Rules, hold, signs
from .strengths import Strengths, as_floats


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


def read_map(cell: NCPRNNCell, name: str) -> CircuitMap:
    """The map that `make_map` made, with signs that are held if the cell holds them."""
    recurrent, sensory = cell.compiled.recurrent, cell.compiled.sensory
    w, sensory_w = _weights(cell, name)
    return CircuitMap(cell.compiled, recurrent.weights(w), sensory.weights(sensory_w), cell[f"{name}_b"])


def map_strengths(cell: NCPRNNCell, name: str) -> Strengths:
    """The weights of a map as strengths of synapses."""
    w, sensory_w = _weights(cell, name)
    return Strengths(cell.compiled.plan, as_floats(w), as_floats(sensory_w))


def _weights(cell: NCPRNNCell, name: str) -> tuple[mx.array, mx.array]:
    p = {part: cell[part] for part in (f"{name}_w", f"sensory_{name}_w")}
    hold(cell, p)
    return p[f"{name}_w"], p[f"sensory_{name}_w"]


def signed_map(cell: NCPRNNCell, name: str) -> Rules:
    """The signs that the weights of a map have, as `NCPRNNCell.signed` gives them."""
    plan = cell.compiled.plan
    return {f"{name}_w": signs(plan.recurrent.polarity)}, {f"sensory_{name}_w": signs(plan.sensory.polarity)}
