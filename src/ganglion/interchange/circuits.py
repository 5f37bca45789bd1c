"""The circuit of a plan, and of a network: with what training made of its synapses."""

from __future__ import annotations

import mlx.nn as nn

from ..cells import NCPLayer
from ..cells.strengths import circuit_in
from ..compile import Source, make_plan
from ..wiring import Circuit


def circuit_of(source: Source | nn.Module) -> Circuit:
    """The circuit of a plan; or of a network, with its trained strengths and signs.

    On the synapses of a network's circuit are `weight`, at least 0, `polarity`, the sign that the synapse has
    now, and `length`, 1 / weight, for the shortest paths of networkx. The weight is w / gleak in an LTC, so
    that it does not depend on the unit of a neuron's conductances, which no output tells; neurons have their
    `time_constant`, cm / gleak, and electrical synapses gap over the geometric mean of both leaks. Cells from
    equations have the product of their strengths, over a positive quantity of the neuron in the same free
    unit, if there is one; in a CfC it is the weight of ff1 and ff2 together where the gate is half open. In a
    ``CfC(circuit, ncps_compat=True)`` the synapses are those that ncps uses.

    On the circuit of an ensemble are the means over its members, with the standard deviations as `weight_sd`
    and `time_constant_sd`; that of a weight is of it with its sign.

    A weight is no ``w``: with ``start="weight"`` another LTC begins its ``w`` in that proportion, whatever
    its leaks are. `gl.transfer` hands a network on as it is.

    Args:
        source: a plan, compiled circuit or circuit, whose plan is that of the result; or a network or cell
            over one circuit, also inside `Scaled`, whose columns then name the sensors, a stack or your own
            module.

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
    return source.to_circuit() if isinstance(source, NCPLayer) else circuit_in(source)
