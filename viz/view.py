"""What pictures see of a circuit: names, roles and synapses as arrays, whether it is a graph or compiled."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ..arguments import counted, label
from ..errors import CircuitError
from ..wiring import ROLES
from ..wiring.electrical import is_electrical
from ..wiring.roles import is_role, require_polarity


@dataclass(frozen=True, eq=False)
class View:
    """A circuit as arrays. K neurons (sensory ones included), L synapses.

    An electrical synapse beside a chemical one, which the graph keeps as its attribute `gap`, is a synapse of
    its own here; these come last.

    Attributes:
        nodes: K nodes as the graph has them; for a compiled circuit, the names.
        names: K names, what is written into pictures.
        roles: K roles.
        pre, post: (L,) indices into the neurons.
        polarity: (L,) +1, -1, or 0 for an electrical synapse, which has neither sign nor direction.
        graph: the graph, if there is one: it has the other attributes.
    """

    nodes: tuple[Hashable, ...]
    names: tuple[str, ...]
    roles: tuple[str, ...]
    pre: NDArray[np.intp]
    post: NDArray[np.intp]
    polarity: NDArray[np.int8]
    graph: nx.DiGraph[Any] | None = None
    beside: int = 0
    """How many synapses, the last, are no edges of the graph but electrical ones beside an edge."""

    @cached_property
    def index(self) -> dict[Hashable, int]:
        """Where a neuron is, by node or by name."""
        by_name: dict[Hashable, int] = {name: k for k, name in enumerate(self.names)}
        return by_name | {node: k for k, node in enumerate(self.nodes)}

    @cached_property
    def role_ids(self) -> NDArray[np.intp]:
        """(K,) the place of each neuron's role in `ROLES`."""
        return np.array([ROLES.index(role) for role in self.roles], dtype=np.intp)

    @property
    def synapses(self) -> list[tuple[str, str]]:
        """The L synapses as pairs of names."""
        names = self.names
        return [(names[i], names[j]) for i, j in zip(self.pre.tolist(), self.post.tolist(), strict=True)]

    @property
    def drawn_roles(self) -> list[str]:
        """The roles that have neurons, from sensory to motor."""
        return [role for role in ROLES if role in self.roles]

    @property
    def chemical(self) -> NDArray[np.bool_]:
        """(L,) which synapses have a sign and a direction."""
        signed: NDArray[np.bool_] = self.polarity != 0
        return signed

    def of_role(self, role: str) -> NDArray[np.intp]:
        """Indices of the neurons of one role."""
        return np.flatnonzero(self.role_ids == ROLES.index(role))

    def find(self, neuron: Hashable) -> int:
        """The index of a neuron.

        Raises:
            CircuitError: the circuit has no such neuron.
        """
        if not isinstance(neuron, Hashable) or neuron not in self.index:
            raise CircuitError(
                f"no neuron {label(neuron)} in this circuit of {counted(len(self.names), 'neuron')}"
            )
        return self.index[neuron]

    def keep(self, synapses: NDArray[Any]) -> View:
        """The same neurons with only some of the synapses (a mask or indices over L)."""
        pre, post, polarity = self.pre[synapses], self.post[synapses], self.polarity[synapses]
        return View(self.nodes, self.names, self.roles, pre, post, polarity, self.graph)


_OF_PLANS = ("neurons", "sensors", "roles", "recurrent", "sensory", "electrical")


def view(circuit: Any) -> View:
    """See a circuit: a DiGraph with ``role`` and ``polarity``, a Plan, a compiled circuit, or a network.

    Raises:
        CircuitError: a neuron without a known role, a synapse without a polarity, or no neuron at all.
        TypeError: this is none of them.
    """
    if isinstance(circuit, View):
        return circuit
    if isinstance(circuit, nx.Graph):
        seen = _of_graph(circuit)
    elif all(hasattr(plan := getattr(circuit, "plan", circuit), name) for name in _OF_PLANS):
        seen = _of_plan(plan)
    elif hasattr(circuit, "to_circuit") and not isinstance(
        circuit, type
    ):  # a network, with what training made of its synapses
        seen = _of_graph(circuit.to_circuit())
    else:
        kind = type(circuit).__name__
        raise TypeError(f"expected a DiGraph, a Plan, a compiled circuit or a network to draw, got {kind}")
    if not seen.nodes:
        raise CircuitError("this circuit has no neurons: there is nothing to draw")
    return seen


def _of_graph(graph: Any) -> View:
    if not graph.is_directed() or graph.is_multigraph():
        raise TypeError(
            f"expected a DiGraph to draw, got {type(graph).__name__}: synapses have one direction"
        )
    nodes = tuple(graph)
    index = {node: k for k, node in enumerate(nodes)}
    roles = tuple(_role(node, attributes.get("role")) for node, attributes in graph.nodes(data=True))
    edges = list(graph.edges(data=True))
    signs = [_sign(pre, post, data) for pre, post, data in edges]
    gaps = [(pre, post) for pre, post, data in edges if not is_electrical(data) and "gap" in data]
    pairs = [(pre, post) for pre, post, _ in edges] + gaps
    return View(
        nodes,
        tuple(str(node) for node in nodes),
        roles,
        _ids(index[pre] for pre, _ in pairs),
        _ids(index[post] for _, post in pairs),
        np.array(signs + [0] * len(gaps), dtype=np.int8),
        graph,
        len(gaps),
    )


def _of_plan(plan: Any) -> View:
    """Sensory neurons first, then the neurons with state in plan order."""
    names = (*plan.sensors, *plan.neurons)
    sensory, recurrent, electrical, shift = plan.sensory, plan.recurrent, plan.electrical, len(plan.sensors)
    return View(
        names,
        names,
        ("sensory",) * shift + tuple(plan.roles),
        np.concatenate([sensory.pre, recurrent.pre + shift, electrical.pre + shift]).astype(np.intp),
        np.concatenate([sensory.post, recurrent.post, electrical.post]).astype(np.intp) + shift,
        np.concatenate([sensory.polarity, recurrent.polarity, 0 * electrical.polarity]).astype(np.int8),
    )


def _ids(values: Iterable[int]) -> NDArray[np.intp]:
    return np.fromiter(values, dtype=np.intp)


def _role(node: Hashable, role: object) -> str:
    if not is_role(role):
        raise CircuitError(f"neuron {label(node)} has role {label(role)}; expected one of {', '.join(ROLES)}")
    return str(role)


def _sign(pre: Hashable, post: Hashable, data: Any) -> int:
    return 0 if is_electrical(data) else require_polarity(data.get("polarity"), pre, post)
