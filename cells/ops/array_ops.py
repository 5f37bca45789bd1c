"""Arrays as NumPy makes and rearranges them, and where steps of unequal sequences are in one padded array."""

from __future__ import annotations

from collections.abc import Sequence

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..values import Values, Where, any_array, running_on

__all__ = [
    "concatenate",
    "held_index",
    "length_mask",
    "ones",
    "reshape",
    "reverse_index",
    "split",
    "take_steps",
    "transpose",
    "zeros",
]

Mask = NDArray[np.bool_]
Index = NDArray[np.int32]
Shape = int | Sequence[int]


def zeros(shape: Shape, dtype: mx.Dtype = mx.float32, *, stream: Where = None) -> mx.array:
    """Zeros, all of which are one number in memory until somebody changes them."""
    return _filled(0, shape, dtype, stream)


def ones(shape: Shape, dtype: mx.Dtype = mx.float32, *, stream: Where = None) -> mx.array:
    """Ones, likewise."""
    return _filled(1, shape, dtype, stream)


def reshape(x: Values, shape: Shape, *, stream: Where = None) -> mx.array:
    """The same numbers, row after row, in another shape, of which one length may be -1."""
    with running_on(stream):
        return mx.reshape(any_array("x", x), _lengths(shape))


def transpose(x: Values, axes: Sequence[int] | None = None, *, stream: Where = None) -> mx.array:
    """The axes in another order; turned around if none is given."""
    with running_on(stream):
        return mx.transpose(any_array("x", x), None if axes is None else list(axes))


def concatenate(arrays: Sequence[Values], axis: int | None = 0, *, stream: Where = None) -> mx.array:
    """Arrays one behind the other along an axis; None lays each flat first."""
    with running_on(stream):
        return mx.concatenate([any_array("arrays", x) for x in arrays], axis)


def split(x: Values, sections: int | Sequence[int], axis: int = 0, *, stream: Where = None) -> list[mx.array]:
    """Parts along an axis: so many of one length, or cut where each of a list of places is.

    Example:
        >>> [len(part) for part in split(mx.arange(10), [3, 5])]           # [3, 2, 5]
    """
    with running_on(stream):
        array = any_array("x", x)
        if isinstance(sections, int):
            return list(mx.split(array, sections, axis))
        length = array.shape[axis]  # NumPy's places may lie beyond the end
        return list(mx.split(array, [min(max(k + (k < 0) * length, 0), length) for k in sections], axis))


def _filled(value: int, shape: Shape, dtype: mx.Dtype, stream: Where) -> mx.array:
    with running_on(stream):
        return mx.broadcast_to(mx.array(value, dtype), _lengths(shape))


def _lengths(shape: Shape) -> list[int]:
    return [shape] if isinstance(shape, int) else list(shape)


def length_mask(lengths: NDArray[np.integer], steps: int) -> Mask:
    """(B, steps) true at the first ``lengths[b]`` steps of row b."""
    return np.arange(steps) < np.asarray(lengths)[:, None]


def reverse_index(mask: Mask, first: int = 0) -> Index:
    """(B, T) which step comes when, if each row's valid steps are read backwards and the others stay put.

    Args:
        mask: (B, T) which steps are valid.
        first: how many of a row's first steps come before all others, in their own order.

    Example:
        >>> reverse_index(length_mask(np.array([3]), 4))                   # [[2, 1, 0, 3]]
        >>> reverse_index(length_mask(np.array([3]), 4), first=1)          # [[0, 2, 1, 3]]
    """
    index = np.tile(np.arange(mask.shape[1], dtype=np.int32), (len(mask), 1))
    for row, valid in zip(index, mask, strict=True):
        steps = row[valid]
        row[valid] = np.concatenate([steps[:first], steps[first:][::-1]])
    return index


def held_index(mask: Mask) -> Index:
    """(B, T) the last valid step at or before each step, or -1 where there is none yet."""
    steps = np.where(mask, np.arange(mask.shape[1], dtype=np.int32), -1)
    return np.maximum.accumulate(steps, axis=1).astype(np.int32)


def take_steps(x: Values, index: Index, *, stream: Where = None) -> mx.array:
    """(B, T, ...) row b with its steps in the order ``index[b]``, from (B, T, ...) and (B, T)."""
    with running_on(stream):
        array = any_array("x", x)
        places = mx.array(index).reshape(*index.shape, *(1,) * (array.ndim - 2))
        return mx.take_along_axis(array, places, axis=1)
