"""The synapses of a graph all at once, by loops that run inside Python: there may be millions."""

from __future__ import annotations

import gc
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any

import networkx as nx

# What a neuron's synapses lead to, and their attributes.
Targets = Mapping[Hashable, Mapping[str, Any]]


def targets_of(graph: nx.DiGraph[Any]) -> list[Targets]:
    """The targets of each neuron, in the order of the graph."""
    table: Any = graph._adj  # type: ignore[attr-defined]  # `graph.adj` wraps each of its dictionaries anew
    return list(table.values()) if type(table) is dict else [dict(graph.adj[name]) for name in graph]


def data_of(graph: nx.DiGraph[Any]) -> list[Mapping[str, Any]]:
    """The attributes of every synapse, in the order of the graph."""
    return list(chain.from_iterable(targets.values() for targets in targets_of(graph)))


def names_of(data: list[Mapping[str, Any]]) -> set[str]:
    """The names of all attributes."""
    return set(chain.from_iterable(data))


@contextmanager
def collecting_later() -> Iterator[None]:
    """Make millions of objects without Python's search for circles among them, again and again."""
    at_work = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if at_work:
            gc.enable()
