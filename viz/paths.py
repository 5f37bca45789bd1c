"""`plot_paths`: the routes by which one neuron reaches another."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike

from ..arguments import whole
from .circuit import plot_circuit
from .encode import synapse_values
from .picture import Picture
from .view import View, view
from .widths import Ranks

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class PathPicture(Picture):
    """A `Picture` of routes.

    Attributes:
        paths: the routes as names, the best first.
        signs: for each route +1 if it excites its target and -1 if it inhibits it: the product of its
            polarities. An electrical synapse counts as +1, and routes lead through it both ways.
    """

    paths: tuple[tuple[str, ...], ...] = ()
    signs: tuple[int, ...] = ()


def plot_paths(
    circuit: Any,
    source: Hashable,
    target: Hashable,
    *,
    count: int = 3,
    weight: str | ArrayLike | Mapping[tuple[Hashable, Hashable], float] | None = None,
    ax: Axes | None = None,
    **options: Any,
) -> PathPicture:
    """Draw a circuit with the best routes from one neuron to another; all else is faint.

    Without ``weight`` the best route has the fewest synapses. With it, the strength of a route is the product
    of the magnitudes of its synapses, relative to the strongest synapse of the circuit, and the best route is
    the strongest (Yen, 1971, on their negative logarithms).

    Args:
        circuit: a DiGraph, a Plan, a compiled circuit or a network.
        source, target: two neurons, by node or name.
        count: how many routes to show.
        weight: an edge attribute, L values in graph order, or a mapping (pre, post) -> value.
        ax: the axes to draw on; a new figure if not given.
        options: go to `plot_circuit`.

    Raises:
        CircuitError: the circuit lacks one of the neurons.
        ValueError: no route leads from ``source`` to ``target``.

    Example:
        >>> picture = gl.viz.plot_paths(circuit, "sensory_0", "motor_0")
        >>> picture.paths[0]
        ('sensory_0', 'inter_3', 'command_1', 'motor_0')
    """
    seen = view(circuit)
    found = _routes(seen, seen.find(source), seen.find(target), count, weight)
    if not found:
        raise ValueError(f"no route leads from {source!r} to {target!r} in this circuit")
    # The best route is the widest; a synapse of several routes is as wide as its best route.
    width = dict.fromkeys(zip(seen.pre.tolist(), seen.post.tolist(), strict=True), 0.0)
    for rank, path in reversed(list(enumerate(found))):
        best = 1.0 - 0.5 * rank / len(found)
        width |= {pair if pair in width else pair[::-1]: best for pair in pairwise(path)}
    highlight = [*{seen.nodes[k] for path in found for k in path}]
    highlight += [(seen.nodes[i], seen.nodes[j]) for path in found for i, j in pairwise(path)]
    ranks = Ranks(
        width.values(), {1.0 - 0.5 * (len(found) - 1) / len(found): f"route {len(found)}", 1.0: "best route"}
    )
    drawn = plot_circuit(circuit, ax=ax, width_by=ranks, highlight=highlight, **{"style": "links", **options})
    rows = zip(seen.pre.tolist(), seen.post.tolist(), seen.polarity.tolist(), strict=True)
    sign = {(i, j): polarity for i, j, polarity in rows if polarity}
    paths = tuple(tuple(seen.names[k] for k in path) for path in found)
    signs = tuple(int(np.prod([sign.get(pair, 1) for pair in pairwise(path)])) for path in found)
    return PathPicture(drawn.axes, drawn.artists, drawn.neurons, drawn.synapses, paths, signs)


def _routes(seen: View, source: int, target: int, count: int, weight: Any) -> list[list[int]]:
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(seen.names)))
    strength = np.ones(len(seen.pre)) if weight is None else np.abs(synapse_values(seen, weight))
    relative = strength / (strength.max(initial=0.0) or 1.0)
    cost = 1e-9 - np.log(np.maximum(relative, 1e-300)) if weight is not None else np.ones(len(relative))
    back = ~seen.chemical
    pre, post = np.concatenate([seen.pre, seen.post[back]]), np.concatenate([seen.post, seen.pre[back]])
    prices = np.concatenate([cost, cost[back]])
    for i, j, price in zip(pre.tolist(), post.tolist(), prices.tolist(), strict=True):
        # A synapse without strength leads nowhere; among equals, fewer synapses are better.
        if price < 600 and price < graph.get_edge_data(i, j, {"cost": np.inf})["cost"]:
            graph.add_edge(i, j, cost=price)
    whole("count", count)
    try:
        return list(islice(nx.shortest_simple_paths(graph, source, target, weight="cost"), count))
    except nx.NetworkXNoPath:
        return []
