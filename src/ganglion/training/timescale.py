"""Whether the time spans of the data suit the time constants of a network."""

from __future__ import annotations

import warnings
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from ..cells import RNN, record, time_constants
from ..interchange.modes import modes_kept
from .data import Batches
from .finite import Loss
from .inspection import places

SHORT, LONG = 0.05, 5.0
"""Median time spans outside these many median time constants are warned of."""
SEEN = 16
"""How many sequences are looked at."""


def warn_of_time(model: nn.Module, batches: Batches, loss: Loss) -> None:
    """Say that an LTC hardly moves, or forgets everything, from sample to sample.

    The same recording in hours, seconds and milliseconds is three networks: one that does not hear its
    inputs, one that works, and one without a memory. Losses that take no `timespans`, and other cells, which
    have no such time constants, pass without a look.
    """
    place = places(loss).get("timespans")
    batch = batches.data[np.arange(min(SEEN, len(batches.data)))]
    if not isinstance(model, RNN) or place is None or place >= len(batch):
        return
    span = _median(batch[place])
    with modes_kept(model):
        model.eval()
        tau = _time_constant(model, batch[0], batch[place])
    if tau is None or span is None or SHORT * tau <= span <= LONG * tau:
        return
    what = "forget all between two samples" if span > tau else "hardly move from sample to sample"
    warnings.warn(
        f"the time spans have the median {span:.3g} and the neurons' time constants {tau:.3g}, so that they "
        f"{what}: give the spans in a unit in which the two are alike, such as timespans / {span:.3g}, or "
        f"wrap the network in gl.Scaled(..., time_unit={span:.3g})",
        stacklevel=3,  # who calls fit
    )


def _median(values: Any) -> float | None:
    found = np.asarray(values, np.float64)
    found = found[np.isfinite(found) & (found > 0)]
    return float(np.median(found)) if found.size else None


def _time_constant(model: RNN, x: mx.array, timespans: mx.array) -> float | None:
    """The median time constant of an LTC that reads these inputs; None for what has none."""
    if not isinstance(x, mx.array) or x.ndim != 3 or x.shape[-1] != model.input_size:
        return None
    known = mx.where(mx.isfinite(x), x, 0.0)
    spans = mx.where(mx.isfinite(timespans) & (timespans >= 0), timespans, 1.0)
    try:
        return _median(time_constants(model, record(model, known, timespans=spans)))
    except TypeError:  # no LTC
        return None
