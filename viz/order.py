"""The order of neurons inside the layers of a drawing, so that few synapses cross.

Three steps: relaxation gives a start that sees the whole circuit, barycentre sweeps (Sugiyama, Tagawa and
Toda, 1981) sort layer after layer, and sifting (Matuszewski, Schoenfeld and Molitor, 1999) moves single
neurons. All three work on one table of synapses for each pair of layers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..errors import LayoutError
from .view import View

Ids = NDArray[np.intp]
Table = NDArray[np.float64]
Orders = list[Ids]  # for each layer: which of its neurons stands first, second, ...
_SIFT_UP_TO = 400  # neurons in a layer; sifting takes time with their cube
_SAMPLE = 900  # synapses; counting crossings takes time with their square
_CHUNK = 128  # synapses compared with all others at a time


def layer_ranks(
    seen: View, layers: list[Ids], place: Callable[[Ids], NDArray[np.float64]], order: str = "barycentre"
) -> Ids:
    """(K,) the rank of each neuron inside its layer, 0 first.

    Several orders are tried and the one that crosses least in the picture is taken, the order of the graph
    among
    them: the result is never worse than that.

    Args:
        layers: the indices of the neurons of each layer.
        place: ranks (K,) -> positions (K, 2).
        order: ``barycentre``, or ``graph`` to leave the order of the graph.

    Raises:
        LayoutError: any other order.
    """
    if order not in ("barycentre", "graph"):
        raise LayoutError(f"unknown order {order!r}; expected 'barycentre' or 'graph'")
    graph = [np.arange(len(layer)) for layer in layers]
    if order == "graph":
        return _ranks(layers, graph)
    tables = _tables(seen, layers)
    relaxed = _relax(seen, layers)
    swept = min(
        (_sweep(tables, start) for start in (graph, relaxed)), key=lambda found: _crossings(tables, found)
    )
    some = slice(None, None, 1 + len(seen.pre) // _SAMPLE)  # enough synapses to compare orders by

    def seen_crossings(orders: Orders) -> int:
        return crossings(place(_ranks(layers, orders)), seen.pre[some], seen.post[some])

    best = min((graph, relaxed, swept), key=seen_crossings)
    return _ranks(layers, min((best, _sift(tables, best)), key=seen_crossings))


def crossings(pos: NDArray[np.float64], pre: Ids, post: Ids) -> int:
    """How many pairs of synapses cross when drawn as straight lines between ``pos`` (K, 2).

    Synapses that share a neuron, and those that only touch, do not cross. Time grows with the square of the
    synapses.
    """
    a, b = pos[pre], pos[post]
    total = 0
    for start in range(0, len(pre), _CHUNK):
        own = slice(start, start + _CHUNK)
        c, d = a[own, None], b[own, None]
        apart = (_side(a, b, c) * _side(a, b, d) < 0) & (_side(c, d, a) * _side(c, d, b) < 0)
        total += int(np.count_nonzero(np.triu(apart, start + 1)))  # each pair once
    return total


def _tables(seen: View, layers: list[Ids]) -> list[list[Table]]:
    """tables[a][b][i, k]: synapses, either way, between neuron i of layer a and neuron k of layer b."""
    layer_of = np.zeros(len(seen.names), dtype=np.intp)
    local = np.zeros(len(seen.names), dtype=np.intp)
    for k, layer in enumerate(layers):
        layer_of[layer], local[layer] = k, np.arange(len(layer))
    tables = [[np.zeros((len(a), len(b))) for b in layers] for a in layers]
    for a in range(len(layers)):
        for b in range(len(layers)):
            chosen = (layer_of[seen.pre] == a) & (layer_of[seen.post] == b)
            i, k = local[seen.pre[chosen]], local[seen.post[chosen]]
            if a != b:  # synapses inside a layer cross nothing between layers
                np.add.at(tables[a][b], (i, k), 1)
                np.add.at(tables[b][a], (k, i), 1)
    return tables


def _ranks(layers: list[Ids], orders: Orders) -> Ids:
    rank = np.zeros(sum(len(layer) for layer in layers), dtype=np.intp)
    for layer, order in zip(layers, orders, strict=True):
        rank[layer[order]] = np.arange(len(layer))
    return rank


def _relax(seen: View, layers: list[Ids], rounds: int = 150) -> Orders:
    """Pull neurons, on the real line, to the mean of all their neighbours, then sort them.

    This is power iteration to the slowest mode of diffusion over the circuit.
    """
    count = len(seen.names)
    ends, others = np.concatenate([seen.pre, seen.post]), np.concatenate([seen.post, seen.pre])
    degree = np.maximum(np.bincount(ends, minlength=count), 1)
    place = np.zeros(count)
    for layer in layers:
        place[layer] = np.linspace(-1, 1, len(layer))
    for _ in range(rounds):
        place = 0.5 * (place + np.bincount(ends, weights=place[others], minlength=count) / degree)
        place -= np.average(place, weights=degree)  # the constant mode, which orders nothing
        place /= np.abs(place).max() or 1.0
    return [np.argsort(place[layer], kind="stable") for layer in layers]


def _sweep(tables: list[list[Table]], orders: Orders, rounds: int = 24) -> Orders:
    """Put neurons at the mean place of their neighbours in the layers before; next round, in those behind."""
    orders = list(orders)
    best, fewest = list(orders), _crossings(tables, orders)
    count = len(orders)
    for turn in range(rounds):
        forwards = turn % 2 == 0
        for a in range(count) if forwards else range(count - 1, -1, -1):
            total, degree = np.zeros(len(orders[a])), np.zeros(len(orders[a]))
            for b in range(a) if forwards else range(a + 1, count):
                total += tables[a][b] @ _places(orders[b])
                degree += tables[a][b].sum(axis=1)
            mean = np.where(degree > 0, total / np.maximum(degree, 1), _places(orders[a]))
            orders[a] = np.argsort(mean, kind="stable")
        if (crossed := _crossings(tables, orders)) < fewest:
            best, fewest = list(orders), crossed
    return best


def _sift(tables: list[list[Table]], orders: Orders, rounds: int = 4) -> Orders:
    """Move one neuron at a time to the best place in its layer, until no move helps."""
    orders = list(orders)
    fewest = _crossings(tables, orders)
    for _ in range(rounds):
        for a in range(len(orders)):
            if len(orders[a]) <= _SIFT_UP_TO:
                orders[a] = _sift_layer(_gain(tables, orders, a), orders[a])
        if (crossed := _crossings(tables, orders)) >= fewest:
            break
        fewest = crossed
    return orders


def _gain(tables: list[list[Table]], orders: Orders, a: int) -> Table:
    """gain[u, v]: crossings added by putting u before v in layer a, instead of behind it."""
    size = len(orders[a])
    before = np.zeros((size, size))
    for b in range(len(orders)):
        if b != a:
            table = tables[a][b][:, orders[b]]
            # Without BLAS: its threads cost more than they save on tables this small.
            before += np.einsum("uk,vk->uv", table, np.cumsum(table, axis=1) - table)
    return before - before.T


def _sift_layer(gain: Table, order: Ids) -> Ids:
    for neuron in order.tolist():
        others = order[order != neuron]
        cost = np.concatenate(
            [[0.0], np.cumsum(gain[others, neuron])]
        )  # at place k, k others stand before it
        place = int(np.argmin(cost))
        order = np.concatenate([others[:place], [neuron], others[place:]])
    return order


def _crossings(tables: list[list[Table]], orders: Orders) -> int:
    """Pairs of synapses between the same two layers that cross, by double cumulative sums."""
    total = 0.0
    for a in range(len(orders)):
        for b in range(a + 1, len(orders)):
            table = tables[a][b][np.ix_(orders[a], orders[b])]
            if table.size:
                above = np.cumsum(table, axis=0) - table
                total += (table[:, :-1] * np.cumsum(above[:, :0:-1], axis=1)[:, ::-1]).sum()
    return int(total)


def _places(order: Ids) -> Table:
    """Where each neuron stands, from 0 to 1."""
    place = np.empty(len(order))
    place[order] = (np.arange(len(order)) + 0.5) / len(order)
    return place


def _side(a: Table, b: Table, c: Table) -> Table:
    """On which side of the line a -> b the point c lies: the sign; 0 on the line."""
    side: Table = (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (
        c[..., 0] - a[..., 0]
    )
    return side
