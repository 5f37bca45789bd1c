"""What an edit demands of a circuit before it changes anything; a demand not met is a `CircuitError`."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import networkx as nx

from ..arguments import counted, require_synapses
from ..errors import CircuitError
from .attributes import require_sound
from .electrical import is_electrical, unjoinable, unknown_kind
from .roles import label, require_name, require_polarity, synapse_label, text_of
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


def require_turnable(circuit: nx.DiGraph[Any], pre: Any, post: Any) -> int:
    """The polarity of a synapse that exists, and has one that can be turned."""
    require_synapse(circuit, pre, post)
    data = circuit.edges[pre, post]
    if is_electrical(data):
        raise CircuitError(f"{synapse_label(pre, post)} is electrical, without a sign that could be turned")
    return require_polarity(data.get("polarity"), pre, post)


def require_receiver(circuit: nx.DiGraph[Any], pre: Any, post: Any) -> None:
    """`post` may receive a synapse from `pre`: it is not sensory."""
    if circuit.nodes[post].get("role") == "sensory":
        raise CircuitError(f"{synapse_label(pre, post)} ends on a sensory neuron; sensory neurons are inputs")


def require_addable(circuit: nx.DiGraph[Any], pre: Any, post: Any, data: Any = None) -> None:
    """The synapse can be added, with attributes of its own."""
    for name in (pre, post):
        if name not in circuit:
            raise CircuitError(
                f"{synapse_label(pre, post)}: there is no neuron {label(name)}{suggestion(name, circuit)}"
            )
    require_receiver(circuit, pre, post)
    if circuit.has_edge(pre, post):
        told = beside(circuit, pre, post, data or {})
        raise CircuitError(f"{synapse_label(pre, post)} exists already{told}")


def beside(circuit: nx.DiGraph[Any], pre: Any, post: Any, data: Any) -> str:
    """How two neurons have a chemical and an electrical synapse, for who would add one beside the other."""
    there, new = is_electrical(circuit.edges[pre, post]), is_electrical(data)
    if there == new:
        return ""
    if there:
        return " and is electrical; remove it and give its strength to the chemical one as gap="
    edge = f"circuit.edges[{label(pre)}, {label(post)}]"
    return f" and is chemical; an electrical one beside it is its attribute gap, as in {edge}['gap'] = 1.0"


def require_role_change(circuit: nx.DiGraph[Any], name: Any, role: Any) -> None:
    """A neuron that receives synapses, or has electrical ones, cannot become an input."""
    incoming = list(circuit.predecessors(name))
    if role == "sensory" and incoming:
        raise CircuitError(
            f"neuron {label(name)} receives {counted(len(incoming), 'synapse')}, the first from "
            f"{label(incoming[0])}, so it cannot become sensory; sensory neurons are inputs"
        )
    joined = [
        post for _, post, data in circuit.out_edges(name, data=True) if is_electrical(data) or "gap" in data
    ]
    if role == "sensory" and joined:
        raise CircuitError(
            f"neuron {label(name)} has an electrical synapse with {label(joined[0])}, so it cannot become "
            "sensory; sensory neurons are inputs, without a potential of their own"
        )


def require_renames(circuit: nx.DiGraph[Any], names: Mapping[Any, Hashable]) -> None:
    """Every neuron exists, and every new name is nobody else's; names may be exchanged."""
    for old in names:
        require_neuron(circuit, old)
    texts = Counter(text_of(names.get(name, name)) for name in circuit)
    for old, new in names.items():
        if texts[require_name(new)] > 1:
            what = f"{label(old)} to {label(new)}"
            raise CircuitError(f"cannot rename {what}: the name is taken or given twice")


def require_new(circuit: nx.DiGraph[Any], names: Iterable[Any]) -> None:
    """Names of neurons to be added are nobody's, and have a text."""
    taken = {text_of(name) for name in circuit if type(name) is not str}
    for name in names:
        text = require_name(name)
        if text in taken or text in circuit:
            raise CircuitError(f"the name {label(name)} is taken; every neuron needs its own")
        taken.add(text)


def require_attributes(circuit: nx.DiGraph[Any], pre: Any, post: Any, sign: int, data: Any) -> None:
    """The attributes of a synapse that is to be added are what they should be."""
    if (problem := unknown_kind(data, pre, post) or unjoinable(circuit, pre, post, sign, data)) is not None:
        raise CircuitError(problem)
    require_sound("synapse", synapse_label(pre, post), data)


def pair_of(synapse: Any) -> tuple[Hashable, Hashable]:
    """The pre and post of a synapse that is given as (pre, post) or (pre, post, polarity)."""
    if not isinstance(synapse, tuple | list) or len(synapse) not in (2, 3):
        raise TypeError(f"expected (pre, post) or (pre, post, polarity), got {label(synapse)}")
    return synapse[0], synapse[1]
