"""The order of neurons and synapses: where they stand in a graph's tables, and how they are put back.

networkx keeps three tables of dicts: neurons with their attributes, successors and predecessors. They are
changed in place, so that every view of the graph stays one of this graph.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeVar

import networkx as nx

Pair = tuple[Hashable, Hashable]
Table = dict[Any, Any]
G = TypeVar("G", bound="nx.DiGraph[Any]")


def tables(graph: nx.DiGraph[Any]) -> tuple[Table, Table, Table]:
    """Neurons with attributes, successors and predecessors."""
    return graph._node, graph._succ, graph._pred  # type: ignore[attr-defined]


def require_thawed(graph: nx.DiGraph[Any]) -> None:
    """Refuse to change a frozen graph, or a view, as networkx does in its own methods."""
    if nx.is_frozen(graph):
        raise nx.NetworkXError("Frozen graph can't be modified")


def places_of(graph: nx.DiGraph[Any], names: Iterable[Hashable]) -> tuple[int, ...]:
    """The index of each neuron in the order of the graph."""
    wanted = list(names)
    if not wanted:
        return ()
    index = {name: k for k, name in enumerate(graph)}
    return tuple(index[name] for name in wanted)


def ranks_of(graph: nx.DiGraph[Any], pairs: Sequence[Pair]) -> tuple[tuple[int, int], ...]:
    """For each synapse its index among the synapses of its pre, and among those of its post neuron."""
    _, succ, pred = tables(graph)
    after = {pre: {name: k for k, name in enumerate(succ[pre])} for pre in {pre for pre, _ in pairs}}
    before = {post: {name: k for k, name in enumerate(pred[post])} for post in {post for _, post in pairs}}
    return tuple((after[pre][post], before[post][pre]) for pre, post in pairs)


def put_neurons(graph: nx.DiGraph[Any], places: Mapping[Hashable, int]) -> None:
    """Move neurons to these indices, as far as the graph is long enough."""
    require_thawed(graph)
    for table in tables(graph):
        _put(table, places)


def put_synapses(graph: nx.DiGraph[Any], ranks: Mapping[Pair, tuple[int, int]]) -> None:
    """Move synapses to these indices among those of their neurons."""
    require_thawed(graph)
    after: dict[Hashable, dict[Hashable, int]] = defaultdict(dict)
    before: dict[Hashable, dict[Hashable, int]] = defaultdict(dict)
    for (pre, post), (k, m) in ranks.items():
        after[pre][post], before[post][pre] = k, m
    _, succ, pred = tables(graph)
    for name, wanted in after.items():
        _put(succ[name], wanted)
    for name, wanted in before.items():
        _put(pred[name], wanted)


def relabel(graph: nx.DiGraph[Any], names: Mapping[Any, Hashable]) -> None:
    """Rename neurons, from old to new name, each staying where it is. Names may be exchanged."""
    require_thawed(graph)
    _, succ, pred = tables(graph)
    before = {pre for old in names for pre in pred[old]}
    after = {post for old in names for post in succ[old]}
    for name in before:
        _rekey(succ[name], names)
    for name in after:
        _rekey(pred[name], names)
    for table in tables(graph):
        _rekey(table, names)


def twin(graph: G) -> G:
    """A copy in every order, that shares no attribute; networkx's own copy sorts predecessors anew."""
    other = graph.__class__()
    other.graph.update(deepcopy(graph.graph))
    other.add_nodes_from((name, deepcopy(data)) for name, data in graph.nodes(data=True))
    other.add_edges_from((pre, post, deepcopy(data)) for pre, post, data in graph.edges(data=True))
    pred = tables(other)[2]
    for name, before in graph.pred.items():
        _refill(pred[name], [(pre, pred[name][pre]) for pre in before])
    return other


def _put(table: Table, places: Mapping[Hashable, int]) -> None:
    order = [key for key in table if key not in places]
    for key, place in sorted(places.items(), key=lambda item: item[1]):
        order.insert(place, key)
    _refill(table, [(key, table[key]) for key in order])


def _rekey(table: Table, names: Mapping[Any, Hashable]) -> None:
    _refill(table, [(names.get(key, key), value) for key, value in table.items()])


def _refill(table: Table, items: list[tuple[Hashable, Any]]) -> None:
    table.clear()
    table.update(items)
