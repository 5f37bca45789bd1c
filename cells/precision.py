"""In which type a network gives what it computed in float32: in that of its parameters."""

from __future__ import annotations

from functools import reduce
from typing import Any

import mlx.core as mx
import mlx.nn as nn

from .ops.state_ops import State, each

FLOATS = {mx.float16, mx.bfloat16, mx.float32}


def in_type_of(module: nn.Module, output: mx.array, state: State) -> tuple[mx.array, State]:
    """What was computed in float32, in the type of a module's parameters."""
    dtype = parameters_type(module)
    if dtype == mx.float32:
        return output, state
    return output.astype(dtype), each(lambda array: array.astype(dtype), state)


def parameters_type(module: Any) -> mx.Dtype:
    """The type of the parameters of a module, of several the one that holds them all; float32 without any."""
    found: set[mx.Dtype] = set()
    parts = [module]
    while parts:  # no recursion: a call of one sample would feel it
        value = parts.pop()
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            if type(part) is mx.array:
                found.add(part.dtype)
            elif isinstance(part, dict | list | tuple) and not (isinstance(name, str) and name[0] == "_"):
                parts.append(part)
    kinds = found & FLOATS
    if len(kinds) == 1:
        return kinds.pop()
    return reduce(mx.result_type, kinds) if kinds else mx.float32
