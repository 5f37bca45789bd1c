"""What an edit demands of a circuit before it changes anything; a demand not met is a `CircuitError`."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import networkx as nx

from ..arguments import require_synapses
from ..errors import CircuitError
from .roles import label, synapse_label
from .words import suggestion

LARGE = 1_000_000
"""From so many synapses on, a graph of Python objects takes half a gigabyte and more."""


def announce(synapses: float) -> None:
    """Refuse a circuit that would fill the memory, and say how much a large one takes, before it is drawn."""
    require_synapses(synapses)
    warn_of_size(round(synapses))


def warn_of_size(synapses: int) -> None:
    """Name the door for large circuits to who is about to make a large graph."""
    if synapses >= LARGE:
        warnings.warn(
            f"a graph of {synapses} synapses takes some {synapses / 2e6:.1f} GB: gl.Plan.read(...) and "
            "gl.Plan.from_arrays(...) take arrays instead, and plan.to_circuit(neurons) is a graph of a part",
            stacklevel=4,
        )


def warn_of_merged(graph: nx.MultiGraph[Any]) -> None:
    """Say that networkx keeps the attributes of the last of several parallel edges, if there are any."""
    pairs = Counter((pre, post) for pre, post in graph.edges())
    merged = {pair: times for pair, times in pairs.items() if times > 1}
    if merged:
        (pre, post), times = next(iter(merged.items()))
        warnings.warn(
            f"a circuit has one synapse from a neuron to another: of {sum(merged.values())} parallel edges, "
            f"such as the {times} of {synapse_label(pre, post)}, networkx keeps the last of each pair; "
            "gl.circuit_from(graph, parallel=...) sums or chooses",
            stacklevel=4,
        )


@contextmanager
def understood(data: Any) -> Iterator[None]:
    """Say in networkx's place what it could not make a graph of."""
    try:
        yield
    except (nx.NetworkXError, TypeError) as error:
        raise nx.NetworkXError(f"no circuit can be made of {label(data)}: {str(error)[:200]}") from None


def require_neuron(circuit: nx.DiGraph[Any], name: Any) -> None:
    """The neuron exists."""
    if name not in circuit:
        raise CircuitError(f"there is no neuron {label(name)}{suggestion(name, circuit)}")


def has_synapse(circuit: nx.DiGraph[Any], pre: Any, post: Any) -> bool:
    """Whether there is this synapse; there is none between what cannot be names."""
    return pre in circuit and post in circuit and circuit.has_edge(pre, post)


def require_synapse(circuit: nx.DiGraph[Any], pre: Any, post: Any) -> None:
    """The synapse exists."""
    if not has_synapse(circuit, pre, post):
        raise CircuitError(f"there is no {synapse_label(pre, post)}")


def require_receiver(circuit: nx.DiGraph[Any], pre: Any, post: Any) -> None:
    """`post` may receive a synapse from `pre`: it is not sensory."""
    if circuit.nodes[post].get("role") == "sensory":
        raise CircuitError(f"{synapse_label(pre, post)} ends on a sensory neuron; sensory neurons are inputs")


def require_addable(circuit: nx.DiGraph[Any], pre: Any, post: Any) -> None:
    """The synapse can be added."""
    for name in (pre, post):
        if name not in circuit:
            raise CircuitError(
                f"{synapse_label(pre, post)}: there is no neuron {label(name)}{suggestion(name, circuit)}"
            )
    require_receiver(circuit, pre, post)
    if circuit.has_edge(pre, post):
        raise CircuitError(f"{synapse_label(pre, post)} exists already")


def pair_of(synapse: Any) -> tuple[Hashable, Hashable]:
    """The pre and post of a synapse that is given as (pre, post) or (pre, post, polarity)."""
    if not isinstance(synapse, tuple | list) or len(synapse) not in (2, 3):
        raise TypeError(f"expected (pre, post) or (pre, post, polarity), got {label(synapse)}")
    return synapse[0], synapse[1]
