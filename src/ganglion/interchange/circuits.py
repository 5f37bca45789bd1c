"""The circuit of a plan, and of a network: with what training made of its synapses."""

from __future__ import annotations

import mlx.nn as nn
import numpy as np

from ..cells import CellWrapper, NCPRNNCell
from ..cells.strengths import Strengths
from ..compile import Source, make_plan
from ..wiring import Circuit

FAINTEST = 1e-9
"""The weight that one of zero counts with as a length: JSON has no infinity."""


def circuit_of(source: Source | nn.Module) -> Circuit:
    """The circuit of a plan; or of a network, with its trained strengths and signs.

    On the synapses of a network's circuit are `weight`, at least 0, `polarity`, the sign that the synapse has
    now, and `length`, 1 / weight, for the shortest paths of networkx. The weight is w / gleak in an LTC, so
    that it does not depend on the unit of a neuron's conductances, and neurons have their `time_constant`,
    cm / gleak; in a CfC it is the weight of ff1 and ff2 together where the gate is half open. In a
    ``CfC(circuit, ncps_compat=True)`` the synapses are those that ncps uses.

    Args:
        source: a plan, compiled circuit or circuit, whose plan is that of the result; or a network or cell
            over one circuit, also inside `Scaled`, a stack or your own module.

    Raises:
        TypeError: a network without a circuit, or over a cell whose synapses have no strength.
        ValueError: several networks with a circuit; the message names them.

    Example:
        >>> circuit = gl.circuit_of(rnn)
        >>> nx.shortest_path(circuit, "sensory_0", "motor_0", weight="length")
        >>> gl.viz.plot_circuit(circuit, width_by="weight")
    """
    if not isinstance(source, nn.Module):
        return make_plan(source).to_circuit()
    found = _only_cell(source).strengths()
    circuit = found.plan.to_circuit()
    _put_strengths(circuit, found)
    return circuit


def _only_cell(model: nn.Module) -> NCPRNNCell:
    """The one cell with a circuit in a module, which may be inside other cells."""
    cells: dict[int, tuple[str, NCPRNNCell]] = {}
    for path, module in model.named_modules():
        inner = isinstance(module, NCPRNNCell) and not isinstance(module, CellWrapper)
        if inner and hasattr(module, "compiled"):
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
    return next(iter(cells.values()))[1]


def _put_strengths(circuit: Circuit, found: Strengths) -> None:
    plan = found.plan
    recurrent_polarity, sensory_polarity = found.polarity()
    for names, part, strength, polarity in (
        (plan.neurons, plan.recurrent, found.recurrent, recurrent_polarity),
        (plan.sensors, plan.sensory, found.sensory, sensory_polarity),
    ):
        weight = np.abs(strength.astype(np.float64))
        length = 1.0 / np.maximum(weight, FAINTEST)
        columns = (array.tolist() for array in (part.pre, part.post, polarity, weight, length))
        for i, j, sign, w, apart in zip(*columns, strict=True):
            circuit.add_edge(names[i], plan.neurons[j], polarity=sign, weight=w, length=apart)
    if found.time_constant is not None:
        for name, value in zip(plan.neurons, found.time_constant.tolist(), strict=True):
            circuit.add_node(name, time_constant=value)
