"""Numbers of 64 bits as MLX computes with them, unless too much of them would be lost."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LOST = 1e-3
"""The largest part of a column's spread that rounding to float32 may take."""
CHUNK = 1 << 22
"""Numbers that are looked at together, so that a memory map is never read whole."""
GROWING, STILL = 6, 0.1
"""From how many steps on rows that only grow are no accident, and what part of them may be lost."""
INT32, FLOAT32 = np.iinfo(np.int32), np.finfo(np.float32)


def narrow(array: NDArray[Any]) -> NDArray[Any]:
    """Numbers of 64 bits in 32: whole numbers stay whole if they fit, others become float32."""
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        fits = not array.size or (array.min() >= INT32.min and array.max() <= INT32.max)
        return array.astype(np.int32 if fits else np.float32)
    return array.astype(np.float32) if array.dtype == np.float64 else array


def refuse_lost(array: NDArray[Any], what: str, names: list[str] | None = None) -> None:
    """Raise ValueError if float32 cannot tell the numbers of a column apart, such as seconds since 1970.

    Args:
        array: (items, ..., columns), or (items,) of a single column; anything but numbers of 64 bits passes.
        what: what an error calls the array.
        names: of the columns; their numbers if not given.
    """
    if array.dtype.kind not in "iuf" or array.dtype.itemsize != 8 or not array.size:
        return
    columns = array.shape[-1] if array.ndim > 1 else 1
    items = max(1, CHUNK * len(array) // array.size)
    start, sums, fits = np.zeros(columns, array.dtype), np.zeros((4, columns)), np.ones(columns, bool)
    for first in range(0, len(array), items):
        part = np.asarray(array[first : first + items]).reshape(-1, columns)
        with np.errstate(all="ignore"):
            rounded = narrow(part).astype(part.dtype)
            finite = np.isfinite(part)
            fits &= (~finite | (np.abs(part.astype(np.float64)) <= FLOAT32.max)).all(axis=0)
            if first == 0:  # sums about a number of the column keep what differs
                start = np.where(finite.any(axis=0), part[finite.argmax(axis=0), np.arange(columns)], 0)
            away = np.where(finite, _difference(part, start), 0.0)
            lost = np.where(finite, _difference(part, rounded), 0.0)
            sums += np.stack([finite.sum(0), away.sum(0), (away**2).sum(0), (lost**2).sum(0)])
    counts = np.maximum(sums[0], 1)
    spread = np.sqrt(np.maximum(sums[2] / counts - (sums[1] / counts) ** 2, 0.0))
    rounding = np.sqrt(sums[3] / counts)
    for k in range(columns):
        column = f"column {names[k]!r}" if names else f"feature {k} of {what}"
        if not fits[k]:
            raise ValueError(f"{column} holds a number beyond {FLOAT32.max:.3g}, the largest of float32")
        if spread[k] > 0 and rounding[k] > LOST * spread[k]:
            raise ValueError(
                f"{column} holds numbers about {float(start[k])!r} that float32 cannot tell apart: they "
                f"spread over {spread[k]:.3g}, and rounding moves them by {rounding[k]:.3g}; subtract a "
                "constant first"
            )


def refuse_stamps(rows: NDArray[Any], what: str) -> None:
    """Raise ValueError for rows that only grow, as times of day do, where float32 has equal numbers.

    Args:
        rows: (items, steps); anything but numbers of 64 bits passes.
        what: what an error calls the array.
    """
    if rows.dtype.kind not in "iuf" or rows.dtype.itemsize != 8 or rows.shape[1] < GROWING or not len(rows):
        return
    rows = rows[: max(1, CHUNK // rows.shape[1])]
    if not (rows[:, 1:] > rows[:, :-1]).all():
        return
    same = np.diff(rows.astype(np.float32), axis=1) == 0
    if same.mean() > STILL:
        raise ValueError(
            f"{what} hold times such as {rows[0, 0].item()!r} that grow from step to step, and float32 has "
            f"equal numbers for {same.mean():.0%} of them: give the time since the sample before, as np.diff "
            "does"
        )


def _difference(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """a - b, exact for whole numbers of 64 bits, with and without sign, before it becomes a float."""
    difference: NDArray[Any] = a - b
    whole = a.dtype.kind in "iu"
    return np.asarray(difference.astype(np.int64) if whole else difference, np.float64)
