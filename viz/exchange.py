"""Exchanges of neurons inside their layers, which remove crossings from the picture as it will be drawn.

Unlike the sweeps, which count what crosses between two layers, this sees folded layers, synapses inside a
layer and those that skip one. Neurons stand at fixed places. As long as only a few of them move, the synapses
of the others cross a line between two places as often as before. That makes the search a quadratic assignment
problem (Koopmans and Beckmann, 1957): synapses flow, and the distance of two places is what a line between
them crosses. Pairs of neurons change places as in 2-opt, many at a time, and the distances are counted anew.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.intp]
Sides = NDArray[np.int8]
UP_TO = 400  # neurons; the table of sides takes their cube in bytes
SYNAPSES = 6000
_ROUNDS = 3  # counts of what crosses
_TURNS = 25  # times that pairs change places, after each count
_SAMPLE = 400  # synapses, enough to tell which lines cross many


def exchange(xy: NDArray[np.float64], layer: Ids, pre: Ids, post: Ids) -> Ids:
    """(K,) the place of each neuron, where at first neuron k stands at place k.

    Args:
        xy: (K, 2) the places.
        layer: (K,) the layer of each place; a neuron stays in its own.
        pre, post: (L,) the synapses.
    """
    from scipy.sparse import csr_array  # only here: `import ganglion.viz` stays quick

    count, rng = len(xy), np.random.default_rng(0)  # the same circuit gives the same picture
    side, place = sides(xy), np.arange(count)
    pre, post = pre[pre != post], post[pre != post]
    flow = csr_array((np.ones(len(pre), np.float32), (pre, post)), shape=(count, count))
    flow = flow + flow.T
    between = flow.toarray()
    apart = layer[:, None] != layer
    for _ in range(_ROUNDS):
        some = rng.permutation(len(pre))[:_SAMPLE]
        crossed = lines_crossed(side, place[pre[some]], place[post[some]]).astype(np.float32)
        for turn in range(_TURNS):
            distance = crossed[place[:, None], place]
            cost = flow @ distance  # cost[u, v]: what the synapses of u would cross from the place of v
            own = np.diag(cost)
            change = cost + cost.T - own[:, None] - own + 2 * between * distance
            change[apart] = 0
            # Pairs at once are each blind to the others: fewer and fewer of them, so that they settle.
            pairs = _best_pairs(change, most=max(1, int(count / (8 + 2.4 * turn))))
            if not len(pairs):
                break
            place[pairs] = place[pairs[:, ::-1]]
    return place


def sides(xy: NDArray[np.float64]) -> Sides:
    """(K, K, K) on which side of the line a -> b the place c lies: 1 left, -1 right, 0 on it."""
    xy = xy.astype(np.float32)
    small = 1e-6 * max(float(np.ptp(xy, axis=0).max(initial=0.0)), 1e-15) ** 2
    found = np.empty((len(xy),) * 3, np.int8)
    for a, here in enumerate(xy):  # one at a time: all at once would take gigabytes
        x, y = (xy - here).T
        turn = np.outer(x, y) - np.outer(y, x)
        found[a] = (turn > small).astype(np.int8) - (turn < -small)
    return found


def lines_crossed(side: Sides, start: Ids, end: Ids) -> NDArray[np.int32]:
    """(K, K) how many of the lines start -> end would cross the line between two places."""
    count = np.zeros(side.shape[:2], np.int32)
    for a, b in zip(start.tolist(), end.tolist(), strict=True):
        left, right = side[a, b] > 0, side[a, b] < 0
        parted = (left[:, None] & right) | (right[:, None] & left)  # by the line a -> b
        # The sides of three places do not change when they are named in turn: side[a] is side[:, :, a].
        count += parted & (side[a] * side[b] < 0)
    return count


def _best_pairs(change: NDArray[np.float32], most: int) -> Ids:
    """(P, 2) disjoint pairs that gain, those that gain most first."""
    partner = change.argmin(axis=1)
    gain = change[np.arange(len(change)), partner]
    free = np.ones(len(change), bool)
    pairs: list[tuple[int, int]] = []
    for u in np.argsort(gain, kind="stable").tolist():
        if gain[u] >= 0 or len(pairs) == most:
            break
        if free[u] and free[partner[u]]:
            free[[u, partner[u]]] = False
            pairs.append((u, int(partner[u])))
    return np.array(pairs, np.intp).reshape(-1, 2)
