"""In which type a network gives what it computed in float32: in that of its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

import mlx.core as mx
import mlx.nn as nn

from .ops.state_ops import State, each

FLOATS = {mx.float16, mx.bfloat16, mx.float32}
TREES = (dict, list, tuple)


def in_type_of(module: nn.Module, output: mx.array, state: State) -> tuple[mx.array, State]:
    """What was computed in float32, in the type of a module's parameters."""
    dtype = parameters_type(module)
    if dtype == mx.float32:
        return output, state
    return output.astype(dtype), each(lambda array: array.astype(dtype), state)


def parameters_type(module: Any) -> mx.Dtype:
    """The type of the parameters of a module, of several the one that holds them all; float32 without any."""
    if _holds_float32_only(module):
        return mx.float32
    kinds = {array.dtype for array in _parameters(module)} & FLOATS
    return reduce(mx.result_type, kinds) if kinds else mx.float32


def _holds_float32_only(module: Any) -> bool:
    """A quick look, which a call of one sample would feel otherwise: at what is no parameter, too."""
    single, kind = mx.float32, mx.array
    parts = [module]
    for value in parts:
        for part in value.values() if isinstance(value, dict) else value:
            if type(part) is kind:
                if part.dtype != single and part.size:
                    return False
            elif isinstance(part, TREES):
                parts.append(part)
    return True


def _parameters(module: Any) -> Iterator[mx.array]:
    """The arrays inside a module but for empty ones and those whose name begins with an underscore."""
    for name, part in module.items() if isinstance(module, dict) else enumerate(module):
        if type(part) is mx.array and part.size and not str(name).startswith("_"):
            yield part
        elif isinstance(part, TREES) and not str(name).startswith("_"):
            yield from _parameters(part)
