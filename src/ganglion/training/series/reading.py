"""Tables and ragged lists for who trains in Python: the same reader as that of ``ganglion train``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import label, numbers, real, scalar, several
from ...arguments import path as as_path
from ...cells.values import boolean_array
from ...habits import Habits
from .sequences import Columns, Series, series_of, with_samples
from .table import open_table


def read_series(
    path: str | PathLike[str],
    *,
    inputs: Sequence[str],
    targets: Sequence[str] = (),
    time: str | None = None,
    group: str | None = None,
    **habits: Any,
) -> list[Series]:
    """The sequences of a CSV file, as ``ganglion train`` reads them; gzip is seen by itself.

    Args:
        path: a table with a header and a row per sample.
        inputs, targets: columns, whose numbers come as `x` and `y` of each sequence.
        time: the column of times, numbers or dates; without one, samples are regular.
        group: the column that says which sequence a row belongs to; without one, all are one sequence.
        habits: how the table is written, and what to do about missing cells, rows of one time and falling
            times; see `Habits`.

    Returns:
        One `Series` per group, in the order they appear: ``x`` (T, I), ``y`` (T, M), ``timespans()`` (T,),
        ``mask`` (T,), ``times`` and ``group``. A group of which there is nothing to see, because an input is
        missing in every row, is left out with a warning.

    Raises:
        FileError: something is wrong in the file; the message says where, and which option would take it.

    Example:
        >>> series = gl.read_series("ward.csv.gz", inputs=["pulse"], time="at", missing="mask", ties="mean")
        >>> x, lengths = gl.pad([one.x for one in series])
    """
    written = Habits(**habits)
    inputs, targets = several("inputs", inputs, "columns"), several("targets", targets, "columns")
    for what, names in (("inputs", inputs), ("targets", targets)):
        if not all(isinstance(name, str) for name in names):
            raise TypeError(f"{what} must be a list of columns, got {label(names)}")
    if not len(inputs):
        raise ValueError("no inputs: expected at least one column")
    columns = Columns(tuple(inputs), tuple(targets), time, group)
    with open_table(as_path("path", path), written) as reader:
        return with_samples(series_of(reader, columns)[0])


def pad(arrays: Sequence[ArrayLike], fill: float = 0.0) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Sequences of unequal length as one array, and their lengths, as networks take them.

    Args:
        arrays: sequences (T, ...), whose further axes are alike; T may be 0.
        fill: what stands behind a shorter one; NaN, the mark of what was not measured, for floats.

    Returns:
        (B, longest T, ...) float32, or booleans if all sequences are, and (B,) lengths.

    Raises:
        ValueError: no sequences, axes that differ, or a fill that is infinite or no boolean among booleans.
        TypeError: values that are no numbers.

    Example:
        >>> x, lengths = gl.pad([np.ones((3, 2)), np.ones((5, 2))])        # (2, 5, 2), [3, 5]
        >>> outputs, state = rnn(x, lengths=lengths)
    """
    parts = [numbers(f"sequence {k}", array) for k, array in enumerate(several("arrays", arrays, "arrays"))]
    booleans = all(part.dtype == np.bool_ for part in parts)
    if not (booleans and isinstance(fill, bool)) and not math.isnan(scalar("fill", fill)):
        real("fill", fill)
    if not parts:
        raise ValueError("no sequences: expected at least one")
    for k, part in enumerate(parts):
        if part.ndim < 1 or part.shape[1:] != parts[0].shape[1:]:
            first = ", ".join(map(str, ("T", *parts[0].shape[1:])))
            raise ValueError(f"sequence {k} has shape {part.shape}: expected ({first}) as the first one")
    lengths = np.array([len(part) for part in parts], np.int32)
    with np.errstate(over="ignore"):
        fill = float(np.float32(fill))
    kind = np.bool_ if booleans else np.float32
    if booleans and fill not in (0.0, 1.0):
        raise ValueError(f"fill is {fill:g}: expected True or False behind sequences of booleans")
    found = np.full((len(parts), lengths.max(), *parts[0].shape[1:]), fill, kind)
    with np.errstate(over="ignore"):  # what is beyond float32 is infinite, as in networks
        for row, part in zip(found, parts, strict=True):
            row[: len(part)] = part
    return found, lengths


def since_seen(timespans: ArrayLike, mask: ArrayLike) -> NDArray[np.float64]:
    r"""Time spans for samples of which some are left out: each has the time since the last one seen.

    A network does not see a row that `mask` leaves out, and the time span of that row goes with it. With
    :math:`\Delta_t` the time since the row before, and s the last row before t that is seen,

    .. math:: \Delta'_t = \sum_{u = s + 1}^{t} \Delta_u

    so that a gap is one long time span; where nothing was seen before, it is counted from the beginning.

    Args:
        timespans: (T,) or (B, T) time since the row before, seen or not; what is no time, such as NaN, counts
            nothing in rows that are left out.
        mask: of the same shape, true for the samples that are seen.

    Returns:
        The same shape in float64; 0 in rows that are left out.

    Raises:
        ValueError: shapes that differ, or a time span of a seen sample that is negative or not finite.
        TypeError: no numbers.

    Example:
        >>> gl.since_seen([1.0, 1.0, 1.0, 1.0], [True, False, False, True])    # 1, 0, 0, 3
        >>> outputs, state = rnn(x, timespans=gl.since_seen(spans, mask), mask=mask)
    """
    spans, seen = numbers("timespans", timespans).astype(np.float64), boolean_array("mask", mask)
    if spans.ndim not in (1, 2) or spans.shape != seen.shape:
        raise ValueError(
            f"timespans have shape {spans.shape} and the mask {seen.shape}: expected (T,) or (B, T) of both"
        )
    time = np.isfinite(spans) & (spans >= 0)
    if (bad := seen & ~time).any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        where = f"row {at[0]} at step {at[1]}" if len(at) == 2 else f"step {at[0]}"
        raise ValueError(f"the time span of {where} is {spans[at]}: expected a finite number of at least 0")
    clock = np.cumsum(np.where(time, spans, 0.0), axis=-1)
    before = np.zeros_like(clock)
    before[..., 1:] = np.maximum.accumulate(np.where(seen, clock, 0.0), axis=-1)[..., :-1]
    follows = np.zeros_like(seen)
    follows[..., 1:] = seen[..., :-1]
    # Behind a sample that is seen the span stays to the bit; a difference of sums would round it.
    found: NDArray[np.float64] = np.where(seen, np.where(follows, spans, clock - before), 0.0)
    return found
