"""Activations by name, and the affine map of one number per neuron."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx
import mlx.nn as nn


def lecun_tanh(x: mx.array) -> mx.array:
    """1.7159 tanh(0.666 x), the scaled tanh of LeCun et al., Efficient BackProp, 1998, section 4.4."""
    return 1.7159 * mx.tanh(0.666 * x)


_FUNCTIONS: dict[str, Callable[[mx.array], mx.array]] = {
    "lecun_tanh": lecun_tanh,
    "relu": nn.relu,
    "tanh": mx.tanh,
    "silu": nn.silu,
    "gelu": nn.gelu,
    "sigmoid": mx.sigmoid,
    "softplus": nn.softplus,
    "linear": lambda x: x,
}
ACTIVATIONS = tuple(_FUNCTIONS)


def activate(name: str, x: mx.array) -> mx.array:
    """One of the `ACTIVATIONS` by name.

    Raises:
        KeyError: an unknown name; layers check theirs when they are made.

    Example:
        >>> activate("lecun_tanh", mx.array(1.0))                          # 0.9992
    """
    return _FUNCTIONS[name](x)


def affine(x: mx.array, w: mx.array | None, b: mx.array | None) -> mx.array:
    """x * w + b elementwise, (..., n) from (..., n) and vectors (n,); an absent vector changes nothing."""
    x = x if w is None else x * w
    return x if b is None else x + b
