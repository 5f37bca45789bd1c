"""Arrays as NumPy makes and rearranges them, and where steps of unequal sequences are in one padded array."""

from __future__ import annotations

from collections.abc import Sequence

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ...arguments import LARGEST, instance, several, whole
from ...compile.kernels import operations
from ..axes import axis_of, counts_of, lengths, mask_of, steps_of
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
        return mx.reshape(any_array("x", x), lengths(shape, -1))


def transpose(x: Values, axes: Sequence[int] | None = None, *, stream: Where = None) -> mx.array:
    """The axes in another order; turned around if none is given."""
    with running_on(stream):
        array = any_array("x", x)
        if axes is not None:
            axes = [axis_of(axis, array) for axis in several("axes", axes, "axes")]
            if sorted(axis % array.ndim for axis in axes) != list(range(array.ndim)):
                raise ValueError(f"axes are {axes}: expected each axis of an array {array.shape} once")
        return mx.transpose(array, axes)


def concatenate(arrays: Sequence[Values], axis: int | None = 0, *, stream: Where = None) -> mx.array:
    """Arrays one behind the other along an axis; None lays each flat first."""
    with running_on(stream):
        found = [any_array("arrays", x) for x in several("arrays", arrays, "arrays")]
        if not found:
            raise ValueError("arrays is empty: expected one or more")
        if axis is None:
            return mx.concatenate(found, None)
        axis = axis_of(axis, found[0])
        made = operations.joined(found, axis % found[0].ndim)
        return mx.concatenate(found, axis) if made is None else made


def split(x: Values, sections: int | Sequence[int], axis: int = 0, *, stream: Where = None) -> list[mx.array]:
    """Parts along an axis: so many of one length, or cut where each of a list of places is.

    Example:
        >>> [len(part) for part in split(mx.arange(10), [3, 5])]           # [3, 2, 5]
    """
    with running_on(stream):
        array = any_array("x", x)
        axis = axis_of(axis, array)
        length = array.shape[axis]
        if isinstance(sections, int):
            if length % whole("sections", sections):
                raise ValueError(f"{length} along axis {axis} do not make {sections} parts of one length")
            return list(mx.split(array, sections, axis))
        places = [
            whole("a place", k, -LARGEST) for k in several("sections", sections, "places, or a whole number")
        ]
        # NumPy's places may lie beyond the end.
        return list(mx.split(array, [min(max(k + (k < 0) * length, 0), length) for k in places], axis))


def _filled(value: int, shape: Shape, dtype: mx.Dtype, stream: Where) -> mx.array:
    with running_on(stream):
        kind = instance("dtype", dtype, mx.Dtype, "a type of MLX, such as mx.float32")
        return mx.broadcast_to(mx.array(value, kind), lengths(shape))


def length_mask(lengths: NDArray[np.integer], steps: int) -> Mask:
    """(B, steps) true at the first ``lengths[b]`` steps of row b."""
    return np.arange(whole("steps", steps, 0)) < counts_of("lengths", lengths)[:, None]


def reverse_index(mask: Mask, first: int = 0) -> Index:
    """(B, T) which step comes when, if each row's valid steps are read backwards and the others stay put.

    Args:
        mask: (B, T) which steps are valid.
        first: how many of a row's first steps come before all others, in their own order.

    Example:
        >>> reverse_index(length_mask(np.array([3]), 4))                   # [[2, 1, 0, 3]]
        >>> reverse_index(length_mask(np.array([3]), 4), first=1)          # [[0, 2, 1, 3]]
    """
    mask, first = mask_of(mask), whole("first", first, 0)
    index = np.tile(np.arange(mask.shape[1], dtype=np.int32), (len(mask), 1))
    for row, valid in zip(index, mask, strict=True):
        steps = row[valid]
        row[valid] = np.concatenate([steps[:first], steps[first:][::-1]])
    return index


def held_index(mask: Mask) -> Index:
    """(B, T) the last valid step at or before each step, or -1 where there is none yet."""
    mask = mask_of(mask)
    steps = np.where(mask, np.arange(mask.shape[1], dtype=np.int32), -1)
    return np.maximum.accumulate(steps, axis=1).astype(np.int32)


def take_steps(x: Values, index: Index, *, stream: Where = None) -> mx.array:
    """(B, T, ...) row b with its steps in the order ``index[b]``, from (B, T, ...) and (B, T).

    Raises:
        IndexError: a step that is not there.
    """
    with running_on(stream):
        array = any_array("x", x)
        steps = steps_of(index, array)
        places = mx.array(steps).reshape(*steps.shape, *(1,) * (array.ndim - 2))
        return mx.take_along_axis(array, places, axis=1)
