"""The time of a cell: time spans of the data in units of its time scale."""

from __future__ import annotations

from typing import Any, TypeVar

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..arguments import MOST_UNFOLDS, real, whole

Spans = TypeVar("Spans", bound="float | mx.array | np.ndarray[Any, Any]")
LEAST, MOST = 1e-30, 1e30
AUTO, UNFOLDS = "auto", 6
CLOSED = "it maps a state from sample to sample and solves nothing in steps"
MOST_PARTS = 1_000_000
"""Of one time span; more take minutes."""
EXACT = 1.0 - 1e-6
"""What float32 makes of 0.3 has three parts of 0.1, and no fourth for the rounding."""
LONGEST = float(np.finfo(np.float32).max)
"""Beyond it a time span is infinite in float32, in which networks compute."""


def time_scale_of(given: Any) -> float | None:
    """The option `time_scale`; errors as `max_step_of` has them."""
    return _time("time_scale", given)


def unfolds_of(given: Any) -> int:
    """The option `ode_unfolds`; for "auto" what it is until `fit` chooses.

    Raises:
        TypeError: no whole number.
        ValueError: one that is too small or too large.
    """
    auto = isinstance(given, str) and given == AUTO
    return UNFOLDS if auto else whole("ode_unfolds", given, most=MOST_UNFOLDS)


def max_step_of(given: Any) -> float | None:
    """The option `max_step`.

    Raises:
        TypeError: no number.
        ValueError: it is not positive, or its inverse is no number in float32.
    """
    return _time("max_step", given)


def _time(name: str, given: Any) -> float | None:
    if given is None:
        return None
    time = real(name, given, above=0)
    if not LEAST <= time <= MOST:
        raise ValueError(f"{name} must be from {LEAST:g} to {MOST:g}, got {time!r}")
    return time


def parts_of(spans: NDArray[Any], longest: float) -> NDArray[np.int32]:
    """In how many equal parts, none longer than `longest`, each time span is divided.

    Raises:
        ValueError: in more than `MOST_PARTS`.
    """
    counts = np.maximum(np.ceil(np.asarray(spans, np.float64) / longest * EXACT), 1.0)
    if counts.max(initial=1.0) > MOST_PARTS:
        raise ValueError(
            f"a time span has {counts.max():.3g} parts of at most max_step: expected {MOST_PARTS} or fewer"
        )
    found: NDArray[np.int32] = counts.astype(np.int32)
    return found


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
