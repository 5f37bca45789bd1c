"""Two layouts of the same synapses: one for sums of currents, one for matrix products."""

from __future__ import annotations

import mlx.core as mx

from .projection import Currents, Projection


class MixedProjection(Projection):
    """What ``layout="auto"`` makes where no single layout is best.

    A nonlinear current per synapse costs a hundred times more than the multiply-add of a product, so an LTC
    can be fastest on a list of synapses where a CfC over the same circuit is fastest on matrices.

    Args:
        for_sums: runs `spread`, `gather`, `reduce` and `sums`.
        for_products: runs `weights` and `matmul`.
    """

    name = "mixed"

    def __init__(self, for_sums: Projection, for_products: Projection) -> None:
        super().__init__(for_sums.synapses)
        self.for_sums, self.for_products = for_sums, for_products

    @property
    def size(self) -> int:
        return self.for_sums.size

    def spread(self, w: mx.array) -> mx.array:
        return self.for_sums.spread(w)

    def weights(self, w: mx.array) -> mx.array:
        return self.for_products.weights(w)

    def gather(self, v: mx.array) -> mx.array:
        return self.for_sums.gather(v)

    def reduce(self, a: mx.array) -> mx.array:
        return self.for_sums.reduce(a)

    def matmul(self, x: mx.array, w: mx.array) -> mx.array:
        return self.for_products.matmul(x, w)

    def _product(self, x: mx.array, w: mx.array) -> mx.array:
        return self.for_products._product(x, w)

    def onto(self, start: int, stop: int) -> MixedProjection:
        return MixedProjection(self.for_sums.onto(start, stop), self.for_products.onto(start, stop))

    def _sums(
        self, currents: Currents, v: mx.array, parameters: tuple[mx.array, ...]
    ) -> tuple[mx.array, ...]:
        return self.for_sums._sums(currents, v, parameters)

    def __repr__(self) -> str:
        return f"MixedProjection({self.for_sums!r}, {self.for_products!r})"
