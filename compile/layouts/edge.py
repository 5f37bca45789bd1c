"""The edge layout: one row per synapse, sorted by postsynaptic neuron; nothing is stored where none is."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise

import mlx.core as mx
import numpy as np

from ..synapses import Synapses
from .product import Product
from .projection import PART, Currents, Projection
from .segments import Links, Permutation


class EdgeProjection(Projection):
    """Only the synapses, as a list: cost and memory follow their number alone. Best for sparse circuits.

    A value per synapse has shape (K, B): the batch comes last, since MLX reads rows many times faster than
    columns. A spread parameter is (K, 1). The list is cut into parts of some ten thousand synapses, each
    onto neurons of its own, and `sums` works part by part.
    """

    name = "edge"

    @property
    def size(self) -> int:
        return len(self.synapses)

    @cached_property
    def parts(self) -> tuple[Links, ...]:
        """The synapses in parts, each with the links onto a range of neurons."""
        s = self.synapses
        found = []
        for start, stop in pairwise(_cuts(s)):
            part = s.onto(start, stop)
            found.append(Links.of(part.pre, part.post, s.n_pre, stop - start))
        return tuple(found)

    @cached_property
    def _order(self) -> Permutation:
        """From plan order to the order in which the parts hold their synapses."""
        orders, start = [], 0
        for part in self.parts:
            orders.append(part.order + start)
            start += len(part.order)
        return Permutation.of(np.concatenate(orders).astype(np.int32))

    @cached_property
    def product(self) -> Product:
        """How `matmul` goes over the synapses."""
        return Product.of(self.synapses, max(1, PART // 32))

    def spread(self, w: mx.array) -> mx.array:
        return self._order(w)[:, None]

    def gather(self, v: mx.array) -> mx.array:
        columns = mx.contiguous(v.T)
        return mx.concatenate([part.take(columns) for part in self.parts])

    def reduce(self, a: mx.array) -> mx.array:
        return mx.concatenate(
            [part.sum(rows) for part, rows in zip(self.parts, self._split(a), strict=True)]
        ).T

    def weights(self, w: mx.array) -> mx.array:
        return w

    @property
    def no_gaps(self) -> bool:
        return True

    def _product(self, x: mx.array, w: mx.array) -> mx.array:
        return self.product.rows(x, w)

    def onto(self, start: int, stop: int) -> EdgeProjection:
        return EdgeProjection(self.synapses.onto(start, stop))

    def _sums(
        self, currents: Currents, v: mx.array, parameters: tuple[mx.array, ...]
    ) -> tuple[mx.array, ...]:
        """`sums` for (B, n_pre), in parts of the synapses."""
        columns = mx.contiguous(v.T)
        pieces = zip(self.parts, *map(self._split, parameters), strict=True)
        sums = [[part.sum(a) for a in currents(part.take(columns), *piece)] for part, *piece in pieces]
        return tuple(mx.concatenate(list(onto)).T for onto in zip(*sums, strict=True))

    def _split(self, a: mx.array) -> list[mx.array]:
        """Values per synapse, part by part."""
        bounds = np.cumsum([len(part.order) for part in self.parts])[:-1]
        return list(mx.split(a, bounds.tolist())) if len(bounds) else [a]


def _cuts(synapses: Synapses) -> list[int]:
    """The neurons where parts begin, and the last neuron's successor.

    A part has at least half as many synapses as there are presynaptic neurons, since its vjp goes over these.
    """
    n, k = synapses.n_post, len(synapses)
    most = max(PART // 32, synapses.n_pre // 2)
    targets = np.linspace(0, k, max(1, -(-k // most)) + 1)[1:-1]
    inner = np.searchsorted(synapses.ptr, targets)
    return sorted({0, n, *(int(cut) for cut in inner)})
