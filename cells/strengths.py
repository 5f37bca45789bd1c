"""How strongly the synapses of a network act, in numbers that can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from numpy.typing import NDArray

from ..compile import Plan, Synapses
from ..wiring import Circuit
from ..wiring.electrical import is_electrical

Floats = NDArray[np.float64]
FAINTEST = 1e-9
"""The weight that one of zero counts with as a length: JSON has no infinity."""


@dataclass(frozen=True)
class Strengths:
    """The strength of every synapse, with its sign, in the order of a plan.

    Attributes:
        plan: the synapses.
        recurrent: (E,) strengths of recurrent synapses.
        sensory: (S,) strengths of sensory synapses.
        time_constant: (N,) time constants of the neurons without any input; None if they have none.
        electrical: (L,) strengths of electrical synapses; None if they have none.
    """

    plan: Plan
    recurrent: Floats
    sensory: Floats
    time_constant: Floats | None = None
    electrical: Floats | None = None

    def polarity(self) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """+1 or -1 for recurrent and for sensory synapses; that of the circuit where the strength is zero."""
        return _signs(self.recurrent, self.plan.recurrent), _signs(self.sensory, self.plan.sensory)

    def to_circuit(self) -> Circuit:
        """The circuit with its strengths and signs, as `circuit_of` describes it."""
        plan, circuit = self.plan, self.plan.to_circuit()
        recurrent_polarity, sensory_polarity = self.polarity()
        for names, part, strength, polarity in (
            (plan.neurons, plan.recurrent, self.recurrent, recurrent_polarity),
            (plan.sensors, plan.sensory, self.sensory, sensory_polarity),
        ):
            weight = np.abs(strength.astype(np.float64))
            length = 1.0 / np.maximum(weight, FAINTEST)
            columns = (array.tolist() for array in (part.pre, part.post, polarity, weight, length))
            for i, j, sign, w, apart in zip(*columns, strict=True):
                circuit.add_edge(names[i], plan.neurons[j], polarity=sign, weight=w, length=apart)
        if self.electrical is not None:
            pairs = plan.electrical
            for i, j, weight in zip(pairs.pre, pairs.post, self.electrical.tolist(), strict=True):
                one, other = plan.neurons[i], plan.neurons[j]
                edge = (one, other) if circuit.has_edge(one, other) else (other, one)
                circuit.edges[edge]["weight" if is_electrical(circuit.edges[edge]) else "gap"] = weight
        if self.time_constant is not None:
            for name, value in zip(plan.neurons, self.time_constant.tolist(), strict=True):
                circuit.add_node(name, time_constant=value)
        return circuit


def circuit_in(model: nn.Module) -> Circuit:
    """The circuit of the one cell with a circuit in a module, with its strengths and signs.

    Raises:
        TypeError: there is none, or its synapses have no strength.
        ValueError: there are several; the message names them.
    """
    cells: dict[int, tuple[str, Any]] = {}
    for path, module in model.named_modules():
        inner = isinstance(module.get("cell"), nn.Module)  # a wrapper, or a network
        if hasattr(module, "strengths") and hasattr(module, "compiled") and not inner:
            cells[id(module)] = path, module
    name = type(model).__name__
    if not cells:
        raise TypeError(f"circuit_of({name}): it has no circuit; expected a network over one")
    if len(cells) > 1:
        paths = sorted(path.removesuffix(".cell") for path, _ in cells.values())
        raise ValueError(
            f"circuit_of({name}): it holds {len(cells)} networks with a circuit, at {', '.join(paths)}: give "
            "one of them"
        )
    found: Strengths = next(iter(cells.values()))[1].strengths()
    return found.to_circuit()


def _signs(strength: Floats, synapses: Synapses) -> NDArray[np.int8]:
    return np.where(strength == 0, synapses.polarity, np.sign(strength)).astype(np.int8)


def as_floats(array: mx.array) -> Floats:
    """A parameter of any type in NumPy, which has no bfloat16."""
    return np.array(array.astype(mx.float32)).astype(np.float64)
