"""Where neurons stand: pure functions from a circuit to positions, NumPy only.

Every layout gives x to the right and y upwards, within a box ``aspect`` wide and 1 high. The layered one is a
Sugiyama drawing: roles are the layers, and `order` sorts the neurons inside a layer so that few synapses
cross.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ..arguments import fraction, label, one_of, text
from ..errors import CircuitError, LayoutError
from .order import layer_ranks
from .view import View, view

Positions = NDArray[np.float64]
_PAGE_STEP = 60.0  # between neighbours on the editor's page
_PAGE_MOST = 150  # neurons that it is told places of: more take longer than it should wait
_COLUMN = 22  # neurons that stand in one column before a layer is folded into several


def layout(
    circuit: Any, kind: str = "layered", *, aspect: float = 1.6, **options: Any
) -> dict[Hashable, NDArray[np.float64]]:
    """Positions of all neurons, node -> (x, y), as networkx drawing functions take them.

    Args:
        circuit: a DiGraph, a Plan, a compiled circuit or a network.
        kind: ``layered`` (by role; options ``direction="right" | "down"``, ``order="barycentre" | "graph"``),
            ``radial`` (roles as rings, motor neurons inside), ``hierarchy`` (by distance from the sensory
            neurons; options as layered), ``hive`` (one axis per role, neurons by degree), ``given`` (node
            attributes ``x`` and ``y``), or the name of a networkx layout such as ``spring`` or
            ``kamada_kawai`` with its own options.
        aspect: width of the box over its height.

    Raises:
        LayoutError: no layout of that name, one that does not suit the circuit (``planar``), or a neuron
            without ``x`` and ``y`` under ``given``.

    Example:
        >>> pos = gl.viz.layout(circuit, "layered", direction="down")
        >>> pos["motor_0"]
    """
    seen = view(circuit)
    return dict(zip(seen.nodes, positions(seen, kind, aspect=aspect, **options), strict=True))


def page_places(circuit: Any) -> list[list[float]] | None:
    """Where the editor's page shows the neurons of a circuit that has no places yet: as `plot_circuit` does.

    In the page's units, y downwards; None for a circuit that has places, breaks a rule, or is too large to
    order its neurons at once.
    """
    graph: nx.DiGraph[Any] = circuit
    if not 0 < len(graph) <= _PAGE_MOST or any(
        "x" in data or "y" in data for _, data in graph.nodes(data=True)
    ):
        return None
    try:
        seen = view(graph)
    except CircuitError:  # the page places what it can
        return None
    xy = positions(seen, "layered") * (1, -1)
    apart = np.linalg.norm(xy[:, None] - xy, axis=2)
    nearest = float(apart[apart > 1e-9].min(initial=1.0))
    places: list[list[float]] = (_PAGE_STEP / nearest * xy).round(1).tolist()
    return places


def positions(seen: View, kind: str, *, aspect: float = 1.6, **options: Any) -> Positions:
    """`layout` as a (K, 2) array in the order of the neurons."""
    text("the layout", kind)
    aspect = fraction("aspect", aspect, 0.01, 100.0)
    if kind in LAYOUTS:
        return LAYOUTS[kind](seen, aspect, **options)
    name = kind.removesuffix("_layout")
    function = getattr(nx, f"{name}_layout", None)
    if function is None or name == "rescale":  # which moves positions and finds none
        raise LayoutError(
            f"unknown layout {label(kind)}; expected {', '.join(LAYOUTS)} or the name of a networkx layout"
        )
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(
        (k, {"subset": layer}) for k, layer in enumerate(seen.role_ids.tolist())
    )  # multipartite
    graph.add_edges_from(zip(seen.pre.tolist(), seen.post.tolist(), strict=True))
    if "seed" not in options and function in (nx.spring_layout, nx.random_layout):
        options["seed"] = 0  # the same circuit gives the same picture
    try:
        if function is nx.bipartite_layout and options.get("nodes") is None:  # networkx 3.4 finds no side
            options["nodes"] = nx.bipartite.sets(graph)[0]
        found = function(graph, **options)
    except nx.NetworkXException as error:
        raise LayoutError(f"networkx cannot place this circuit by the layout {kind!r}: {error}") from error
    xy = np.array([found[k] for k in range(len(seen.names))], dtype=float).reshape(-1, 2)
    return _fit(xy, aspect)


def layered(seen: View, aspect: float, *, direction: str = "right", order: str = "barycentre") -> Positions:
    """Roles as layers, sensory first."""
    return _in_layers(seen, [seen.of_role(role) for role in seen.drawn_roles], aspect, direction, order)


def hierarchy(seen: View, aspect: float, *, direction: str = "right", order: str = "barycentre") -> Positions:
    """Layers by graph depth, in synapses from the sensory neurons; unreached neurons come last."""
    depth = depths(seen)
    depth[depth < 0] = depth.max() + 1
    layers = [np.flatnonzero(depth == d) for d in np.unique(depth)]
    return _in_layers(seen, layers, aspect, direction, order)


def depths(seen: View) -> NDArray[np.intp]:
    """(K,) synapses from the nearest sensory neuron (or source, if there is none); -1 if unreached."""
    starts = np.flatnonzero(seen.role_ids == 0)
    if not len(starts):
        has_input = np.bincount(seen.post, minlength=len(seen.names)) > 0
        starts = np.flatnonzero(~has_input) if not has_input.all() else np.array([0])
    depth = np.full(len(seen.names), -1, dtype=np.intp)
    depth[starts] = level = 0
    frontier = np.isin(np.arange(len(depth)), starts)
    back = ~seen.chemical  # electrical synapses lead both ways
    pre, post = np.concatenate([seen.pre, seen.post[back]]), np.concatenate([seen.post, seen.pre[back]])
    while frontier.any():
        level += 1
        reached = np.zeros_like(frontier)
        reached[post[frontier[pre]]] = True
        frontier = reached & (depth < 0)
        depth[frontier] = level
    return depth


def radial(seen: View, aspect: float) -> Positions:
    """Roles as rings: sensory neurons outside, motor neurons inside, each near what it is connected to."""
    layers = [seen.of_role(role) for role in seen.drawn_roles]
    rank = layer_ranks(seen, layers, lambda rank: _rings(layers, rank))
    xy: Positions = _rings(layers, rank) + np.array([aspect / 2, 0.5])
    return xy


def hive(seen: View, aspect: float) -> Positions:
    """One straight axis per role, the neurons with most synapses outside (Krzywinski et al., 2012)."""
    degree = np.bincount(seen.pre, minlength=len(seen.names)) + np.bincount(
        seen.post, minlength=len(seen.names)
    )
    roles = seen.drawn_roles
    xy = np.zeros((len(seen.names), 2))
    for k, role in enumerate(roles):
        members = seen.of_role(role)
        along = np.empty(len(members))
        along[np.argsort(degree[members], kind="stable")] = np.linspace(0.28, 1.0, len(members) + 1)[1:]
        angle = np.pi - 2 * np.pi * k / len(roles)
        xy[members] = along[:, None] * (np.cos(angle), np.sin(angle))
    return _fit(xy, aspect)


def given(seen: View, aspect: float) -> Positions:
    """The node attributes ``x`` and ``y``, as they are."""
    if seen.graph is None:
        raise LayoutError("a compiled circuit has no x and y: pass the graph, or positions by name")
    found = []
    for node, attributes in seen.graph.nodes(data=True):
        if attributes.get("x") is None or attributes.get("y") is None:
            raise LayoutError(f"neuron {node!r} has no x and y, which the layout 'given' reads")
        found.append((float(attributes["x"]), float(attributes["y"])))
    return np.array(found)


DIRECTIONS = ("right", "down")
LAYOUTS: dict[str, Callable[..., Positions]] = {
    "layered": layered,
    "hierarchy": hierarchy,
    "radial": radial,
    "hive": hive,
    "given": given,
}


def _in_layers(
    seen: View, layers: list[NDArray[np.intp]], aspect: float, direction: str, order: str
) -> Positions:
    one_of("direction", direction, DIRECTIONS, LayoutError)
    length, across = (aspect, 1.0) if direction == "right" else (1.0, aspect)
    rank = layer_ranks(seen, layers, lambda rank: _columns(layers, rank, length, across), order)
    xy = _columns(layers, rank, length, across)
    return xy if direction == "right" else np.stack([xy[:, 1], length - xy[:, 0]], axis=1)


def _rings(layers: list[NDArray[np.intp]], rank: NDArray[np.intp]) -> Positions:
    """Concentric layers around the origin, the first outside, clockwise from the top."""
    xy = np.zeros((rank.size, 2))
    for ring, members in enumerate(layers):
        alone = ring == len(layers) - 1 and len(members) == 1  # a single motor neuron is the centre
        reach = 0.0 if alone else 0.5 * (1 - ring / len(layers))
        angle = np.pi / 2 - 2 * np.pi * (rank[members] + 0.5 * (ring % 2)) / len(members)
        xy[members] = reach * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return xy


def _columns(
    layers: list[NDArray[np.intp]], rank: NDArray[np.intp], length: float, across: float
) -> Positions:
    """Layers from left to right, rank 0 on top; a crowded layer folds into staggered columns."""
    sizes = np.array([len(layer) for layer in layers])
    fold = np.maximum(1, np.round(np.sqrt(0.45 * sizes * length / across / len(layers))))
    fold = np.where(sizes <= _COLUMN, 1, fold)
    rows = np.ceil(sizes / fold)
    pitch = np.minimum(across / rows, 2.2 * across / rows.max())
    width = (fold - 1) * np.minimum(pitch * 1.2, 0.6 * length / len(layers) / np.maximum(fold - 1, 1))
    gap = (length - width.sum()) / max(len(layers) - 1, 1)
    xy = np.zeros((rank.size, 2))
    left = 0.0 if len(layers) > 1 else gap / 2
    for layer, folds, step, wide in zip(layers, fold, pitch, width, strict=True):
        r = rank[layer]
        shift = left + wide * (r % folds) / max(folds - 1, 1)
        xy[layer] = np.stack([shift, across / 2 + step * ((len(layer) - 1) / 2 - r) / folds], axis=1)
        left += wide + gap
    return xy


def _fit(xy: Positions, aspect: float) -> Positions:
    """Move and scale positions, alike in x and y, into the box."""
    span = np.ptp(xy, axis=0)
    scale = 1 / max(span[0] / aspect, span[1], 1e-12)
    fitted: Positions = (xy - xy.min(axis=0) - span / 2) * scale + np.array([aspect / 2, 0.5])
    return fitted
