"""A circuit as arrays, and arrays as a circuit."""

from __future__ import annotations

from itertools import chain, repeat
from typing import Any

import networkx as nx
import numpy as np

from .arrays import CircuitArrays
from .bulk import targets_of
from .columns import Columns, columns_of, plain_values
from .digest import ELECTRICAL
from .electrical import gaps_of, is_electrical
from .roles import require_name, require_polarity


def arrays_of(circuit: nx.DiGraph[Any]) -> CircuitArrays:
    """Neurons and synapses in the order of the graph.

    Raises:
        CircuitError: the circuit breaks a rule.
    """
    index = {name: k for k, name in enumerate(circuit)}
    names = tuple(map(require_name, circuit))
    neurons = [data for _, data in circuit.nodes(data=True)]
    targets = targets_of(circuit)
    counts = [len(held) for held in targets]
    pre = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    post = np.fromiter(map(index.__getitem__, chain.from_iterable(targets)), np.int32, len(pre))
    data = list(chain.from_iterable(held.values() for held in targets))
    gaps = list({frozenset((gap.pre, gap.post)): gap for gap in reversed(list(gaps_of(circuit)))}.values())[
        ::-1
    ]
    if gaps:
        chemical = np.fromiter((not is_electrical(held) for held in data), bool, len(data))
        pre, post = pre[chemical], post[chemical]
        data = [held for held, kept in zip(data, chemical.tolist(), strict=True) if kept]
    signs = [held.get("polarity") for held in data]
    if not (set(map(type, signs)) <= {int} and set(signs) <= {1, -1}):
        order = list(circuit)
        ends = zip(pre.tolist(), post.tolist(), strict=True)
        signs = [require_polarity(sign, order[u], order[v]) for sign, (u, v) in zip(signs, ends, strict=True)]
    return CircuitArrays(
        pre=pre,
        post=post,
        polarity=np.array(signs, dtype=np.int8),
        roles=tuple(data.get("role") for data in neurons),  # type: ignore[misc]  # CircuitArrays refuses None
        names=names,
        neuron_data=columns_of(neurons, ("role",)),
        synapse_data=columns_of(data, ("polarity", "gap")),
        electrical=np.array([(index[gap.pre], index[gap.post]) for gap in gaps], np.int32).reshape(-1, 2),
        electrical_data=columns_of([{"weight": gap.strength} for gap in gaps], ()),
    )


def fill(circuit: nx.DiGraph[Any], arrays: CircuitArrays) -> None:
    """Put neurons and synapses into an empty circuit."""
    names = arrays.names
    neurons = [{"role": role} for role in arrays.roles]
    _put(neurons, arrays.neuron_data)
    circuit.add_nodes_from(zip(names, neurons, strict=True))
    synapses: list[dict[str, Any]] = [{"polarity": sign} for sign in arrays.polarity.tolist()]
    _put(synapses, arrays.synapse_data)
    # `add_edges_from` would take most of the time of building a large circuit: fill its tables directly.
    tables: Any = circuit  # networkx's stubs do not show them
    outgoing, incoming = ([table[name] for name in names] for table in (tables._succ, tables._pred))
    for pre, post, data in zip(arrays.pre.tolist(), arrays.post.tolist(), synapses, strict=True):
        outgoing[pre][names[post]] = incoming[post][names[pre]] = data
    given_strengths = arrays.electrical_data.get("weight")
    strengths = None if given_strengths is None else plain_values(given_strengths)
    for k, (pre, post) in enumerate(arrays.electrical.tolist()):
        strength = None if strengths is None else strengths[k]
        ends = names[pre], names[post]
        both = (circuit.adj[u].get(v) for u, v in (ends, ends[::-1]))
        chemical = [held for held in both if held is not None]
        if chemical:
            chemical[0]["gap"] = strength
        else:
            given = {} if strength is None else {"weight": strength}
            circuit.add_edge(names[pre], names[post], polarity=1, kind=ELECTRICAL, **given)


def _put(records: list[dict[str, Any]], columns: Columns) -> None:
    for name, values in columns.items():
        for record, key, value in zip(records, repeat(name), plain_values(values), strict=False):
            if value is not None:
                record[key] = value
