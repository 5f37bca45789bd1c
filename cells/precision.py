"""In which type a network gives what it computed in float32: in that of its parameters."""

from __future__ import annotations

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
    kinds = _types(module, private=True)
    if kinds <= {mx.float32}:  # a quick look, which a call of one sample would feel otherwise
        return mx.float32
    kinds = _types(module, private=False)
    return reduce(mx.result_type, kinds) if kinds else mx.float32


def _types(module: Any, *, private: bool) -> set[mx.Dtype]:
    """The floating-point types inside a module; of arrays named with an underscore, too, if `private`."""
    found: set[mx.Dtype] = set()
    parts = [module]
    while parts:
        value = parts.pop()
        if not private and isinstance(value, dict):
            value = {name: part for name, part in value.items() if not name.startswith("_")}
        for part in value.values() if isinstance(value, dict) else value:
            if type(part) is mx.array:
                found.add(part.dtype)
            elif isinstance(part, TREES):
                parts.append(part)
    return found & FLOATS
