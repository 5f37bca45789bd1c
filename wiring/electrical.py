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

from ..arguments import counted
from ..errors import CircuitError
from .bulk import data_of, names_of
from .digest import CHEMICAL, ELECTRICAL
from .roles import is_polarity, label, synapse_label
from .words import is_kind, kind_in, suggestion

KINDS = (CHEMICAL, ELECTRICAL)
EXPECTED = " or ".join(map(repr, KINDS))


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


def is_missing(kind: Any) -> bool:
    """Whether a kind is not set: None, or the NaN that a table has for it."""
    return kind is None or (isinstance(kind, float) and math.isnan(kind))


def pairs_of(graph: nx.DiGraph[Any]) -> set[frozenset[Hashable]]:
    """The pairs of neurons that electrical synapses join, each once."""
    return {frozenset((gap.pre, gap.post)) for gap in gaps_of(graph)}


def chemical_of(graph: nx.DiGraph[Any]) -> nx.DiGraph[Any]:
    """The chemical synapses of a graph, and all neurons."""
    chemical: nx.DiGraph[Any] = nx.DiGraph()
    chemical.add_nodes_from(graph)
    chemical.add_edges_from(edge for edge in graph.edges(data=True) if not is_electrical(edge[2]))
    return chemical


def size_of(graph: nx.DiGraph[Any]) -> str:
    """How large a circuit is, in words: "4 neurons, 2 chemical synapses, 1 electrical synapse"."""
    joined = pairs_of(graph)
    chemical = graph.number_of_edges() - (sum(map(is_electrical, data_of(graph))) if joined else 0)
    neurons = counted(len(graph), "neuron")
    if not joined:
        return f"{neurons}, {counted(chemical, 'synapse')}"
    return f"{neurons}, {counted(chemical, 'chemical synapse')}, {counted(len(joined), 'electrical synapse')}"


def unknown_kind(data: Any, pre: Any, post: Any) -> str | None:
    """What is wrong with the kind of a synapse, in a sentence, if it is none that there is."""
    kind = data.get("kind")
    if is_missing(kind) or (isinstance(kind, str) and kind in ("", *KINDS)):
        return None
    known = kind_in(kind) if is_kind(kind) else None
    hint = f"; did you mean {known!r}?" if known else suggestion(kind, KINDS)
    return (
        f"{synapse_label(pre, post)} has kind {label(kind)}; expected {' or '.join(map(repr, KINDS))}{hint}"
    )


def unknown_kinds(graph: nx.DiGraph[Any]) -> Iterator[tuple[str, tuple[Hashable, Hashable]]]:
    """Every synapse whose kind there is not: a sentence, and where."""
    for pre, post, data in graph.edges(data=True) if "kind" in names_of(data_of(graph)) else ():
        if (problem := unknown_kind(data, pre, post)) is not None:
            yield problem, (pre, post)


def require_kinds(graph: nx.DiGraph[Any]) -> None:
    """Raise CircuitError for a kind of synapse that there is not, before it stands in a file."""
    for problem, _ in unknown_kinds(graph):
        raise CircuitError(problem)


def drawn_sign(data: Any) -> int:
    """The sign by which a small picture draws a synapse: 0 if it is electrical, or has none."""
    sign = data.get("polarity")
    return 0 if is_electrical(data) or not is_polarity(sign) else int(sign)


def unjoinable(graph: nx.DiGraph[Any], pre: Any, post: Any, sign: int, data: Any) -> str | None:
    """What is wrong with a synapse that is to be added, in a sentence, if it is electrical and cannot be."""
    if not is_electrical(data):
        return None
    if (signed := _signed(pre, post, sign)) is not None:
        return signed
    back = graph.get_edge_data(post, pre) or {}
    held = back.get("weight") if is_electrical(back) else back.get("gap")
    seen = {(post, pre): held} if is_electrical(back) or "gap" in back else {}
    gap = Gap(pre, post, data.get("weight"))
    problem = _problem(graph, gap, seen)
    return problem and f"{_named(gap)} {problem}"


def problems_of(graph: nx.DiGraph[Any]) -> Iterator[tuple[str, tuple[Hashable, Hashable]]]:
    """What is wrong with the electrical synapses of a graph, in a sentence, and where."""
    seen: dict[tuple[Hashable, Hashable], Any] = {}
    for gap in gaps_of(graph):
        problem = _problem(graph, gap, seen)
        if problem:
            yield f"{_named(gap)} {problem}", (gap.pre, gap.post)
        seen[gap.pre, gap.post] = gap.strength
        data = graph.edges[gap.pre, gap.post]
        if is_electrical(data) and (signed := _signed(gap.pre, gap.post, data.get("polarity"))) is not None:
            yield signed, (gap.pre, gap.post)


def _signed(pre: Hashable, post: Hashable, sign: Any) -> str | None:
    """What is wrong with the polarity of an electrical synapse: one that nobody would read."""
    if is_missing(sign) or sign in (0, 1):
        return None
    synapse = synapse_label(pre, post)
    return f"{synapse} is electrical, without a sign; expected no polarity, got {label(sign)}"


def _named(gap: Gap) -> str:
    return f"the electrical synapse between {label(gap.pre)} and {label(gap.post)}"


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
