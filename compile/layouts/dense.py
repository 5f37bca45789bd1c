"""The dense layout: a synapse is an entry of an (n_pre, n_post) matrix, the rest of the matrix is zero."""

from __future__ import annotations

from functools import cached_property

import mlx.core as mx
import numpy as np

from ..kernels.operations import matmul
from ..synapses import Synapses
from .projection import Projection, refuse_large
from .segments import Placement, indices
from .select import chosen


class DenseProjection(Projection):
    """All pairs of neurons, in matrices: best for small or nearly full circuits.

    A value per synapse has shape (B, n_pre, n_post), a spread parameter (n_pre, n_post). Where there is no
    synapse, values are chosen, not multiplied: zero times NaN is NaN.

    Raises:
        LayoutError: a matrix would take more than 1 GiB.
    """

    name = "dense"

    def __init__(self, synapses: Synapses) -> None:
        super().__init__(synapses)
        what = f"the dense layout of {synapses.n_pre} x {synapses.n_post} neurons"
        refuse_large(self.size, what, "layout='edge' or 'block'")
        flat = synapses.pre.astype(np.int64) * synapses.n_post + synapses.post
        self._entries = Placement(indices(flat), self.size)

    @property
    def size(self) -> int:
        return self.synapses.n_pre * self.synapses.n_post

    def spread(self, w: mx.array) -> mx.array:
        s = self.synapses
        if len(s) == self.size:  # all pairs, sorted by the postsynaptic neuron
            return mx.contiguous(w.reshape(s.n_post, s.n_pre).T)
        return self._entries.put(w).reshape(s.n_pre, s.n_post)

    def gather(self, v: mx.array) -> mx.array:
        columns = v[:, :, None]
        if self.no_gaps:
            return columns
        return chosen(self._there, mx.broadcast_to(columns, (*v.shape, self.synapses.n_post)))

    def reduce(self, a: mx.array) -> mx.array:
        return (a if self.no_gaps else chosen(self._there, a)).sum(axis=-2)

    def _product(self, x: mx.array, w: mx.array) -> mx.array:
        return matmul(x, w)

    @cached_property
    def _there(self) -> mx.array:
        """(n_pre, n_post) booleans: where there is a synapse."""
        return self._mask_weights > 0.0

    def onto(self, start: int, stop: int) -> DenseProjection:
        return DenseProjection(self.synapses.onto(start, stop))
