"""Which samples of a padded batch are there: the one place that says it.

A sample is valid where a mask is true, or before the length of its sequence. What stands anywhere else, NaN
included, has no influence on a state, an output, a loss or a gradient.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..compile.kernels.tracing import evaluable
from .ops.array_ops import Mask, held_index, length_mask
from .values import boolean_array, whole_array

RowFlags: TypeAlias = "NDArray[np.bool_]"


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
    if np.count_nonzero((counts < 0) | (counts > steps)):
        raise ValueError(f"lengths reach from {counts.min()} to {counts.max()}: expected 0 to {steps}")
    return length_mask(counts, steps)


def flags(what: str, value: Any, batch: int, steps: int, batched: bool = True) -> Mask | None:
    """(B, T) booleans from (B, T) or, for an unbatched input, (T,); zeros and ones of any kind will do."""
    if value is None:
        return None
    found = boolean_array(what, value)
    expected = (batch, steps) if batched else (steps,)
    if found.shape != expected:
        raise ValueError(f"{what} has shape {found.shape}: expected {expected}")
    return np.array(found.reshape(batch, steps), order="C")  # MLX takes no array that is read backwards


def episode_ends(
    ends: Mask | None, starts: Mask | None, valid: Mask | None
) -> tuple[Mask | None, RowFlags | None]:
    """(B, T) after which samples episodes end, and (B,) in which rows one starts at the first sample.

    An episode that starts at a sample ends the one before, at the last sample there is. Where there is no
    sample, nothing ends or starts.
    """
    if valid is not None:
        ends = None if ends is None else ends & valid
        starts = None if starts is None else starts & valid
    if starts is None:
        return ends, None
    found: Mask = np.zeros_like(starts) if ends is None else ends.copy()
    if valid is None:
        found[:, :-1] |= starts[:, 1:]
        return found, starts[:, 0]
    rows, steps = np.nonzero(starts)
    before = held_index(valid)[rows, steps - 1]
    before[steps == 0] = -1
    known = before >= 0
    found[rows[known], before[known]] = True
    first: RowFlags = np.zeros(len(starts), bool)
    first[rows[~known]] = True
    return found, first


def begun(mask: Mask, *, backwards: bool = False) -> Mask:
    """(B, T) whether a sample has been read at or before each step, or backwards at or after it."""
    if backwards:
        return np.array(begun(mask[:, ::-1])[:, ::-1], order="C")
    found: Mask = np.logical_or.accumulate(mask, axis=1)
    return found


def only_valid(values: mx.array, valid: Mask | None) -> mx.array:
    """(B, T, ...) the values, with zeros where there is no sample."""
    if valid is None:
        return values
    there = mx.array(valid).reshape(*valid.shape, *(1,) * (values.ndim - valid.ndim))
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


def only_known(values: mx.array, known: mx.array) -> mx.array:
    """The values, with zeros where they are not known."""
    return mx.where(known, values, mx.zeros((), values.dtype))


def mean_over_known(values: mx.array, known: mx.array) -> mx.array:
    """The mean over sequences, along the first axis, of the mean over what is known of each.

    A sequence of which nothing is known counts nothing.

    Raises:
        ValueError: no value is known. Inside `mx.compile`, where nobody can say that, it is 0.
    """
    if evaluable((known,)) and not known.any().item():
        raise ValueError("the batch has no target: every one is NaN or left out by the mask")
    rows = known.reshape(len(known), -1)
    counts = rows.sum(axis=-1)
    means = only_known(values, known).reshape(len(known), -1).sum(axis=-1) / mx.maximum(counts, 1)
    return means.sum() / mx.maximum((counts > 0).sum(), 1)
