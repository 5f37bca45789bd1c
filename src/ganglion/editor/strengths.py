"""The sign and strength of every synapse of a network, and turning a few signs without compiling anew."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from .numbers import four, rows

SIGNED = ("erev", "ff1_w", "ff2_w")
"""The parameters that bear the sign of a synapse, in the cells that have signs."""
SIDES = ("", "sensory_")


def strengths(network: Any) -> list[list[Any]]:
    """Each synapse as [pre, post, strength], with the sign that it has now; see `circuit_of`."""
    cell = _signed_cell(network)
    if cell is None:
        return []
    of_cell = cell.strengths()
    plan, found = of_cell.plan, []
    for values, synapses, names in (
        (of_cell.recurrent, plan.recurrent, plan.neurons),
        (of_cell.sensory, plan.sensory, plan.sensors),
    ):
        synapse_rows = zip(synapses.pre.tolist(), synapses.post.tolist(), values.tolist(), strict=True)
        found += [[names[i], plan.neurons[j], four(value)] for i, j, value in synapse_rows]
    return found


def time_constants(network: Any) -> list[float | None] | None:
    """c / g of each neuron of an LTC: its time constant while no synapse is open; None for other cells.

    It is in the unit of the data's time.
    """
    cell = _signed_cell(network)
    if cell is None or not hasattr(cell, "erev"):
        return None
    p = cell.effective()
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.array(p["cm"], np.float64) / np.array(p["gleak"], np.float64)
    return rows(own * (cell.time_scale or 1.0) * getattr(network, "time_unit", 1.0))


def polarities(network: Any, circuit: Any) -> list[NDArray[np.bool_]] | None:
    """For recurrent and sensory synapses, where the circuit has the other polarity than the network's plan.

    None if signs of this network cannot be turned one by one.
    """
    cell = _signed_cell(network)
    if (
        cell is None
        or cell is not network.cell
        or cell.polarity != "init"
        or getattr(cell, "ncps_compat", False)
        or cell.shared
    ):
        return None
    plan = cell.compiled.plan
    named = {str(name): name for name in circuit}
    found = []
    for synapses, names in ((plan.recurrent, plan.neurons), (plan.sensory, plan.sensors)):
        pairs = zip(synapses.pre.tolist(), synapses.post.tolist(), strict=True)
        edges = ((named[names[i]], named[plan.neurons[j]]) for i, j in pairs)
        now = np.array([circuit.edges[edge]["polarity"] for edge in edges], np.int8)
        found.append(now != synapses.polarity)
    return found


def turn(network: Any, where: list[NDArray[np.bool_]]) -> None:
    """Give the synapses where it is true the other sign."""
    cell = network.cell
    for side, turned in zip(SIDES, where, strict=True):
        for key in _present(cell, side):
            cell[key] = mx.where(mx.array(turned), -cell[key], cell[key])
    mx.eval(network.parameters())


def _present(held: Any, side: str) -> list[str]:
    return [f"{side}{name}" for name in SIGNED if f"{side}{name}" in held]


def _signed_cell(network: Any) -> Any:
    """The cell with signs that a network runs, also behind a memory; None if there is none."""
    cell = getattr(network, "cell", None)
    cell = getattr(cell, "cell", cell)
    return cell if hasattr(cell, "effective") else None
