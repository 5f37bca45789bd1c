"""Sequences of unequal length in one padded array: masks, and where each step finds its value."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Index = NDArray[np.int32]


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


def take_steps(x: mx.array, index: Index) -> mx.array:
    """(B, T, ...) row b with its steps in the order ``index[b]``, from (B, T, ...) and (B, T)."""
    places = mx.array(index).reshape(*index.shape, *(1,) * (x.ndim - 2))
    return mx.take_along_axis(x, places, axis=1)
