"""The circuit: a networkx digraph whose nodes are neurons and whose edges are synapses."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from ..errors import CircuitError
from .arrays import CircuitArrays
from .roles import ROLES, is_polarity, require_name, require_polarity, require_role

__all__ = ["ROLES", "Circuit", "CircuitArrays"]

if TYPE_CHECKING:
    from typing_extensions import Self

    _DiGraph = nx.DiGraph[Hashable]
else:
    _DiGraph = nx.DiGraph


class Circuit(_DiGraph):
    """A `networkx.DiGraph` of neurons (node attribute `role`) and synapses (edge attribute `polarity`).

    Every networkx function works on it. The methods below keep the circuit sound: each either does its whole
    edit or raises `CircuitError` and changes nothing. Plain networkx edits (`add_node`, `add_edge`) stay
    possible; `check(circuit)` finds what they left wrong.

    Args:
        graph: any `networkx.DiGraph` (or Circuit, or view of one) to copy; its nodes should have a `role` and
            its edges a `polarity`. None gives an empty circuit.
        **attr: attributes of the graph, as in networkx.

    Raises:
        TypeError: `graph` is not a directed networkx graph, or has parallel edges.

    Example:
        >>> circuit = Circuit()
        >>> circuit.add_neurons(["left", "right"], role="sensory")
        >>> circuit.add_neuron("muscle", role="motor")
        >>> circuit.add_synapse("left", "muscle", polarity=-1)
    """

    def __init__(self, graph: nx.DiGraph[Any] | None = None, **attr: Any) -> None:
        if graph is not None and not isinstance(graph, nx.DiGraph):
            raise TypeError(f"a Circuit is made from a networkx.DiGraph, got {type(graph).__name__}")
        if graph is not None and graph.is_multigraph():
            raise TypeError(
                f"a Circuit has at most one synapse from one neuron to another, so it cannot be made from a "
                f"{type(graph).__name__}; merge its parallel edges first: networkx.DiGraph(graph)"
            )
        super().__init__(graph, **attr)

    def to_directed_class(self) -> type[Circuit]:
        """The class networkx gives to directed copies (`to_directed`)."""
        return Circuit

    def neurons(self, role: str | None = None) -> list[Hashable]:
        """The names of all neurons, or of those with `role`, in the order of the graph."""
        if role is None:
            return list(self)
        require_role(role)
        return [name for name, data in self.nodes(data=True) if data.get("role") == role]

    def add_neuron(self, name: Hashable, role: str = "inter", **attr: Any) -> None:
        """Add one neuron. To add many, `add_neurons` is faster.

        Raises:
            CircuitError: an unknown role, a name already taken, or a name without text.
        """
        self.add_neurons([name], role, **attr)

    def add_neurons(self, names: Iterable[Hashable], role: str = "inter", **attr: Any) -> None:
        """Add neurons of one role, with common attributes; all of them or, if one is refused, none.

        Raises:
            CircuitError: an unknown role, a name that is taken or given twice, or a name without text.
        """
        require_role(role)
        names = list(names)
        taken = {str(name) for name in self}
        for name in names:
            text = require_name(name)
            if text in taken:
                raise CircuitError(f"the name {name!r} is taken; every neuron needs a name of its own")
            taken.add(text)
        self.add_nodes_from(names, **attr, role=role)

    def add_synapse(self, pre: Hashable, post: Hashable, polarity: int = 1, **attr: Any) -> None:
        """Add the synapse `pre -> post`.

        Raises:
            CircuitError: an unknown neuron, an illegal polarity, a sensory `post`, or a synapse that exists.
        """
        for name in (pre, post):
            if name not in self:
                raise CircuitError(f"synapse {pre!r} -> {post!r}: there is no neuron {name!r}")
        if self.nodes[post].get("role") == "sensory":
            raise CircuitError(
                f"synapse {pre!r} -> {post!r} ends on a sensory neuron; sensory neurons are inputs"
            )
        if self.has_edge(pre, post):
            raise CircuitError(f"synapse {pre!r} -> {post!r} exists already")
        self.add_edge(pre, post, **attr, polarity=require_polarity(polarity, pre, post))

    def to_arrays(self) -> CircuitArrays:
        """The circuit as index arrays, neurons and synapses in the order of the graph.

        Raises:
            CircuitError: the circuit breaks a rule; `check(circuit)` lists all such problems.
        """
        index = {name: k for k, name in enumerate(self)}
        synapses = [
            (index[u], index[v], require_polarity(data.get("polarity"), u, v))
            for u, v, data in self.edges(data=True)
        ]
        pre, post, polarity = np.array(synapses, dtype=np.int64).reshape(-1, 3).T
        roles = tuple(role for _, role in self.nodes(data="role"))
        return CircuitArrays(pre, post, polarity, roles, tuple(map(str, self)))  # type: ignore[arg-type]

    @classmethod
    def from_arrays(cls, arrays: CircuitArrays) -> Self:
        """The circuit of these arrays; the inverse of `to_arrays` for circuits whose names are strings."""
        circuit = cls()
        names = arrays.names
        circuit.add_nodes_from((name, {"role": role}) for name, role in zip(names, arrays.roles, strict=True))
        circuit.add_edges_from(
            (names[pre], names[post], {"polarity": sign})
            for pre, post, sign in zip(
                arrays.pre.tolist(), arrays.post.tolist(), arrays.polarity.tolist(), strict=True
            )
        )
        return circuit
