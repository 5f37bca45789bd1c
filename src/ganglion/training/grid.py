"""Targets at sampling times of their own: inputs and targets on the union of both grids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import counted, numbers, several
from .series import pad

Floats: TypeAlias = "NDArray[np.float64]"
Narrow: TypeAlias = "NDArray[np.float32]"
NEAR = 1e-6
"""Times that are nearer than this part of the median time span are one."""


class Grid(NamedTuple):
    """Recordings on the union of their grids, in the order in which losses take them.

    Attributes:
        x: (B, U, I) inputs.
        y: (B, U, K) targets; NaN where there is none.
        timespans: (B, U) time since the sample before.
        mask: (B, U) 1 for samples, 0 behind the end of a shorter recording.
    """

    x: Narrow
    y: Narrow
    timespans: Narrow
    mask: Narrow


def union_grid(
    x: Sequence[ArrayLike], timespans: Sequence[ArrayLike], y: Sequence[Any], times: Sequence[Any]
) -> Grid:
    """Recordings whose targets were measured at other times than their inputs, on the union of both grids.

    A network reads an input over the time span that ends with it. Where a target lies inside such a span, the
    span is parted in two, which both have the span's input: this is the same input over time, so that nothing
    is interpolated, and the network is asked for its state at the very moment of the measurement. What
    changes is the grid of the network's solver, by as much as `solver_error` says or less. Spans without a
    target inside stay as they are, to the bit.

    Time begins at 0 in front of the first span, so that input t is at ``cumsum(timespans)[t]``. A target at 0
    is beside the state from which a recording begins.

    Args:
        x: B recordings of inputs, (T, I) each.
        timespans: of each recording (T,) time since the sample before, or one number for all.
        y: of each recording (S, K) targets of K neurons, or K sequences of them, (S,) with an S of its own.
            NaN is a gap.
        times: of each recording (S,) when they were measured, or K such sequences.

    Raises:
        ValueError: shapes that do not fit, a time outside of the recording, or two targets of a neuron at one
            time.
        TypeError: no numbers.

    Example:
        >>> data = gl.union_grid([x], [0.05], [traces], [frames])          # inputs at 20 Hz
        >>> gl.fit(seen, data, loss=gl.training.mse, optimizer=optimizer, epochs=20)
    """
    given = [several(name, value, "recordings") for name, value in
             (("x", x), ("timespans", timespans), ("y", y), ("times", times))]  # fmt: skip
    sizes = [len(each) for each in given]
    if len(set(sizes)) > 1 or not sizes[0]:
        raise ValueError(f"x, timespans, y and times are of {sizes} recordings: expected as many of each")
    parts = [_joined(f"recording {k}", *each) for k, each in enumerate(zip(*given, strict=True))]
    (inputs, lengths), (targets, _), (spans, _) = (
        pad([part[k] for part in parts], fill) for k, fill in enumerate((0.0, 0.0, 1.0))
    )
    mask = np.arange(inputs.shape[1]) < lengths[:, None]
    targets[~mask] = np.nan
    return Grid(inputs, targets, spans, mask.astype(np.float32))


def _joined(name: str, x: Any, timespans: Any, y: Any, times: Any) -> tuple[Floats, Floats, Floats]:
    """(U, I) inputs, (U, K) targets and (U,) time spans of one recording."""
    inputs = np.asarray(numbers(f"x of {name}", x), np.float64)
    if inputs.ndim != 2 or not len(inputs):
        raise ValueError(f"x of {name} has shape {inputs.shape}: expected (T, I)")
    spans = np.asarray(numbers(f"timespans of {name}", timespans), np.float64)
    if spans.shape not in ((), (len(inputs),)):
        raise ValueError(f"timespans of {name} have shape {spans.shape}: expected one, or ({len(inputs)},)")
    spans = np.broadcast_to(spans, (len(inputs),))
    if not (np.isfinite(spans) & (spans >= 0)).all():
        raise ValueError(f"timespans of {name}: expected finite numbers of at least 0")
    at = np.cumsum(spans)
    near = NEAR * float(np.median(spans[spans > 0])) if (spans > 0).any() else 0.0
    values, moments = _by_neuron(name, y, times)
    found = [_places(name, k, each, at, near) for k, each in enumerate(moments)]
    between = [moment[place < 0] for moment, place in zip(moments, found, strict=True)]
    new = _apart(np.concatenate(between), near)
    # Samples in order of time; one that parts a span comes before the input that ends it.
    clock = np.concatenate([new, at])
    source = np.concatenate([np.searchsorted(at, new), np.arange(len(at))])
    order = np.lexsort((np.arange(len(clock)), clock))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    targets = np.full((len(order), len(values)), np.nan)
    for k, (value, moment, input_at) in enumerate(zip(values, moments, found, strict=True)):
        rows = place[np.where(input_at < 0, np.searchsorted(new, moment - near), len(new) + input_at)]
        if len(set(rows.tolist())) < len(rows):
            again = moment[np.flatnonzero(np.bincount(rows)[rows] > 1)[0]]
            raise ValueError(f"{name} has two targets of neuron {k} at time {again:g}")
        targets[rows, k] = value
    parted = np.diff(clock[order], prepend=0.0)
    whole = (order >= len(new)) & (np.concatenate([[len(new)], order[:-1]]) >= len(new))
    kept = np.where(whole, spans[np.maximum(order - len(new), 0)], parted)
    return inputs[source[order]], targets, kept


def _by_neuron(name: str, y: Any, times: Any) -> tuple[list[Floats], list[Floats]]:
    """The targets of each neuron, and when they were measured."""
    if isinstance(y, list | tuple) and isinstance(times, list | tuple) and times and np.ndim(times[0]):
        if len(y) != len(times):
            raise ValueError(f"{name} has targets of {counted(len(y), 'neuron')}, and times of {len(times)}")
        values = [np.asarray(numbers(f"y of {name}", each), np.float64) for each in y]
        moments = [np.asarray(numbers(f"times of {name}", each), np.float64) for each in times]
    else:
        table = np.asarray(numbers(f"y of {name}", y), np.float64)
        moment = np.asarray(numbers(f"times of {name}", times), np.float64)
        if table.ndim != 2 or moment.shape != table.shape[:1]:
            raise ValueError(
                f"y of {name} has shape {table.shape} and times {moment.shape}: expected (S, K) and (S,)"
            )
        values, moments = list(table.T), [moment] * table.shape[1]
    for k, (value, moment) in enumerate(zip(values, moments, strict=True)):
        if value.ndim != 1 or value.shape != moment.shape:
            raise ValueError(
                f"neuron {k} of {name} has targets of shape {value.shape} and times {moment.shape}: expected "
                "as many"
            )
    return values, moments


def _places(name: str, neuron: int, moments: Floats, at: Floats, near: float) -> NDArray[np.int64]:
    """The input that is at each moment, the last one of several; -1 where there is none."""
    outside = ~((moments >= -near) & (moments <= at[-1] + near))
    if outside.any():
        raise ValueError(
            f"{name} has a target of neuron {neuron} at time {moments[outside][0]:g}: the recording is from "
            f"0 to {at[-1]:g}"
        )
    place = np.searchsorted(at, moments + near, side="right") - 1
    return np.where((place >= 0) & (np.abs(at[np.maximum(place, 0)] - moments) <= near), place, -1)


def _apart(moments: Floats, near: float) -> Floats:
    """Moments in order, of those that are one the first."""
    moments = np.sort(moments)
    return moments[np.diff(moments, prepend=-np.inf) > near]
