"""In which type a network gives what it computed in float32: in that of its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

import mlx.core as mx
import mlx.nn as nn

from .ops.state_ops import State, each


def in_type_of(module: nn.Module, output: mx.array, state: State) -> tuple[mx.array, State]:
    """What was computed in float32, in the type of a module's parameters."""
    dtype = parameters_type(module)
    if dtype == mx.float32:
        return output, state
    return output.astype(dtype), each(lambda array: array.astype(dtype), state)


def parameters_type(module: Any) -> mx.Dtype:
    """The type of the parameters of a module, of several the one that holds them all; float32 without any."""
    found = set(_types(module))
    return reduce(mx.result_type, found) if found else mx.float32


def _types(value: Any) -> Iterator[mx.Dtype]:
    if isinstance(value, mx.array):
        if mx.issubdtype(value.dtype, mx.floating):
            yield value.dtype
    elif isinstance(value, dict):
        for name, part in value.items():
            if not name.startswith("_"):
                yield from _types(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _types(part)
