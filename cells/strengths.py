"""How strongly the synapses of a network act, in numbers that can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from numpy.typing import NDArray

from ..arguments import counted
from ..compile import Plan, Synapses
from ..wiring import Circuit
from ..wiring.electrical import is_electrical
from .spread import Spread

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
        deviation: the standard deviations of all of these over several networks; None for those of one.
    """

    plan: Plan
    recurrent: Floats
    sensory: Floats
    time_constant: Floats | None = None
    electrical: Floats | None = None
    deviation: Strengths | None = None

    def __repr__(self) -> str:
        return f"Strengths({self.plan!r})"

    @classmethod
    def over(cls, several: Sequence[Strengths]) -> Strengths:
        """Their means over several networks of one plan, with their deviations."""
        means: dict[str, Any] = {}
        deviations: dict[str, Any] = {}
        for name in ("recurrent", "sensory", "time_constant", "electrical"):
            values = [getattr(each, name) for each in several]
            if values[0] is not None:
                spread = Spread.of(np.stack(values))
                means[name], deviations[name] = spread.mean, spread.deviation
        plan = several[0].plan
        return cls(plan, **means, deviation=cls(plan, **deviations))

    def polarity(self) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """+1 or -1 for recurrent and for sensory synapses; that of the circuit where the strength is zero."""
        return _signs(self.recurrent, self.plan.recurrent), _signs(self.sensory, self.plan.sensory)

    def to_circuit(self) -> Circuit:
        """The circuit with its strengths and signs, as `circuit_of` describes it."""
        circuit = self.plan.to_circuit()
        recurrent_polarity, sensory_polarity = self.polarity()
        for side, polarity in (("recurrent", recurrent_polarity), ("sensory", sensory_polarity)):
            weight = np.abs(getattr(self, side).astype(np.float64))
            length = 1.0 / np.maximum(weight, FAINTEST)
            columns = (array.tolist() for array in (polarity, weight, length))
            for (pre, post), sign, w, apart in zip(self._ends(side), *columns, strict=True):
                circuit.add_edge(pre, post, polarity=sign, weight=w, length=apart)
        self._put(circuit, "", electrical_alone=True)
        if self.deviation is not None:
            self.deviation._put(circuit, "_sd")
        return circuit

    def _put(self, circuit: Circuit, suffix: str, electrical_alone: bool = False) -> None:
        """Put numbers of neurons and electrical synapses on a circuit, and those of others, by such names."""
        for side in () if electrical_alone else ("recurrent", "sensory"):
            for ends, value in zip(self._ends(side), getattr(self, side).tolist(), strict=True):
                circuit.edges[ends][f"weight{suffix}"] = value
        if self.electrical is not None:
            for (one, other), value in zip(self._ends("electrical"), self.electrical.tolist(), strict=True):
                edge = (one, other) if circuit.has_edge(one, other) else (other, one)
                name = "weight" if is_electrical(circuit.edges[edge]) else "gap"
                circuit.edges[edge][f"{name}{suffix}"] = value
        if self.time_constant is not None:
            for name, value in zip(self.plan.neurons, self.time_constant.tolist(), strict=True):
                circuit.nodes[name][f"time_constant{suffix}"] = value

    def _ends(self, side: str) -> Iterator[tuple[str, str]]:
        """The names of both ends of the synapses of a side."""
        synapses: Synapses = getattr(self.plan, side)
        pre = self.plan.sensors if side == "sensory" else self.plan.neurons
        for i, j in zip(synapses.pre.tolist(), synapses.post.tolist(), strict=True):
            yield pre[i], self.plan.neurons[j]


def circuit_in(model: nn.Module) -> Circuit:
    """The circuit of the one cell with a circuit in a module, with its strengths and signs.

    Raises:
        TypeError: there is none, or its synapses have no strength.
        ValueError: there are several; the message names them.
    """
    return strengths_in(model).to_circuit()


def strengths_in(model: nn.Module) -> Strengths:
    """The strengths of the one cell with a circuit in a module; of an ensemble, those over its members."""
    if hasattr(model, "strengths_over_members"):
        over: Strengths = model.strengths_over_members()
        return over
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
            f"circuit_of({name}): it holds {counted(len(cells), 'network')} with a circuit, at "
            f"{', '.join(paths)}: give "
            "one of them"
        )
    found: Strengths = next(iter(cells.values()))[1].strengths()
    return found


def _signs(strength: Floats, synapses: Synapses) -> NDArray[np.int8]:
    return np.where(strength == 0, synapses.polarity, np.sign(strength)).astype(np.int8)


def as_floats(array: mx.array) -> Floats:
    """A parameter of any type in NumPy, which has no bfloat16."""
    return np.array(array.astype(mx.float32)).astype(np.float64)
