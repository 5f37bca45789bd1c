"""Values in matrices of which NaN and infinities reach those that have a synapse from them, and no other.

In a matrix a pair without a synapse is a zero, and zero times NaN is NaN. So values are chosen and not
multiplied; before a product NaN and infinities are taken out, and a second one over the mask says whom they
reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias, cast

import mlx.core as mx
import numpy as np

from .segments import PLAIN, plain

# (B, n_post) from (B, n_pre) and weights; linear in both.
Product: TypeAlias = Callable[[mx.array, mx.array], mx.array]

LARGEST = float(np.finfo(np.float32).max)
INFINITE, NAN = 1.0, 4096.0  # in a sum of fewer than 4096 infinities, a NaN stands out


WHOLE = ContextVar("WHOLE", default=True)
"""Whether a product looks after NaN and infinities itself, and not who writes it down."""


@contextmanager
def whole_products(value: bool) -> Iterator[None]:
    """Inside, products look after NaN and infinities, or are bare for who computes over synapses alone."""
    token = WHOLE.set(value)
    try:
        yield
    finally:
        WHOLE.reset(token)


def chosen(mask: mx.array, a: mx.array) -> mx.array:
    """`a` where a mask that broadcasts to it is true, else 0; so is its gradient, which MLX multiplies."""

    if PLAIN.get():
        return mx.where(mask, a, 0.0)

    @mx.custom_function
    def forward(a: mx.array) -> mx.array:
        return mx.where(mask, a, 0.0)

    @forward.vjp
    def vjp(a: mx.array, c: mx.array, _: mx.array) -> mx.array:
        return chosen(mask, c)

    @forward.vmap
    def vmap(a: mx.array, axis: int) -> tuple[mx.array, int]:
        return chosen(mask, mx.moveaxis(a, axis, 0)), 0

    return cast(mx.array, forward(a))


def selected(product: Product, x: mx.array, w: mx.array, mask: mx.array) -> mx.array:
    """``product(x, w)`` over the synapses of a mask only; its derivatives by x and w keep to them as well.

    Args:
        product: over all pairs, with weights of zero where there is no synapse.
        x: (B, n_pre) values of the presynaptic neurons.
        w: weights.
        mask: the weights that are 1 on every synapse.
    """

    if PLAIN.get():
        return _selected(product, x, w, mask)

    @mx.custom_function
    def forward(x: mx.array, w: mx.array) -> mx.array:
        with plain(True):  # the gradients are below
            return _selected(product, x, w, mask)

    @forward.vjp
    def vjp(primals: list[mx.array], c: mx.array, _: mx.array) -> tuple[mx.array, mx.array]:
        x, w = primals

        # All arrays are arguments here: MLX would go through the history of one that is captured, at each of
        # a sequence's products again.
        def back(c: mx.array, w: mx.array) -> mx.array:
            rows = mx.zeros((*c.shape[:-1], x.shape[-1]), x.dtype)  # more than those of x, inside mx.vmap
            with plain(False):
                return mx.vjp(product, [rows, w], [c.astype(mx.result_type(x, w))])[1][0]

        # A weight of no synapse gets a gradient, too, which nothing reads: see `Projection.weights`.
        return selected(back, c, w, mask), mx.vjp(product, [x, w], [c])[1][1]

    @forward.vmap
    def vmap(inputs: list[mx.array], axes: list[int | None]) -> tuple[mx.array, int]:
        x, w = (a if axis is None else mx.moveaxis(a, axis, 0) for a, axis in zip(inputs, axes, strict=True))
        if axes[1] is None:  # more rows
            y = selected(product, x.reshape(-1, x.shape[-1]), w, mask)
            return y.reshape(*x.shape[:-1], y.shape[-1]), 0
        rows = (x if axes[0] is None else x[k] for k in range(len(w)))
        return mx.stack([selected(product, each, w[k], mask) for k, each in enumerate(rows)]), 0

    return cast(mx.array, forward(x, w))


def _selected(product: Product, x: mx.array, w: mx.array, mask: mx.array) -> mx.array:
    if not WHOLE.get():
        return product(x, w)
    missing, infinite = mx.isnan(x), mx.isinf(x)
    y = product(mx.where(missing, 0.0, mx.clip(x, *_limits(x.dtype))).astype(x.dtype), w)
    flags = mx.where(missing, NAN, mx.where(infinite, INFINITE, 0.0))
    reached = product(flags, mask)
    beyond = mx.where(reached >= NAN, mx.array(float("nan")), y * float("inf"))
    return mx.where(reached > 0.0, beyond, y).astype(y.dtype)


def _limits(dtype: mx.Dtype) -> tuple[float, float]:
    largest = float(mx.finfo(dtype).max) if mx.issubdtype(dtype, mx.floating) else LARGEST
    return -largest, largest
