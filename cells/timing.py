"""The time of a cell: time spans of the data in units of its time scale."""

from __future__ import annotations

from typing import Any, TypeVar

import mlx.core as mx
import numpy as np

from ..arguments import real

Spans = TypeVar("Spans", bound="float | mx.array | np.ndarray[Any, Any]")
LEAST, MOST = 1e-30, 1e30
LONGEST = float(np.finfo(np.float32).max)
"""Beyond it a time span is infinite in float32, in which networks compute."""


def time_scale_of(given: Any) -> float | None:
    """The option `time_scale`.

    Raises:
        TypeError: no number.
        ValueError: it is not positive, or its inverse is no number in float32.
    """
    if given is None:
        return None
    scale = real("time_scale", given, above=0)
    if not LEAST <= scale <= MOST:
        raise ValueError(f"time_scale must be from {LEAST:g} to {MOST:g}, got {scale!r}")
    return scale


def in_own_time(spans: Spans, scale: float | None) -> Spans:
    """Time spans of the data as a cell sees them: divided by its time scale, in float32.

    What is beyond float32 then counts as the longest span.
    """
    if scale is None or scale == 1.0:
        return spans
    narrow = np.float32(scale)
    found: Any
    if isinstance(spans, mx.array):
        found = spans / float(narrow)
        found = mx.minimum(found, LONGEST) if narrow < 1 else found
        return found  # type: ignore[no-any-return]
    with np.errstate(over="ignore"):
        found = np.minimum(np.asarray(spans, np.float32) / narrow, np.float32(LONGEST))
    found = found if isinstance(spans, np.ndarray) else float(found)
    return found  # type: ignore[no-any-return]
