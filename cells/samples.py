"""Which samples of a padded batch are there: the one place that says it.

A sample is valid where a mask is true, or before the length of its sequence. What stands anywhere else, NaN
included, has no influence on a state, an output, a loss or a gradient.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np

from .ops.array_ops import Mask, length_mask
from .values import whole_array


def valid_samples(mask: Any, lengths: Any, batch: int, steps: int, batched: bool = True) -> Mask | None:
    """(B, T) which samples are valid, from a mask or lengths; None if neither was given.

    Raises:
        ValueError: both were given, a shape that does not fit, or numbers that are neither 0 nor 1.
        TypeError: no whole numbers or booleans.
    """
    if lengths is None:
        return flags("mask", mask, batch, steps, batched)
    if mask is not None:
        raise ValueError("both mask and lengths were given: expected one of them")
    counts = whole_array("lengths", lengths)
    if counts.shape != (batch,) or not batched:
        raise ValueError(f"lengths have shape {counts.shape}: expected ({batch},), for a batched input")
    if ((counts < 0) | (counts > steps)).any():
        raise ValueError(f"lengths reach from {counts.min()} to {counts.max()}: expected 0 to {steps}")
    return length_mask(counts, steps)


def flags(what: str, value: Any, batch: int, steps: int, batched: bool = True) -> Mask | None:
    """(B, T) booleans from (B, T) or, for an unbatched input, (T,)."""
    if value is None:
        return None
    given = whole_array(what, value)
    if given.size and (given.min() < 0 or given.max() > 1):
        raise ValueError(
            f"{what} holds numbers from {given.min()} to {given.max()}: expected booleans, or 0 and 1"
        )
    found: Mask = given.astype(bool)
    expected = (batch, steps) if batched else (steps,)
    if found.shape != expected:
        raise ValueError(f"{what} has shape {found.shape}: expected {expected}")
    return found.reshape(batch, steps)


def only_valid(values: mx.array, valid: Mask | None) -> mx.array:
    """(B, T, ...) the values, with zeros where there is no sample."""
    if valid is None:
        return values
    there = mx.array(np.ascontiguousarray(valid)).reshape(*valid.shape, *(1,) * (values.ndim - valid.ndim))
    return mx.where(there, values, mx.zeros((), values.dtype))


def mean_over_valid(samples: mx.array, valid: Mask | None) -> mx.array:
    """The mean over sequences of the mean over their valid samples, from (B, T), or (B,) of one each.

    So every sequence counts alike, and batches and parts of a batch add up.

    Raises:
        ValueError: a sequence without a valid sample, which has no mean.
    """
    if valid is None:
        return samples.mean()
    counts = valid.sum(axis=-1)
    if (counts == 0).any():
        row = int(np.argmin(counts))
        raise ValueError(f"sequence {row} of the batch has no valid sample: leave it out")
    if samples.ndim < valid.ndim:
        return samples.mean()
    return (only_valid(samples, valid).sum(axis=-1) / mx.array(counts.astype(np.float32))).mean()
