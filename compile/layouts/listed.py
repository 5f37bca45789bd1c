"""Sums over the synapses onto each neuron for rows of values, by a kernel of our own where there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

import mlx.core as mx

from ..kernels.operations import listed
from ..synapses import Synapses
from .segments import PLAIN

RowMap = Callable[[mx.array], mx.array]


def row_sums(synapses: Synapses, a: mx.array, instead: RowMap) -> mx.array:
    """(B, n_post) from (B, K) values in plan order; `instead` does it where there is no kernel."""
    ptr, post = mx.array(synapses.ptr), mx.array(synapses.post)

    def mapped(what: Literal["segments", "expand"], rows: mx.array) -> mx.array:
        """A sum or its adjoint, either of which is the other's."""

        @mx.custom_function
        def function(rows: mx.array) -> mx.array:
            found = listed(what, len(rows), rows, ptr if what == "segments" else post)
            if found is not None:
                return found
            return instead(rows) if what == "segments" else mx.take(rows, post, axis=-1)

        @function.vjp
        def function_vjp(rows: mx.array, c: mx.array, _: mx.array) -> mx.array:
            return mapped("expand" if what == "segments" else "segments", c)

        @function.vmap
        def function_vmap(rows: mx.array, axis: int) -> tuple[mx.array, int]:
            rows = mx.moveaxis(rows, axis, 0)
            found = mapped(what, rows.reshape(-1, rows.shape[-1]))
            return found.reshape(*rows.shape[:-1], found.shape[-1]), 0

        return cast(mx.array, function(rows))

    if PLAIN.get() or listed("segments", len(a), a, ptr) is None:
        return instead(a)
    return mapped("segments", a)
