"""The order of neurons inside the layers of a drawing, so that few synapses cross.

Three steps: relaxation gives a start that sees the whole circuit, barycentre sweeps (Sugiyama, Tagawa and
Toda, 1981) sort layer after layer, and `exchange` lets pairs of neurons change places where that makes the
picture itself clearer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..errors import LayoutError
from .exchange import SYNAPSES, UP_TO, exchange
from .view import View

Ids = NDArray[np.intp]
Table = NDArray[np.float64]
Orders = list[Ids]  # for each layer: which of its neurons stands first, second, ...
_SMALL = 100  # neurons, up to which exchanges are tried from several starts
_SAMPLE = 900  # synapses; counting crossings takes time with their square
_CHUNK = 128  # synapses compared with all others at a time


def layer_ranks(
    seen: View, layers: list[Ids], place: Callable[[Ids], NDArray[np.float64]], order: str = "barycentre"
) -> Ids:
    """(K,) the rank of each neuron inside its layer, 0 first.

    Several orders are tried, that of the graph among them, and the one that crosses least in the picture is
    taken.

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

    starts = sorted((swept, relaxed, graph), key=seen_crossings)
    if len(seen.names) > UP_TO or len(seen.pre) > SYNAPSES:
        return _ranks(layers, starts[0])
    tried = starts[: 3 if len(seen.names) <= _SMALL else 1]
    exchanged = [_exchanged(seen, layers, orders, place) for orders in tried]
    return _ranks(layers, min((*exchanged, starts[0]), key=seen_crossings))


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


def _exchanged(
    seen: View, layers: list[Ids], orders: Orders, place: Callable[[Ids], NDArray[np.float64]]
) -> Orders:
    """Orders after exchanges at the places that they give."""
    layer = np.empty(len(seen.names), dtype=np.intp)
    for k, members in enumerate(layers):
        layer[members] = k
    rank = _ranks(layers, orders)
    rank = rank[exchange(place(rank), layer, seen.pre, seen.post)]
    return [np.argsort(rank[members]) for members in layers]


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
