"""The order "block": neurons with similar partners are put together, to leave as few tiles as possible.

The number of non-empty tiles is, summed over the blocks of postsynaptic neurons, the number of presynaptic
blocks that a block reads. For fixed presynaptic blocks we group postsynaptic neurons greedily: a block starts
with the neuron that reads most, and takes in, one by one, the neuron for which half of what it shares with
the block, less what it adds to it, is largest. Then pre and post change places, and so on for a few sweeps.
The result is the best order met, so never worse than the orders it started from.

Finding the best order is NP-hard (Ahrens and Boman, arXiv:2005.12414). Grouping rows by the similarity of
their patterns is due to Saad, Finding exact and approximate block structures for ILU preconditioning, SIAM
J. Sci. Comput. 24(4), 2003; the greedy form follows Sylos Labini, Bernaschi, Silvestri and Vella, Blocking
techniques for sparse matrix multiplication on tensor accelerators, arXiv:2202.05868, 2022.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.sparse import csc_array, csr_array

from .synapses import Index, Synapses
from .tiling import Order, Tiling, inverse

SWEEPS = 4

# Each choice looks at this many neurons at most, so that the time grows with N and not with N squared.
WINDOW = 4096


def grouped(
    synapses: Synapses, starts: Iterable[Order], ranges: list[tuple[int, int]], block_size: int
) -> Order:
    """The order with fewest tiles that greedy grouping finds from the best of `starts`.

    Args:
        synapses: the population pair.
        starts: orders to begin with.
        ranges: ranges of postsynaptic neurons (the roles) that stay together.
        block_size: neurons per side of a tile.
    """

    def tiles(order: Order) -> int:
        return len(Tiling.of(synapses, order, block_size))

    best = order = min(starts, key=tiles)
    for sweep in range(SWEEPS):
        # First by the presynaptic neurons themselves: in a bad order, all neurons read all blocks.
        reads = inverse(order.pre) // (block_size if sweep else 1)
        post = _group(synapses.post, reads[synapses.pre], order.post, ranges, block_size)
        feeds = inverse(post) // block_size
        pre = _group(synapses.pre, feeds[synapses.post], order.pre, [(0, synapses.n_pre)], block_size)
        order = Order(pre, post)
        best = min(best, order, key=tiles)
    return best


def _group(
    neuron: Index, partner: Index, order: Index, ranges: list[tuple[int, int]], block_size: int
) -> Index:
    """`order`, rearranged so that neurons with the same partners share a block."""
    shape = len(order), int(partner.max(initial=0)) + 1
    pattern = csr_array((np.ones(len(neuron), bool), (neuron, partner)), shape=shape)
    groups = [order[:0]]
    for start, stop in ranges:
        members = order[(order >= start) & (order < stop)]
        for first in range(0, len(members), WINDOW):
            window = members[first : first + WINDOW]
            groups.append(window[_greedy(pattern[window], block_size)])
    return np.concatenate(groups)


def _greedy(pattern: csr_array, block_size: int) -> list[int]:
    """The rows of a pattern in an order in which each block of rows has few different columns."""
    by_column = csc_array(pattern)
    sizes = np.diff(pattern.indptr)
    left = np.ones(len(sizes), bool)
    order: list[int] = []
    while len(order) < len(sizes):
        if len(order) % block_size == 0:
            covered, shared = np.zeros(pattern.shape[1], bool), np.zeros(len(sizes))
            score = sizes.astype(float)
        else:
            score = 0.5 * shared - (sizes - shared)
        row = int(np.argmax(np.where(left, score, -np.inf)))
        order.append(row)
        left[row] = False
        columns = pattern.indices[pattern.indptr[row] : pattern.indptr[row + 1]]
        for column in columns[~covered[columns]]:
            shared[by_column.indices[by_column.indptr[column] : by_column.indptr[column + 1]]] += 1
        covered[columns] = True
    return order
