"""Masked operations for use outside our cells: products and sums over the synapses of a circuit only."""

from __future__ import annotations

import mlx.core as mx
import numpy as np

from ..arguments import flag, instance
from .layouts import Projection
from .layouts.listed import row_sums
from .layouts.projection import flat_batch

PROJECTION = "synapses in a layout, such as compiled.recurrent"


def masked_matmul(x: mx.array, w: mx.array, synapses: Projection, *, polarity: bool = False) -> mx.array:
    r"""A matrix product in which only the synapses of a circuit have weights.

    :math:`y_j = \sum_{i \to j} x_i w_{ij}`, over the synapses i -> j. Inputs, outputs and weights are in plan
    order, whatever the layout; gradients follow the synapses as well, and need no mask.

    Args:
        x: (..., n_pre) values of the presynaptic neurons.
        w: (K,) one weight per synapse.
        synapses: the synapses in a layout, such as ``compiled.recurrent``.
        polarity: use the circuit's signs: polarity * abs(w) instead of w.

    Returns:
        (..., n_post).

    Raises:
        TypeError: an argument of another kind.
        ValueError: shapes that do not fit the synapses.

    Example:
        >>> s = gl.compile_circuit(gl.auto_ncp(64, 8, inputs=16)).recurrent
        >>> y = gl.masked_matmul(mx.ones((32, 64)), mx.ones((484,)), s)            # (32, 64)
    """
    s = instance("synapses", synapses, Projection, PROJECTION).synapses
    flag("polarity", polarity)
    instance("w", w, mx.array, "an MLX array")
    _check("x", x, s.n_pre, "presynaptic neurons")
    if w.ndim != 1:
        raise ValueError(f"w has shape {tuple(w.shape)}: expected one weight per synapse, ({len(s)},)")
    _check("w", w, len(s), "synapses")
    if polarity:
        w = mx.array(s.polarity.astype(np.float32)) * mx.abs(w)
    return synapses.matmul(x, synapses.weights(w))


def synaptic_sum(a: mx.array, synapses: Projection) -> mx.array:
    r"""The sum of one value per synapse over the synapses onto each neuron.

    :math:`y_j = \sum_{i \to j} a_{ij}`. It reads and adds rows without a scatter, forward and backward. To
    compute currents and their sums together, and fastest, use ``synapses.sums``.

    Args:
        a: (..., K) one value per synapse, in plan order.
        synapses: the synapses in any layout, such as ``compiled.recurrent``.

    Returns:
        (..., n_post).

    Raises:
        TypeError: an argument of another kind.
        ValueError: the last axis is not one value per synapse.

    Example:
        >>> s = gl.compile_circuit(gl.auto_ncp(64, 8, inputs=16)).recurrent
        >>> fan_in = gl.synaptic_sum(mx.ones((484,)), s)                           # (64,)
    """
    s = instance("synapses", synapses, Projection, PROJECTION).synapses
    _check("a", a, len(s), "synapses")
    order, onto = synapses.by_post

    def by_columns(rows: mx.array) -> mx.array:
        return onto.sum(order(mx.contiguous(rows.T))).T

    return row_sums(s, flat_batch(a), by_columns).reshape(*a.shape[:-1], s.n_post)


def _check(name: str, array: mx.array, n: int, what: str) -> None:
    instance(name, array, mx.array, "an MLX array")
    if array.ndim == 0 or array.shape[-1] != n:
        raise ValueError(f"{name} has shape {tuple(array.shape)}: expected (..., {n}), for {n} {what}")
