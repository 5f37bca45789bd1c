"""The dense layout: a synapse is an entry of an (n_pre, n_post) matrix, the rest of the matrix is zero."""

from __future__ import annotations

from typing import cast

import mlx.core as mx
import numpy as np

from ..synapses import Synapses
from .projection import Projection


class DenseProjection(Projection):
    """All pairs of neurons, in matrices: best for small or nearly full circuits.

    A value per synapse has shape (..., n_pre, n_post).
    """

    name = "dense"

    def __init__(self, synapses: Synapses) -> None:
        super().__init__(synapses)
        flat = synapses.pre.astype(np.int64) * synapses.n_post + synapses.post
        self._place = mx.array(flat)

    def spread(self, w: mx.array) -> mx.array:
        s = self.synapses
        ground = mx.zeros((s.n_pre * s.n_post,), w.dtype)
        return cast(mx.array, _put(ground, self._place, w)).reshape(s.n_pre, s.n_post)

    def gather(self, v: mx.array) -> mx.array:
        return v[..., :, None]

    def reduce(self, a: mx.array) -> mx.array:
        return a.sum(axis=-2)

    def matmul(self, x: mx.array, w: mx.array) -> mx.array:
        return x @ w

    def onto(self, start: int, stop: int) -> DenseProjection:
        return DenseProjection(self.synapses.onto(start, stop))


@mx.custom_function
def _put(ground: mx.array, place: mx.array, w: mx.array) -> mx.array:
    return mx.put_along_axis(ground, place, w, axis=0)


@_put.vjp
def _put_vjp(primals: list[mx.array], cotangent: mx.array, _: mx.array) -> tuple[mx.array, ...]:
    # MLX's own vjp of a scatter builds a second scatter for the ground, which here is always zero.
    ground, place, w = primals
    return mx.zeros_like(ground), mx.zeros_like(place), cotangent[place].astype(w.dtype)
