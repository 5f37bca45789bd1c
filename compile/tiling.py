"""Tiles: the squares of a mask, `block_size` neurons wide, in which synapses lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .synapses import Index, Synapses


@dataclass(frozen=True)
class Order:
    """How one population pair is arranged in a layout: position k holds neuron ``pre[k]`` or ``post[k]``.

    States, parameters and names keep the order of the plan, so no result depends on an order.
    """

    pre: Index
    post: Index

    @classmethod
    def of_plan(cls, synapses: Synapses) -> Order:
        """The order of the plan itself."""
        return cls(np.arange(synapses.n_pre, dtype=np.int32), np.arange(synapses.n_post, dtype=np.int32))

    def onto(self, start: int, stop: int) -> Order:
        """The order for only the postsynaptic neurons ``start:stop``, which become ``0:stop - start``."""
        inside = self.post[(self.post >= start) & (self.post < stop)]
        return Order(self.pre, inside - np.int32(start))


@dataclass(frozen=True)
class Tiling:
    """The non-empty tiles of a population pair under one order, sorted by (post, pre).

    Attributes:
        block_size: neurons per side of a tile.
        blocks: number of tiles from first to last presynaptic and postsynaptic neuron.
        pre: (T,) which block of presynaptic neurons each tile reads.
        post: (T,) which block of postsynaptic neurons each tile feeds.
        tile: (K,) the tile of each synapse.
        cell: (K,) the place of each synapse inside its tile, row by row.
    """

    block_size: int
    blocks: tuple[int, int]
    pre: Index
    post: Index
    tile: Index
    cell: Index

    @classmethod
    def of(cls, synapses: Synapses, order: Order, block_size: int) -> Tiling:
        """Tile a population pair."""
        row, column = inverse(order.pre)[synapses.pre], inverse(order.post)[synapses.post]
        blocks = -(-synapses.n_pre // block_size), -(-synapses.n_post // block_size)
        key = (column // block_size).astype(np.int64) * max(blocks[0], 1) + row // block_size
        keys, tile = np.unique(key, return_inverse=True)
        return cls(
            block_size,
            blocks,
            pre=(keys % max(blocks[0], 1)).astype(np.int32),
            post=(keys // max(blocks[0], 1)).astype(np.int32),
            tile=tile.astype(np.int32),
            cell=(row % block_size * block_size + column % block_size).astype(np.int32),
        )

    @property
    def size(self) -> int:
        """Entries of all non-empty tiles together."""
        return len(self) * self.block_size**2

    @property
    def fill(self) -> float:
        """The fraction of those entries that are synapses."""
        return len(self.tile) / self.size if self.size else 0.0

    def __len__(self) -> int:
        return len(self.pre)

    def __repr__(self) -> str:
        pre, post = self.blocks
        side = self.block_size
        return f"Tiling({len(self)} of {pre} x {post} tiles of {side} x {side}, fill {self.fill:.3g})"


def inverse(permutation: Index) -> Index:
    """The position of each neuron, from the neuron at each position."""
    positions = np.empty_like(permutation)
    positions[permutation] = np.arange(len(permutation), dtype=permutation.dtype)
    return positions
