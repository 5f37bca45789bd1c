"""Nodes and edges as a file or an object has them, before anybody says what they mean."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...errors import CircuitError

Attributes = dict[str, Any]


class Node(NamedTuple):
    """One node: its id, its attributes, and where in the source it stands (a line, a place in a list)."""

    id: Hashable
    data: Attributes
    at: int = 0


class Edge(NamedTuple):
    """One edge by the ids of its ends; one without a direction becomes two synapses, one each way."""

    pre: Hashable
    post: Hashable
    data: Attributes
    at: int = 0
    directed: bool = True


def _nowhere(problem: object, _: int) -> CircuitError:
    return CircuitError(str(problem))


@dataclass
class RawGraph:
    """What every reader returns and `circuit_from` gives a meaning to.

    Attributes:
        form: what was recognised, in words, such as "GraphML of yEd".
        nodes, edges: in the order of the source; ids may be repeated, and parallel edges stay.
        graph: attributes of the whole.
        directed: whether edges have a direction; if not, none has one.
        own: Ganglion wrote it, so ids are names, and a repeated synapse is a fault and not a second one.
        closed: nodes are listed, so an edge to another one is a fault; an edge list has no such list.
        fresh: nobody else holds the attributes of its edges, which may be changed.
        signed: weights carry the sign of a synapse, as those of a matrix.
        names: node attributes that a person sees as the name, the best first; ids where none is set.
        notes: what the reader left out, one sentence each.
        node_error, edge_error: the error that says what is wrong, and where.
    """

    form: str
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    graph: Attributes = field(default_factory=dict)
    directed: bool = True
    own: bool = False
    closed: bool = True
    fresh: bool = False
    signed: bool = False
    names: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    node_error: Callable[[object, int], CircuitError] = _nowhere
    edge_error: Callable[[object, int], CircuitError] = _nowhere


def with_signs(raw: RawGraph) -> RawGraph:
    """The graph of one of our own files, of a format in which all is text, with polarities as numbers."""
    for edge in raw.edges if raw.own else ():
        if "polarity" in edge.data:
            edge.data["polarity"] = number_in(edge.data["polarity"])
    return raw


def number_in(text: str) -> float | str:
    """The number in a text, which need not be a legal polarity, or the text."""
    try:
        return float(text)
    except ValueError:
        return text
