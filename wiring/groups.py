"""Groups of neurons: the words by which every method takes several at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Set
from typing import Any

import networkx as nx

from ..arguments import several
from ..errors import CircuitError
from .guards import require_neuron
from .roles import ROLES, is_role, label, with_role
from .words import listed, suggestion


def is_group(circuit: nx.DiGraph[Any], group: Any) -> bool:
    """Whether `group` is one in words of ours, of which networkx, taking it for names, finds nothing."""
    if isinstance(group, Mapping):  # networkx hands on mappings of neurons, such as distances
        return bool(group) and not any(name in circuit for name in group)
    if callable(group) and group not in circuit:
        return True
    return isinstance(group, str) and (is_role(group) or not any(name in circuit for name in (group, *group)))


def bunch_of(circuit: nx.DiGraph[Any], nodes: Any) -> set[Hashable]:
    """The neurons of a group, or of what networkx calls a bunch of nodes: one, or several that may exist."""
    try:
        return set(circuit.nbunch_iter(group_of(circuit, nodes) if is_group(circuit, nodes) else nodes))
    except CircuitError:
        raise
    except Exception:  # networkx has words about an argument called nbunch, and the argument whole
        raise nx.NetworkXError(f"nodes must be a role, a name or names, got {label(nodes)}") from None


def group_of(circuit: nx.DiGraph[Any], group: Any) -> list[Hashable]:
    """The neurons of a group, each of which exists, once.

    Args:
        circuit: the graph, of which the neurons and their attributes count.
        group: a role; a name; the name of a group, which is what its neurons have as attribute `group`; a
            list of names; attributes and their values, as in {"type": ["T4", "T5"]}; or a predicate of a name
            and its attributes, as in ``lambda name, data: data.get("side") == "left"``.

    Raises:
        CircuitError: a neuron that does not exist, or words of which there is no neuron.
    """
    if is_role(group):
        if group in circuit:
            raise CircuitError(
                f"{group!r} is a role and a neuron; write [{group!r}] for the neuron and "
                f"circuit.neurons({group!r}) for the role"
            )
        return with_role(circuit, group)
    if group in circuit:
        return [group]
    if isinstance(group, Mapping):
        return _with_attributes(circuit, group)
    if callable(group):
        return _that(circuit, group)
    if isinstance(group, str) or not isinstance(group, Iterable):
        known = [data["group"] for _, data in circuit.nodes(data=True) if isinstance(data.get("group"), str)]
        if isinstance(group, str) and group in known:
            return _with_attributes(circuit, {"group": group})
        expected = f"expected a role ({', '.join(ROLES)}), a name or a list of names"
        meant = suggestion(group, (*ROLES, *known, *circuit)) if isinstance(group, str) else ""
        raise CircuitError(f"there is no neuron {label(group)}; {expected}{meant}")
    names = several("a group", group, "names")
    for name in names:
        require_neuron(circuit, name)
    if isinstance(group, Set):  # a set has no order of its own, and the same seed must give the same circuit
        return [name for name in circuit if name in group]
    if len(set(names)) < len(names):
        raise CircuitError(f"neuron {label(Counter(names).most_common(1)[0][0])} is in the group twice")
    return names


def _with_attributes(circuit: nx.DiGraph[Any], wanted: Mapping[Any, Any]) -> list[Hashable]:
    """The neurons that have a value of each attribute: the one that is given, or one of several."""
    neurons = dict(circuit.nodes(data=True))
    for key, value in wanted.items():
        have = {name: data[key] for name, data in neurons.items() if key in data}
        if not have:
            known = {str(k) for data in neurons.values() for k in data}
            raise CircuitError(
                f"no neuron has an attribute {label(key)}; they have {listed(sorted(known), 12) or 'none'}"
                f"{suggestion(str(key), known)}"
            )
        several_of = isinstance(value, list | tuple | Set)
        neurons = {
            name: neurons[name]
            for name, its in have.items()
            if (its in value if several_of else bool(its == value))
        }
        if not neurons:
            values = {label(its, 40): its for its in have.values()}
            raise CircuitError(
                f"no neuron has {key} = {label(value)}; {'beside the others, ' if len(wanted) > 1 else ''}"
                f"there are {listed(values.values(), 12)}"
            )
    if not wanted:
        raise CircuitError("an empty mapping names no neurons: expected attributes and their values")
    return list(neurons)


def _that(circuit: nx.DiGraph[Any], predicate: Callable[..., Any]) -> list[Hashable]:
    """The neurons for which a predicate of name and attributes is true."""
    found = []
    for name, data in circuit.nodes(data=True):
        try:
            chosen = predicate(name, dict(data))
        except TypeError as error:
            raise TypeError(
                "a predicate of neurons takes a name and its attributes, as in lambda name, data: ...; "
                f"for {label(name)}: {error}"
            ) from error
        if chosen:
            found.append(name)
    if not found:
        raise CircuitError("the predicate is true for no neuron")
    return found
