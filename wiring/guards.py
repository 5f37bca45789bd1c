"""What an edit demands of a circuit before it changes anything; a demand not met is a `CircuitError`."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Set
from contextlib import contextmanager
from typing import Any

import networkx as nx

from ..arguments import several
from ..errors import CircuitError
from .roles import ROLES, is_role, label, synapse_label, with_role
from .words import suggestion

LARGE = 1_000_000
"""From so many synapses on, a graph of Python objects takes half a gigabyte and more."""


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


def is_group(circuit: nx.DiGraph[Any], group: Any) -> bool:
    """Whether `group` is a role, or a text of which networkx, taking it letter by letter, finds nothing."""
    return isinstance(group, str) and (is_role(group) or not any(name in circuit for name in (group, *group)))


def bunch_of(circuit: nx.DiGraph[Any], nodes: Any) -> set[Hashable]:
    """The neurons of a role, or of what networkx calls a bunch of nodes: one, or several that may exist."""
    try:
        return set(circuit.nbunch_iter(group_of(circuit, nodes) if is_group(circuit, nodes) else nodes))
    except CircuitError:
        raise
    except Exception:  # networkx has words about an argument called nbunch, and the argument whole
        raise nx.NetworkXError(f"nodes must be a role, a name or names, got {label(nodes)}") from None


def group_of(circuit: nx.DiGraph[Any], group: Any) -> list[Hashable]:
    """The neurons of a role, of one name, or of a collection of names, each of which exists, once."""
    if is_role(group):
        if group in circuit:
            raise CircuitError(
                f"{group!r} is a role and a neuron; write [{group!r}] for the neuron and "
                f"circuit.neurons({group!r}) for the role"
            )
        return with_role(circuit, group)
    if group in circuit:
        return [group]
    if isinstance(group, str) or not isinstance(group, Iterable):
        expected = f"expected a role ({', '.join(ROLES)}), a name or a list of names"
        meant = suggestion(group, (*ROLES, *circuit)) if isinstance(group, str) else ""
        raise CircuitError(f"there is no neuron {label(group)}; {expected}{meant}")
    names = several("a group", group, "names")
    for name in names:
        require_neuron(circuit, name)
    if isinstance(group, Set):  # a set has no order of its own, and the same seed must give the same circuit
        return [name for name in circuit if name in group]
    if len(set(names)) < len(names):
        raise CircuitError(f"neuron {label(Counter(names).most_common(1)[0][0])} is in the group twice")
    return names
