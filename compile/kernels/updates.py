"""A step of an optimizer over all parameters at once, as one node of MLX's graph, and flat arrays for it."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from math import prod
from typing import Any

import mlx.core as mx

from . import nodes
from .nodes import DONE, ROOM

RULES = ("adam", "sgd")  # in the order of update.h


def parts(flat: mx.array, shapes: Sequence[tuple[int, ...]], library: Any = None) -> list[mx.array]:
    """The float32 arrays of these shapes that lie one behind the other in a flat one, where they are."""
    if flat.dtype != mx.float32 or flat.size != sum(map(prod, shapes)):
        raise ValueError(
            f"{flat.size} numbers of {flat.dtype} in parts {shapes}: expected as many of float32"
        )
    words = [len(shapes), *(word for shape in shapes for word in (len(shape), *shape))]
    made = [mx.array(0.0) for _ in shapes]
    error = ctypes.create_string_buffer(ROOM)
    declared = (ctypes.c_int64 * len(words))(*words)
    code = (library or nodes.library()).ganglion_parts(id(flat), declared, _objects(made), error, ROOM)
    return _checked(made, code, error)


def updated(
    rule: str,
    numbers: Sequence[float],
    rate: mx.array,
    step: mx.array,
    flat: Sequence[mx.array],
    gradients: Sequence[mx.array],
    clipped: Sequence[bool],
    library: Any = None,
) -> list[mx.array]:
    """Parameters and states behind a step of an optimizer, each flat, for MLX to compute later.

    Args:
        rule, numbers: one of `RULES`, and what update.h takes for it.
        rate: the learning rate, one float32.
        step: the number of this step, from 1 on, uint64.
        flat: parameters and states before it, float32, each row after row.
        gradients: of each parameter, in the order in which they lie there.
        clipped: whether a parameter is put back to zero where it is negative.
        library: another one than that of `nodes`, to be tried.
    """
    floats = [rate, *flat, *gradients]
    if step.dtype != mx.uint64 or any(array.dtype != mx.float32 for array in floats):
        raise ValueError("an optimizer's step over something else than float32")
    sizes = {array.size for array in flat} | {sum(array.size for array in gradients)}
    if len(sizes) != 1 or len(gradients) != len(clipped):
        raise ValueError(f"parameters, states and gradients of {sorted(sizes)} numbers: expected as many")
    given = [rate, step, *flat, *gradients]
    made = [mx.array(0.0) for _ in flat]
    error = ctypes.create_string_buffer(ROOM)
    code = (library or nodes.library()).ganglion_update(
        RULES.index(rule), (ctypes.c_float * len(numbers))(*numbers), len(numbers), bytes(clipped),
        len(clipped), _objects(given), len(given), _objects(made), error, ROOM,
    )  # fmt: skip
    return _checked(made, code, error)


def same(some: Sequence[mx.array], others: Sequence[mx.array]) -> bool:
    """Whether objects hold the same arrays: what is done in place puts another array into the same object."""
    fits = len(some) == len(others)
    return fits and bool(nodes.library().ganglion_same(_objects(some), _objects(others), len(some)))


def _objects(arrays: Sequence[mx.array]) -> Any:
    return (ctypes.c_void_p * len(arrays))(*map(id, arrays))


def _checked(made: list[mx.array], code: int, error: Any) -> list[mx.array]:
    if code != DONE:
        raise RuntimeError(error.value.decode(errors="replace") or f"the array {code} is none of MLX")
    return made
