"""Products over a list of synapses: how the edge layout multiplies.

A product gathers one row of x per synapse, multiplies it by its weight and adds rows up run by run
(see `segments`). It is linear in x and in w, so its derivatives are products again: nothing is scattered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import mlx.core as mx
import numpy as np

from ..kernels.operations import listed
from ..synapses import Index, Synapses, pointers
from .segments import PLAIN, Segments, indices, pick


@dataclass(frozen=True)
class Side:
    """The synapses in runs by the neurons that they add up onto.

    Attributes:
        reads: the neuron that each synapse reads, (number, length) for every kind of run.
        segments: the runs.
        order: (K,) which synapse, in plan order, stands where in the runs.
        lists: where the synapses of each neuron begin, (n + 1,), what each reads and which it is, (K,).
    """

    reads: tuple[mx.array, ...]
    segments: Segments
    order: mx.array
    lists: tuple[mx.array, mx.array, mx.array]

    @classmethod
    def of(cls, reads: Index, onto: Index, n: int, order: Index, most: int) -> Side:
        """From synapses in plan order and the `order` that sorts them by the n neurons `onto`."""
        lists = (mx.array(pointers(onto[order], n)), mx.array(reads[order]), mx.array(order))
        segments, places = Segments.of(onto[order], n, most)
        order = order[places]
        runs = np.split(reads[order], segments.bounds)[: len(segments.runs)]
        shaped = (indices(run.reshape(shape)) for run, shape in zip(runs, segments.runs, strict=True))
        return cls(tuple(shaped), segments, indices(order), lists)

    def product(self, x: mx.array, w: mx.array) -> mx.array:
        """(n, C) from rows (m, C) and weights (K,) in plan order."""
        weights = self.segments.split(pick(w, self.order))
        pairs = zip(self.reads, weights, strict=True)
        runs = [mx.take(x, reads, axis=0) * part.reshape(*reads.shape, 1) for reads, part in pairs]
        return self.segments.total(runs, x)


@dataclass(frozen=True)
class Product:
    r"""The map :math:`y_j = \sum_{i \to j} x_i w_{ij}` of rows (n_pre, C) and weights (K,) to (n_post, C).

    Attributes:
        pre, post: (K,) the neurons of each synapse, in plan order.
        forth: the synapses by postsynaptic neuron.
        back: the synapses by presynaptic neuron.
        most: about how many synapses are multiplied at once.
    """

    pre: mx.array
    post: mx.array
    forth: Side
    back: Side
    most: int

    @classmethod
    def of(cls, s: Synapses, most: int) -> Product:
        """The product over some synapses."""
        forth = Side.of(s.pre, s.post, s.n_post, np.arange(len(s), dtype=np.int32), most)
        back = Side.of(s.post, s.pre, s.n_pre, s.by_pre, most)
        return cls(indices(s.pre), indices(s.post), forth, back, most)

    @property
    def turned(self) -> Product:
        """The same over the reversed synapses."""
        return Product(self.post, self.pre, self.back, self.forth, self.most)

    def __call__(self, x: mx.array, w: mx.array) -> mx.array:
        """(n_post, C) from (n_pre, C) and (K,); gradients have the types of what they belong to."""
        dtype = mx.result_type(x, w)
        if PLAIN.get():
            return self.forth.product(x.astype(dtype), w.astype(dtype))

        @mx.custom_function
        def product(x: mx.array, w: mx.array) -> mx.array:
            return self.forth.product(x, w)

        @product.vjp
        def product_vjp(primals: list[mx.array], c: mx.array, _: mx.array) -> tuple[mx.array, mx.array]:
            x, w = primals
            return self.turned(c, w), self.by_weight(x, c)

        @product.vmap
        def product_vmap(inputs: list[mx.array], axes: list[int | None]) -> tuple[mx.array, int]:
            x, w = (
                a if axis is None else mx.moveaxis(a, axis, -1) for a, axis in zip(inputs, axes, strict=True)
            )
            if axes[1] is None:  # more columns
                y = self(x.reshape(len(x), -1), w)
                return y.reshape(-1, *x.shape[1:]), 2
            columns = (x if axes[0] is None else x[..., k] for k in range(w.shape[1]))
            return mx.stack([self(rows, w[:, k]) for k, rows in enumerate(columns)]), 0

        return cast(mx.array, product(x.astype(dtype), w.astype(dtype)))

    def rows(self, x: mx.array, w: mx.array) -> mx.array:
        """(B, n_post) from rows (B, n_pre) and (K,), by a kernel of our own where there is one."""
        if PLAIN.get() or listed("masked", len(x), x, w, *self.forth.lists) is None:
            return self(mx.contiguous(x.T), w).T

        @mx.custom_function
        def product(x: mx.array, w: mx.array) -> mx.array:
            return _known(listed("masked", len(x), x, w, *self.forth.lists))

        @product.vjp
        def product_vjp(primals: list[mx.array], c: mx.array, _: mx.array) -> tuple[mx.array, mx.array]:
            x, w = primals
            return self.turned.rows(c, w), self.by_weight_of_rows(x, c)

        @product.vmap
        def product_vmap(inputs: list[mx.array], axes: list[int | None]) -> tuple[mx.array, int]:
            x, w = _in_front(inputs, axes)
            if axes[1] is None:  # more rows
                y = self.rows(x.reshape(-1, x.shape[-1]), w)
                return y.reshape(*x.shape[:-1], y.shape[-1]), 0
            return mx.stack([self.rows(x if axes[0] is None else x[k], each) for k, each in enumerate(w)]), 0

        return cast(mx.array, product(x, w))

    def by_weight_of_rows(self, x: mx.array, c: mx.array) -> mx.array:
        """(K,) the product of x (B, n_pre) and c (B, n_post) at each synapse: the vjp of `rows` by w."""
        lists = (self.pre.astype(mx.int32), self.post.astype(mx.int32))

        @mx.custom_function
        def by_weight(x: mx.array, c: mx.array) -> mx.array:
            found = listed("by_synapse", len(x), x, c, *lists)
            return self.by_weight(x.T, c.T) if found is None else found

        @by_weight.vjp
        def by_weight_vjp(primals: list[mx.array], g: mx.array, _: mx.array) -> tuple[mx.array, mx.array]:
            x, c = primals
            return self.turned.rows(c, g), self.rows(x, g)

        @by_weight.vmap
        def by_weight_vmap(inputs: list[mx.array], axes: list[int | None]) -> tuple[mx.array, int]:
            x, c = _in_front(inputs, axes)
            n = len(x) if axes[0] is not None else len(c)
            pairs = ((x if axes[0] is None else x[k], c if axes[1] is None else c[k]) for k in range(n))
            return mx.stack([self.by_weight_of_rows(*pair) for pair in pairs]), 0

        return cast(mx.array, by_weight(x, c))

    def by_weight(self, x: mx.array, c: mx.array) -> mx.array:
        """(K,) the product of x (n_pre, C) and c (n_post, C) at each synapse: the vjp of a call by w."""

        @mx.custom_function
        def by_weight(x: mx.array, c: mx.array) -> mx.array:
            parts = [slice(k, k + self.most) for k in range(0, max(1, len(self.pre)), self.most)]
            rows = (mx.take(x, self.pre[p], axis=0) * mx.take(c, self.post[p], axis=0) for p in parts)
            return mx.concatenate([products.sum(axis=1) for products in rows])

        @by_weight.vjp
        def by_weight_vjp(primals: list[mx.array], g: mx.array, _: mx.array) -> tuple[mx.array, mx.array]:
            x, c = primals
            return self.turned(c, g), self(x, g)

        return cast(mx.array, by_weight(x, c))


def _in_front(inputs: list[mx.array], axes: list[int | None]) -> list[mx.array]:
    return [a if axis is None else mx.moveaxis(a, axis, 0) for a, axis in zip(inputs, axes, strict=True)]


def _known(found: mx.array | None) -> mx.array:
    assert found is not None
    return found
