"""One time step as several, where its time span is divided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np

from ..compile.kernels.tracing import evaluable
from .ops.state_ops import blend
from .timing import parts_of

UNKNOWN = (
    "max_step divides time spans by what they are, which mx.compile, mx.vmap and mx.export_function do not "
    "say: give spans from outside, or none"
)


def through_parts(
    step: Callable[[Any, mx.array], Any], state: Any, timespan: mx.array, longest: float
) -> Any:
    """The state of rows after their time spans (B, 1) or (1, 1), in equal parts of at most `longest`.

    Raises:
        ValueError: a time span without a value, or with more parts than anybody waits for.
    """
    if not evaluable((timespan,)):
        raise ValueError(UNKNOWN)
    parts = parts_of(np.array(timespan), longest)[:, 0]
    each = timespan / mx.array(parts.astype(np.float32))[:, None]
    for p in range(int(parts.max())):
        new = step(state, each)
        state = new if (parts > p).all() else blend(parts > p, new, state)
    return state
