"""Electrical synapses: a conductance between two neurons, which has no direction and lives once on the pair.

In a graph, the pair is an edge of kind "electrical" with the strength `weight`, in either direction, or the
number `gap` on a chemical synapse between the two neurons.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from numbers import Real
from typing import Any, NamedTuple

import networkx as nx

from .bulk import data_of, names_of
from .digest import CHEMICAL, ELECTRICAL
from .roles import label


class Gap(NamedTuple):
    """An electrical synapse: the edge that holds it, and its strength, if it has one."""

    pre: Hashable
    post: Hashable
    strength: Any


def gaps_of(graph: nx.DiGraph[Any]) -> Iterator[Gap]:
    """Every edge that holds an electrical synapse; a pair that is given from both ends is there twice."""
    if not names_of(data_of(graph)) & {"kind", "gap"}:
        return
    for pre, post, data in graph.edges(data=True):
        if is_electrical(data):
            yield Gap(pre, post, data.get("weight"))
        elif "gap" in data:
            yield Gap(pre, post, data["gap"])


def is_electrical(data: Any) -> bool:
    """Whether an edge is an electrical synapse and no chemical one."""
    return str(data.get("kind") or CHEMICAL) == ELECTRICAL


def problems_of(graph: nx.DiGraph[Any]) -> Iterator[tuple[str, tuple[Hashable, Hashable]]]:
    """What is wrong with the electrical synapses of a graph, in a sentence, and where."""
    seen: dict[tuple[Hashable, Hashable], Any] = {}
    for gap in gaps_of(graph):
        problem = _problem(graph, gap, seen)
        if problem:
            name = f"the electrical synapse between {label(gap.pre)} and {label(gap.post)}"
            yield f"{name} {problem}", (gap.pre, gap.post)
        seen[gap.pre, gap.post] = gap.strength


def _problem(graph: nx.DiGraph[Any], gap: Gap, seen: dict[tuple[Hashable, Hashable], Any]) -> str | None:
    sensory = [name for name in (gap.pre, gap.post) if graph.nodes[name].get("role") == "sensory"]
    if sensory:
        return (
            f"is one of {label(sensory[0])}, which is sensory and has no potential of its own; "
            "gl.circuit_from(circuit, sensors='split') gives it one, electrical='synapses' makes it chemical"
        )
    if gap.pre == gap.post:
        return "joins a neuron to itself; expected two"
    if not _is_strength(gap.strength):
        return f"has the strength {label(gap.strength)}; expected a finite number of at least 0"
    other = seen.get((gap.post, gap.pre), gap.strength)
    if other != gap.strength:
        return f"is given from both ends, with {label(other)} and {label(gap.strength)}; expected one number"
    return None


def _is_strength(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) < math.inf
