"""The wired CfC of ncps 1.0.1, expressed as plans, for checkpoints that were trained there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...compile import Plan, Synapses
from ...compile.synapses import Index


@dataclass(frozen=True)
class CompatPlans:
    """The synapses that ncps 1.0.1's `WiredCfCCell` really uses, in the circuit's own order of neurons.

    There, a layer reads the layer before it through the wiring's mask and itself through a full matrix,
    and the time gates ignore the mask: so the gates' synapses are a superset of the signal's.

    Attributes:
        signal: the plan of the ff maps.
        signs: +1 or -1 for each of its recurrent synapses that has the sign of the circuit, 0 for those that
            only ncps has.
        gates: the plan of the time gates.
        layers: the neuron ranges of the layers, first to last.
    """

    signal: Plan
    signs: NDArray[np.int8]
    gates: Plan
    layers: list[tuple[int, int]]


def compat_plans(plan: Plan) -> CompatPlans:
    """The signal and gate plans of ncps 1.0.1's wired CfC over a circuit.

    With command neurons the layers are inter, command and motor (an NCP); without, all neurons are one layer.
    """
    n = plan.n_neurons
    if plan.counts[1]:
        roles = [plan.role_slice(role) for role in ("inter", "command", "motor")]
        layers = [(role.start, role.stop) for role in roles]
    else:
        layers = [(0, n)]
    layer_of = np.empty(n, np.int32)
    for k, (start, stop) in enumerate(layers):
        layer_of[start:stop] = k

    # ncps reads only the adjacency from one layer to the next, and from the inputs to the first layer.
    r, s = plan.recurrent, plan.sensory
    forward = layer_of[r.post] == layer_of[r.pre] + 1
    first = layer_of[s.post] == 0
    sensory = Synapses(s.pre[first], s.post[first], s.polarity[first], s.n_pre, n)

    signal_edges = [(r.pre[forward], r.post[forward], r.polarity[forward])]
    gate_edges = []
    for k, (start, stop) in enumerate(layers):
        own = np.arange(start, stop, dtype=np.int32)
        signal_edges.append(_all_pairs(own, own))
        gate_edges.append(_all_pairs(own, own))
        if k:
            gate_edges.append(_all_pairs(np.arange(*layers[k - 1], dtype=np.int32), own))
    full = _all_pairs(np.arange(plan.n_inputs, dtype=np.int32), np.arange(*layers[0], dtype=np.int32))

    def with_synapses(recurrent: Synapses, sensory: Synapses) -> Plan:
        return Plan(plan.neurons, plan.sensors, plan.counts, recurrent, sensory)

    signal = _joined(signal_edges, n)
    return CompatPlans(
        signal=with_synapses(signal, sensory),
        signs=np.where(layer_of[signal.pre] == layer_of[signal.post], 0, signal.polarity).astype(np.int8),
        gates=with_synapses(_joined(gate_edges, n), Synapses.sorted(*full, plan.n_inputs, n)),
        layers=layers,
    )


def lift_index(part: Synapses, whole: Synapses) -> Index:
    """For each synapse of `whole`, its place in `part`, or ``len(part)`` if `part` lacks it."""
    place = part.find(whole.pre, whole.post)
    return np.where(place < 0, len(part), place).astype(np.int32)


Edges = tuple[Index, Index, NDArray[np.int8]]


def _all_pairs(pre: Index, post: Index) -> Edges:
    return np.tile(pre, len(post)), np.repeat(post, len(pre)), np.ones(len(pre) * len(post), np.int8)


def _joined(edges: list[Edges], n: int) -> Synapses:
    pre, post, polarity = (np.concatenate(column) for column in zip(*edges, strict=True))
    return Synapses.sorted(pre, post, polarity, n, n)
