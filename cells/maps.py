"""Linear maps of [inputs, states] over the synapses of a circuit, for cells with one or several of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import mlx.core as mx

from ..compile import CompiledCircuit, Plan
from .parameters import Parameter, constant, glorot, signed_glorot
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


def map_parameters(name: str, *, signed: bool, part: str = "circuit") -> dict[str, Parameter]:
    """``<name>_w`` (E,) on recurrent, ``sensory_<name>_w`` (S,) on sensory synapses, ``<name>_b`` (N,).

    Args:
        name: what the map is called.
        signed: whether its weights have the signs of their synapses.
        part: the plan of the cell that has its synapses.
    """
    start, sign = (signed_glorot, "synapse") if signed else (glorot, "free")
    return {
        f"{name}_w": Parameter("recurrent", start, sign, strength=signed, part=part),
        f"sensory_{name}_w": Parameter("sensory", start, sign, strength=signed, part=part),
        f"{name}_b": Parameter("neuron", constant(0.0)),
    }


def circuit_map(compiled: CompiledCircuit, name: str, p: Mapping[str, mx.array]) -> CircuitMap:
    """The map of a name, from effective parameters over a compiled circuit."""
    return CircuitMap(
        compiled,
        compiled.recurrent.weights(p[f"{name}_w"]),
        compiled.sensory.weights(p[f"sensory_{name}_w"]),
        p[f"{name}_b"],
    )


def map_strengths(plan: Plan, name: str, p: Mapping[str, mx.array]) -> Strengths:
    """The weights of a map, from effective parameters, as strengths of synapses."""
    return Strengths(plan, as_floats(p[f"{name}_w"]), as_floats(p[f"sensory_{name}_w"]))
