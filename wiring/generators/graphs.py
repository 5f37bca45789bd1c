"""Circuits from any networkx graph: small-world, scale-free, a connectome, …"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Hashable, Iterable
from numbers import Integral, Real
from typing import Any, Literal

import networkx as nx
import numpy as np

from ...arguments import counted, fraction, label, one_of, seed_number, several, whole
from ...errors import CircuitError
from ..circuit import Circuit
from ..roles import ROLES, is_role, require_name, require_polarity, synapse_label, with_role
from ..rules import balanced_signs
from ..words import suggestion


def from_graph(
    graph: nx.Graph[Any],
    inputs: int | Iterable[Hashable],
    outputs: int | Iterable[Hashable],
    *,
    inhibitory: float | Iterable[Hashable] = 0.2,
    per: Literal["synapse", "neuron"] = "synapse",
    seed: int = 1111,
) -> Circuit:
    """A circuit with the nodes and edges of a graph; roles and polarities are added where they are missing.

    An undirected edge becomes two synapses, one each way, and parallel edges become one, with the sum of
    their weights. Names and attributes are kept. So are roles and polarities that the graph has already; one
    that is not legal is an error. Where weights are signed, their signs are polarities.

    Args:
        graph: any networkx graph, directed or not.
        inputs: nodes of the graph that become sensory neurons, which lose their incoming edges (with a
            warning if the graph is directed); or the number of sensory neurons. A number adds neurons
            `sensory_0`, … to the graph, and they project to its nodes by turns: to all neurons but the motor
            neurons (or to those if there are no others), until every one of both has a synapse.
        outputs: nodes of the graph that become motor neurons; or their number, which chooses the nodes with
            most incoming synapses from other neurons, the first in the graph if some have equally many.
        inhibitory: share of the synapses (or neurons) without polarity that becomes inhibitory, rounded; or
            the list of inhibitory neurons, and then all others excite.
        per: "synapse" draws a polarity for every synapse; "neuron" draws one for every neuron, which all of
            its outgoing synapses have (Dale's law).
        seed: of the polarities.

    Neurons that are neither sensory nor motor, and have no role yet, become inter neurons. Those with a role
    count: `inputs=3` with a graph that has a sensory neuron adds two.

    Raises:
        ValueError: a number out of its range, a node that is not in the graph, given twice, or given as input
            and as output or against the role it has.
        CircuitError: an illegal role, polarity or name in the graph; polarities that contradict Dale's law.
        TypeError: `graph` is no networkx graph, or an argument is of the wrong kind.

    Example:
        >>> ring = nx.watts_strogatz_graph(60, 6, 0.2, seed=1)
        >>> circuit = from_graph(ring, inputs=8, outputs=4, inhibitory=0.2, per="neuron")
    """
    if not isinstance(graph, nx.Graph):
        raise TypeError(f"expected a networkx graph, got {type(graph).__name__}")
    if len(graph) == 0:
        raise ValueError("the graph has no nodes")
    one_of("per", per, ("synapse", "neuron"))
    share = (
        fraction("inhibitory", inhibitory)
        if isinstance(inhibitory, str) or not isinstance(inhibitory, Iterable)
        else inhibitory
    )
    rng = np.random.default_rng(seed_number(seed))
    _require_legal(graph)
    network = _merged(graph)
    _take_signs(network, share)
    missing = _name_inputs(network, inputs)
    _name_outputs(network, outputs)
    for data in network.nodes.values():
        if data.get("role") is None:
            data["role"] = "inter"
    _drop_onto_sensory(network, warn=graph.is_directed())

    circuit = Circuit()
    circuit.graph.update(network.graph)
    sensors = _new_names(network, missing)
    circuit.add_neurons(sensors, role="sensory")
    circuit.add_nodes_from(network.nodes(data=True))
    circuit.add_edges_from(network.edges(data=True))
    _feed(circuit, sensors)
    _sign(circuit, share if isinstance(share, float) else 0.0, per, rng)
    return circuit


def _require_legal(graph: nx.Graph[Any]) -> None:
    """The names can be those of neurons, and what roles and polarities there are can be kept."""
    texts = set()
    for name, role in graph.nodes(data="role"):
        text = require_name(name)
        if text in texts:
            raise CircuitError(f"two nodes are called {text!r}; every neuron needs a name of its own")
        texts.add(text)
        if role is not None and not is_role(role):
            raise CircuitError(
                f"node {name!r} has role {role!r}; expected one of {', '.join(ROLES)}, or no role yet"
            )
    polarities: dict[tuple[Any, Any], int] = {}
    for pre, post, data in graph.edges(data=True):
        if data.get("polarity") is None:
            continue
        sign = require_polarity(data["polarity"], pre, post)
        if polarities.setdefault((pre, post), sign) != sign:
            raise CircuitError(f"the parallel edges of {synapse_label(pre, post)} have both polarities")


def _merged(graph: nx.Graph[Any]) -> nx.DiGraph[Any]:
    """The graph as a digraph; of parallel edges the first stays, with the sum of the weights."""
    network: nx.DiGraph[Any] = nx.DiGraph(graph)
    if not graph.is_multigraph():
        return network
    network.remove_edges_from(list(network.edges))
    for pre, post, data in graph.edges(data=True):
        ways = [(pre, post)] if graph.is_directed() or pre == post else [(pre, post), (post, pre)]
        for u, v in ways:
            if not network.has_edge(u, v):
                network.add_edge(u, v, **data)
                continue
            known = network.edges[u, v]
            if "weight" in known and "weight" in data:
                known["weight"] += data["weight"]
            known.update({key: value for key, value in data.items() if key not in known})
    return network


def _take_signs(network: nx.DiGraph[Any], inhibitory: float | Iterable[Hashable]) -> None:
    """Signs that are not drawn: those of signed weights, or of the inhibitory neurons."""
    names = None if isinstance(inhibitory, float) else several("inhibitory", inhibitory, "nodes")
    for name in names or ():
        if name not in network:
            raise ValueError(
                f"inhibitory: there is no node {label(name)} in the graph{suggestion(name, network)}"
            )
    weights = [data.get("weight") for _, _, data in network.edges(data=True)]
    signed = any(isinstance(weight, Real) and weight < 0 for weight in weights)
    for pre, _, data in network.edges(data=True):
        if data.get("polarity") is not None:
            continue
        weight = data.get("weight")
        if names is not None:
            data["polarity"] = -1 if pre in names else 1
        elif signed and isinstance(weight, Real) and weight != 0:
            data["polarity"] = -1 if weight < 0 else 1
            data["weight"] = abs(weight)


def _name_inputs(network: nx.DiGraph[Any], inputs: int | Iterable[Hashable]) -> int:
    """Give the listed nodes their role, and return how many sensory neurons are to be added."""
    if not isinstance(inputs, Integral):
        _name_nodes(network, "inputs", inputs, "sensory")
        return 0
    present = len(with_role(network, "sensory"))
    missing = whole("inputs", inputs) - present
    if missing < 0:
        raise ValueError(
            f"inputs is {inputs}, but the graph has {counted(present, 'sensory neuron')} already"
        )
    return missing


def _name_outputs(network: nx.DiGraph[Any], outputs: int | Iterable[Hashable]) -> None:
    if not isinstance(outputs, Integral):
        _name_nodes(network, "outputs", outputs, "motor")
        return
    present = with_role(network, "motor")
    free = [name for name, data in network.nodes(data=True) if data.get("role") is None]
    missing = whole("outputs", outputs) - len(present)
    if missing < 0:
        raise ValueError(
            f"outputs is {outputs}, but the graph has {counted(len(present), 'motor neuron')} already"
        )
    if missing > len(free):
        raise ValueError(
            f"outputs is {outputs}, but only {counted(len(present) + len(free), 'node')} can be motor neurons"
        )
    incoming = {name: network.in_degree(name) - network.has_edge(name, name) for name in free}
    for name in sorted(free, key=incoming.__getitem__, reverse=True)[:missing]:  # a stable sort
        network.nodes[name]["role"] = "motor"


def _name_nodes(network: nx.DiGraph[Any], argument: str, nodes: Any, role: str) -> None:
    """Give nodes their role; others may have it already."""
    if isinstance(nodes, str) or not isinstance(nodes, Iterable):
        raise TypeError(f"{argument} must be a number or a list of nodes, got {label(nodes)}")
    seen = set()
    for name in several(argument, nodes, "nodes"):
        if name not in network:
            raise ValueError(f"{argument}: there is no node {label(name)} in the graph")
        if name in seen:
            raise ValueError(f"{argument}: node {label(name)} is given twice")
        seen.add(name)
        if network.nodes[name].get("role") not in (None, role):
            raise ValueError(
                f"{argument}: node {label(name)} is a {network.nodes[name]['role']} neuron already"
            )
        network.nodes[name]["role"] = role
    if not with_role(network, role):
        raise ValueError(f"{argument} names no node, and the graph has no {role} neuron")


def _drop_onto_sensory(network: nx.DiGraph[Any], warn: bool) -> None:
    dropped = list(network.in_edges(with_role(network, "sensory")))
    network.remove_edges_from(dropped)
    if dropped and warn:
        warnings.warn(
            f"sensory neurons receive no synapses: dropped {counted(len(dropped), 'edge')} of the "
            "graph, the first of "
            f"them {dropped[0][0]!r} -> {dropped[0][1]!r}",
            stacklevel=3,
        )


def _new_names(network: nx.DiGraph[Any], count: int) -> list[str]:
    """sensory_0, sensory_1, …, without those that are taken."""
    taken = {str(name) for name in network}
    free = (name for k in itertools.count() if (name := f"sensory_{k}") not in taken)
    return list(itertools.islice(free, count))


def _feed(circuit: Circuit, sensors: list[str]) -> None:
    """Deal the sensory neurons round to the others until each has a synapse."""
    if not sensors:
        return
    motor = with_role(circuit, "motor")
    targets = [*with_role(circuit, "inter"), *with_role(circuit, "command")] or motor
    for k in range(max(len(sensors), len(targets))):
        circuit.add_edge(sensors[k % len(sensors)], targets[k % len(targets)])


def _sign(circuit: Circuit, inhibitory: float, per: str, rng: np.random.Generator) -> None:
    """Give a polarity to every synapse that has none."""
    known: dict[Hashable, set[int]] = {}
    undecided = []
    for pre, post, data in circuit.edges(data=True):
        if data.get("polarity") is None:
            undecided.append((pre, data))
        else:
            data["polarity"] = require_polarity(data["polarity"], pre, post)
            known.setdefault(pre, set()).add(data["polarity"])
    if per == "synapse":
        signs = balanced_signs(len(undecided), inhibitory, rng).tolist()
    else:
        sign_of = _dale(known, dict.fromkeys(pre for pre, _ in undecided), inhibitory, rng)
        signs = [sign_of[pre] for pre, _ in undecided]
    for (_, data), sign in zip(undecided, signs, strict=True):
        data["polarity"] = sign


def _dale(
    known: dict[Hashable, set[int]], neurons: Iterable[Hashable], inhibitory: float, rng: np.random.Generator
) -> dict[Hashable, int]:
    """The polarity of each neuron: that of the synapses it has, else one that is drawn."""
    for name, signs in known.items():
        if len(signs) > 1:
            raise CircuitError(
                f"neuron {name!r} has excitatory and inhibitory synapses, which per='neuron' does not allow"
            )
    free = [name for name in neurons if name not in known]
    drawn = balanced_signs(len(free), inhibitory, rng).tolist()
    return {**{name: min(signs) for name, signs in known.items()}, **dict(zip(free, drawn, strict=True))}
