"""What turns one circuit into another, as an edit: changes made without edits are found and told by it."""

from __future__ import annotations

from typing import Any

import networkx as nx

from ..files.plain import plain
from ..order import places_of, ranks_of, tables, twin
from .composed import Batch
from .edit import Edit, fresh
from .primitives import Add, Remove, Set


def same(old: nx.DiGraph[Any], new: nx.DiGraph[Any]) -> bool:
    """Whether two circuits are identical, the order of neurons and synapses included."""
    try:
        return _same(old, new)
    except ValueError:  # attributes that are arrays, which have no single truth
        return _same(_plain(old), _plain(new))


def _same(old: nx.DiGraph[Any], new: nx.DiGraph[Any]) -> bool:
    # The tables themselves: networkx's views of them take ten times as long, and this runs before every edit.
    (nodes, succ, pred), (others, after, before) = tables(old), tables(new)
    return (
        old.graph == new.graph
        and list(nodes.items()) == list(others.items())
        and all(list(succ[name].items()) == list(after[name].items()) for name in nodes)
        and all(list(pred[name]) == list(before[name]) for name in nodes)
    )


def _plain(graph: nx.DiGraph[Any]) -> nx.DiGraph[Any]:
    other = twin(graph)
    for data in (other.graph, *(d for _, d in other.nodes.data()), *(d for *_, d in other.edges.data())):
        data.update(fresh(data))
    return other


def difference(old: nx.DiGraph[Any], new: nx.DiGraph[Any]) -> Batch | None:
    """The edit that makes `new` of `old`, order included; None if they are the same.

    Raises:
        CircuitError: `new` has a neuron without a role, a synapse without a polarity, or an attribute that
            JSON does not hold.
    """
    if same(old, new):
        return None
    gone = [pair for pair in old.edges if not new.has_edge(*pair) and pair[0] in new and pair[1] in new]
    kept = [pair for pair in old.edges if new.has_edge(*pair)]
    added = [name for name in new if name not in old]
    drawn = [pair for pair in new.edges if not old.has_edge(*pair)]
    edits: list[Edit] = [
        Remove([name for name in old if name not in new], gone),
        Set(
            [(n, *e) for n in old if n in new for e in _settings(old.nodes[n], new.nodes[n])],
            [(*pair, *e) for pair in kept for e in _settings(old.edges[pair], new.edges[pair])],
            _settings(old.graph, new.graph),
        ),
        Add(
            [(name, new.nodes[name]) for name in added],
            [(*pair, new.edges[pair]) for pair in drawn],
            places_of(new, added),
            ranks_of(new, drawn),
        ),
    ]
    edits = [edit for edit in edits if edit != type(edit)()]
    trial = twin(old)
    for edit in edits:
        edit.apply(trial)
    if same(trial, new):
        return Batch(edits)
    return replacement(old, new)  # what both have stands in another order


def replacement(old: nx.DiGraph[Any], new: nx.DiGraph[Any]) -> Batch:
    """The edit that removes all of `old` and adds all of `new`."""
    pairs = list(new.edges)
    neurons, synapses = list(new.nodes.data()), [(*pair, new.edges[pair]) for pair in pairs]
    trial: nx.DiGraph[Any] = nx.DiGraph()
    add = Add(neurons, synapses)
    add.apply(trial)
    trial.graph.update(new.graph)
    if not same(trial, new):
        add = Add(neurons, synapses, places_of(new, new), ranks_of(new, pairs))
    return Batch([Remove(list(old)), Set(circuit=_settings(old.graph, new.graph)), add])


def _settings(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[Any, ...]]:
    changed = [(key, value) for key, value in new.items() if key not in old or not _equal(old[key], value)]
    return [*changed, *((key,) for key in old if key not in new)]


def _equal(old: Any, new: Any) -> bool:
    try:
        return bool(old == new)
    except ValueError:
        return bool(plain(old) == plain(new))
