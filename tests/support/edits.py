"""Random edits, and the exact form of a circuit: what is in it and in which order."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import networkx as nx
from hypothesis import strategies as st

from ganglion.wiring import ROLES, edits

RULES: list[dict[str, Any]] = [
    {"rule": "all_to_all"},
    {"rule": "one_to_one"},
    {"rule": "fixed_indegree", "indegree": 1},
    {"rule": "fixed_outdegree", "outdegree": 2},
    {"rule": "pairwise_bernoulli", "p": 0.5},
    {"rule": "fixed_total_number", "total": 3},
]
VALUES = st.one_of(
    st.integers(-5, 5), st.text(max_size=3), st.booleans(), st.lists(st.integers(), max_size=2)
)


def exact(graph: nx.DiGraph) -> tuple[Any, ...]:
    """A circuit with the order of neurons, of synapses, and of the synapses that reach each neuron."""
    return deepcopy(
        (
            dict(graph.graph),
            [(name, dict(data)) for name, data in graph.nodes(data=True)],
            [(pre, post, dict(data)) for pre, post, data in graph.edges(data=True)],
            [(name, list(graph.predecessors(name))) for name in graph],
            [(name, list(graph.succ[name])) for name in graph.succ],
        )
    )


@st.composite
def any_edit(draw: st.DrawFn, circuit: nx.DiGraph, nested: bool = True) -> edits.Edit:
    """An edit of any kind that mentions what is in the circuit; about one in three does not fit."""
    names = [*circuit, "nobody"]
    name = st.sampled_from(names)
    fresh = st.sampled_from([f"n{k}" for k in range(6)])
    pairs = st.sampled_from([*circuit.edges, ("nobody", "nobody")])
    sign = st.sampled_from([1, -1])
    role = st.sampled_from(ROLES)
    kinds = [
        "add",
        "remove",
        "neuron",
        "synapse",
        "circuit",
        "rename",
        "connect",
        "redraw",
        "generate",
        "batch",
    ]
    kind = draw(st.sampled_from(kinds if nested else kinds[:-1]))
    if kind == "add":
        new = draw(st.lists(fresh, max_size=3, unique=True))
        ends = st.sampled_from([*names, *new])
        return edits.Add(
            [(n, {"role": draw(role), "x": draw(st.integers(0, 9))}) for n in new],
            [
                (u, v, {"polarity": draw(sign)})
                for u, v in draw(st.lists(st.tuples(ends, ends), max_size=3, unique=True))
            ],
        )
    if kind == "remove":
        return edits.Remove(draw(st.lists(name, max_size=2)), draw(st.lists(pairs, max_size=2)))
    if kind == "neuron":
        entry = st.one_of(
            st.tuples(name, st.just("role"), role),
            st.tuples(name, st.sampled_from(["x", "y"]), st.integers(-99, 99)),
            st.tuples(name, st.just("tag"), VALUES),
            st.tuples(name, st.just("group"), st.sampled_from(["g", "h"])),
            st.tuples(name, st.sampled_from(["tag", "group", "x"])),
        )
        return edits.Set(neurons=draw(st.lists(entry, min_size=1, max_size=3)))
    if kind == "synapse":
        setting = st.one_of(
            st.tuples(st.just("polarity"), sign), st.tuples(st.just("tag"), VALUES), st.tuples(st.just("tag"))
        )
        entry = st.builds(lambda pair, key: (*pair, *key), pairs, setting)
        return edits.Set(synapses=draw(st.lists(entry, min_size=1, max_size=3)))
    if kind == "circuit":
        return edits.Set(
            circuit=[draw(st.one_of(st.tuples(st.just("tag"), VALUES), st.tuples(st.just("tag"))))]
        )
    if kind == "rename":
        olds = draw(st.lists(name, min_size=1, max_size=3, unique=True))
        length = len(olds)
        news = draw(st.one_of(st.permutations(olds), st.lists(fresh, min_size=length, max_size=length)))
        return edits.Rename(list(zip(olds, news, strict=True)))
    population = st.one_of(
        role, st.sampled_from(["g", "h"]), st.lists(name, min_size=1, max_size=3, unique=True)
    )
    rule = {**draw(st.sampled_from(RULES)), "seed": draw(st.integers(0, 99))}
    projection = st.sampled_from(["p", "q"])
    if kind == "connect":
        return edits.Connect(
            draw(population),
            draw(population),
            **rule,
            inhibitory=draw(st.sampled_from([0.0, 0.5, 1.0])),
            skip_existing=draw(st.sampled_from([True, True, False])),
            projection=draw(st.one_of(st.none(), projection)),
        )
    if kind == "redraw":
        return edits.Redraw(draw(projection), rule, remove=draw(st.booleans()))
    if kind == "generate":
        arguments = {"units": 3, "outputs": 1, "inputs": 1, "sparsity": 0.5, "seed": draw(st.integers(0, 9))}
        return edits.Generate("random", arguments, draw(st.sampled_from(["", "l "])), draw(st.booleans()))
    return edits.Batch(draw(st.lists(any_edit(circuit, nested=False), max_size=3)))
