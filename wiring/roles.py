"""The vocabulary of a circuit: what a legal role, polarity and name are, and how to say that one is not."""

from __future__ import annotations

from collections.abc import Hashable
from numbers import Real
from typing import Any

import networkx as nx

from ..arguments import label as label
from ..errors import CircuitError

ROLES = ("sensory", "inter", "command", "motor")
"""The roles a neuron may have, from the inputs of a circuit to its outputs."""


def is_role(value: Any) -> bool:
    """Whether `value` is one of `ROLES`."""
    return isinstance(value, str) and value in ROLES


def is_polarity(value: Any) -> bool:
    """Whether `value` is a legal polarity: a number equal to +1 or -1 (a bool is not one)."""
    if type(value) is not int:  # as nearly all are, of millions
        return isinstance(value, Real) and not isinstance(value, bool) and value in (1, -1)
    return value == 1 or value == -1


def text_of(name: Any) -> str | None:
    """`str(name)`, by which plans, files and pictures know a neuron, or None if that fails or is empty."""
    try:
        return str(name) or None
    except Exception:
        return None


def synapse_label(pre: Any, post: Any) -> str:
    """How messages write a synapse."""
    return f"synapse {label(pre)} -> {label(post)}"


def with_role(graph: nx.DiGraph[Any], role: str) -> list[Hashable]:
    """The neurons that have this role, in the order of the graph."""
    return [
        name for name, data in graph.nodes(data=True) if is_role(data.get("role")) and data["role"] == role
    ]


def require_role(role: Any) -> str:
    """The role, or a `CircuitError` that lists the legal ones."""
    if is_role(role):
        return str(role)
    raise CircuitError(f"unknown role {label(role)}; expected one of {', '.join(ROLES)}")


def require_polarity(polarity: Any, pre: Hashable, post: Hashable) -> int:
    """The polarity as an int, or a `CircuitError` that names the synapse."""
    if is_polarity(polarity):
        return int(polarity)
    raise CircuitError(f"{synapse_label(pre, post)} has polarity {label(polarity)}; expected +1 or -1")


def require_sign(polarity: Any) -> int:
    """The polarity as an int, or a `CircuitError`."""
    if is_polarity(polarity):
        return int(polarity)
    raise CircuitError(f"polarity must be +1 or -1, got {label(polarity)}")


def require_name(name: Any) -> str:
    """The text of a neuron's name, or a `CircuitError` if it has none or networkx cannot hold it."""
    text = text_of(name)
    try:
        hash(name)
    except TypeError:
        raise CircuitError(f"a neuron's name must be hashable, got {label(name)}") from None
    if name is None or text is None:
        raise CircuitError(f"a neuron's name must have a text that is not empty, got {label(name)}")
    return text


def require_digraph(graph: Any, user: str) -> None:
    """Refuse, with a `TypeError`, anything but a networkx digraph without parallel edges."""
    if not isinstance(graph, nx.DiGraph):
        raise TypeError(
            f"{user} takes a networkx.DiGraph, got {type(graph).__name__}; gl.circuit_from makes a circuit "
            f"of it"
        )
    if graph.is_multigraph():
        raise TypeError(
            f"{user} takes a networkx.DiGraph, got {type(graph).__name__}: a circuit has at most one synapse "
            "from one neuron to another, so merge parallel edges first: gl.circuit_from(graph, parallel=...)"
        )
