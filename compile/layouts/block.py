"""The block layout: a mask cut into square tiles, of which only the non-empty ones exist."""

from __future__ import annotations

from functools import cached_property

import mlx.core as mx
import numpy as np

from ..kernels.operations import matmul
from ..synapses import Synapses
from ..tiling import Order, Tiling
from .projection import LIMIT, Projection, refuse_large
from .segments import Links, Permutation, Placement, indices, linear
from .select import chosen

# mx.block_masked_mm knows these block sizes; it skips empty blocks on Metal only.
MASKED_MM_SIZES = (32, 64)


class BlockProjection(Projection):
    """Non-empty tiles of `block_size` x `block_size`: best where synapses come in clusters.

    A value per synapse has shape (T, B, block_size, block_size), a spread parameter (T, 1, ...), and a
    weight of `matmul` (T, block_size, block_size), for T tiles. Neurons are arranged by `order`, padded to
    whole blocks; what goes in and comes out is in plan order.

    Args:
        synapses: the population pair.
        block_size: neurons per side of a tile.
        order: how neurons are arranged; the order of the plan if not given.

    Raises:
        LayoutError: the tiles would take more than 1 GiB for each weight.
    """

    name = "block"

    def __init__(self, synapses: Synapses, block_size: int = 32, order: Order | None = None) -> None:
        super().__init__(synapses)
        self.block_size = block_size
        self.order = Order.of_plan(synapses) if order is None else order
        self.tiling = Tiling.of(synapses, self.order, block_size)
        what = f"the block layout with {len(self.tiling)} tiles of {block_size} x {block_size}"
        refuse_large(self.size, what, "layout='edge', or a smaller block_size or another order")

    @property
    def size(self) -> int:
        return self.tiling.size

    # What there is to see

    @property
    def block_mask(self) -> mx.array:
        """(n_blocks_pre, n_blocks_post) bool: which tiles hold a synapse."""
        mask = np.zeros(self.tiling.blocks, bool)
        mask[self.tiling.pre, self.tiling.post] = True
        return mx.array(mask)

    @property
    def tile_index(self) -> mx.array:
        """(T, 2) the presynaptic and the postsynaptic block of each tile."""
        ids = np.stack([self.tiling.pre, self.tiling.post], axis=1)
        return indices(ids[self._tiles.order])

    @property
    def mask_tiles(self) -> mx.array:
        """(T, block_size, block_size) `mask`, tile by tile."""
        return self.weights(mx.ones((len(self.synapses),)))

    @property
    def polarity_tiles(self) -> mx.array:
        """(T, block_size, block_size) `polarity`, tile by tile."""
        return self.weights(mx.array(self.synapses.polarity.astype(np.float32)))

    def arranged_matrix(self, w: mx.array) -> mx.array:
        """(K,) values as one matrix over all arranged and padded neurons, as `mx.block_masked_mm` takes it.

        Example:
            >>> s = compiled.recurrent
            >>> w = s.arranged_matrix(w)                               # with s.block_mask
            >>> y = mx.block_masked_mm(s.arrange(x), w, s.block_size, mask_rhs=s.block_mask)
            >>> s.restore(y)                                           # as s.matmul(x, s.weights(w))
        """
        return self._matrix_of_tiles(self.weights(w))

    def arrange(self, v: mx.array) -> mx.array:
        """(B, n_pre) values of presynaptic neurons, arranged and padded to whole blocks."""
        rows = self._pre(v.T)
        padding = self.tiling.blocks[0] * self.block_size - len(rows)
        return mx.pad(rows, [(0, padding), (0, 0)]).T

    def restore(self, y: mx.array) -> mx.array:
        """(B, n_post) values of postsynaptic neurons in plan order, from arranged and padded ones."""
        return self._post.inverse(y.T[: self.synapses.n_post]).T

    # What a cell needs

    def spread(self, w: mx.array) -> mx.array:
        return self.weights(w)[:, None]

    def weights(self, w: mx.array) -> mx.array:
        return self._entries.put(w).reshape(-1, self.block_size, self.block_size)

    def gather(self, v: mx.array) -> mx.array:
        rows = self._take(v)[..., None]
        return chosen(self._there, mx.broadcast_to(rows, (*rows.shape[:-1], self.block_size)))

    def reduce(self, a: mx.array) -> mx.array:
        return self._sum(chosen(self._there, a).sum(axis=-2))

    def _product(self, x: mx.array, w: mx.array) -> mx.array:
        return self._masked_mm(x, w) if self._has_masked_mm else self._sum(matmul(self._take(x), w))

    @property
    def no_gaps(self) -> bool:
        return False

    @cached_property
    def _there(self) -> mx.array:
        """(T, 1, block_size, block_size) booleans: where there is a synapse."""
        return self._mask_weights[:, None] > 0.0

    def onto(self, start: int, stop: int) -> BlockProjection:
        return BlockProjection(self.synapses.onto(start, stop), self.block_size, self.order.onto(start, stop))

    # How it is done

    def _take(self, v: mx.array) -> mx.array:
        """(T, B, block_size) the presynaptic values that each tile reads."""
        batch, side = v.shape[0], self.block_size
        blocks = self.arrange(v).reshape(batch, -1, side).transpose(1, 0, 2)
        return self._tiles.take(blocks.reshape(-1, batch * side)).reshape(-1, batch, side)

    def _sum(self, a: mx.array) -> mx.array:
        """(B, n_post) from what each tile, (T, B, block_size), gives to its postsynaptic neurons."""
        _, batch, side = a.shape
        blocks = self._tiles.sum(a.reshape(-1, batch * side)).reshape(-1, batch, side)
        return self.restore(blocks.transpose(1, 0, 2).reshape(batch, -1))

    @cached_property
    def _tiles(self) -> Links:
        """The tiles as links between blocks of neurons."""
        return Links.of(self.tiling.pre, self.tiling.post, *self.tiling.blocks)

    @cached_property
    def _entries(self) -> Placement:
        """Where each synapse lies in the tiles, in the order of `_tiles`."""
        rank = np.empty(len(self.tiling), np.int64)
        rank[self._tiles.order] = np.arange(len(self.tiling))
        return Placement(indices(rank[self.tiling.tile] * self.block_size**2 + self.tiling.cell), self.size)

    @cached_property
    def _pre(self) -> Permutation:
        return Permutation.of(self.order.pre)

    @cached_property
    def _post(self) -> Permutation:
        return Permutation.of(self.order.post)

    @property
    def _arranged_entries(self) -> int:
        return self.tiling.blocks[0] * self.tiling.blocks[1] * self.block_size**2

    @property
    def _has_masked_mm(self) -> bool:
        on_metal = mx.metal.is_available() and mx.default_device() == mx.gpu
        return on_metal and self.block_size in MASKED_MM_SIZES and 4 * self._arranged_entries <= LIMIT

    def _masked_mm(self, x: mx.array, w: mx.array) -> mx.array:
        """`matmul` by `mx.block_masked_mm`, which on Metal goes over non-empty blocks only."""
        matrix = self._matrix_of_tiles(w)
        y = mx.block_masked_mm(self.arrange(x), matrix, self.block_size, mask_rhs=self.block_mask)
        return self.restore(y)

    def _matrix_of_tiles(self, tiles: mx.array) -> mx.array:
        side, (n_pre, n_post) = self.block_size, self.tiling.blocks
        what = f"the arranged matrix of {n_pre * side} x {n_post * side} neurons"
        refuse_large(self._arranged_entries, what, "the tiles")
        cell = self.tiling.pre.astype(np.int64) * n_post + self.tiling.post
        cell = cell[self._tiles.order]
        tile_at = np.full(n_pre * n_post, len(cell))
        tile_at[cell] = np.arange(len(cell))
        place, where = indices(tile_at), indices(cell)

        def spread_out(tiles: mx.array) -> mx.array:
            return mx.concatenate([tiles, mx.zeros((1, *tiles.shape[1:]), tiles.dtype)])[place]

        grid = linear(spread_out, lambda c: c[where], tiles)
        return grid.reshape(n_pre, n_post, side, side).transpose(0, 2, 1, 3).reshape(n_pre * side, -1)
