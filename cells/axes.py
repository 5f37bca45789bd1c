"""Axes, lengths, places and rows, as operations take them: checked, since MLX reads outside of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..arguments import LARGEST, array_of, instance, label, several, whole
from ..compile.kernels.tracing import evaluable


def lengths(shape: Any, least: int = 0) -> list[int]:
    """The lengths of a shape, or an error; `least` is -1 where one may be left open."""
    given = [shape] if isinstance(shape, int) else several("shape", shape, "whole numbers")
    return [k if type(k) is int and 0 <= k <= LARGEST else whole("a length", k, least) for k in given]


def axis_of(axis: Any, x: mx.array) -> int:
    """An axis of an array, or an error that says which there are."""
    if type(axis) is int and -x.ndim <= axis < x.ndim:
        return axis
    if isinstance(axis, bool) or not isinstance(axis, int | np.integer):
        raise TypeError(f"axis must be a whole number, got {label(axis)}")
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"axis is {label(axis, 40)}, but the array has shape {x.shape}")
    return int(axis)


def axes_of(axis: Any, x: mx.array) -> int | list[int] | None:
    """One axis, several, or None for all, or an error."""
    if axis is None:
        return None
    if isinstance(axis, list | tuple):
        found = [axis_of(each, x) for each in axis]
        if len({each % x.ndim for each in found}) < len(found):
            raise ValueError(f"axis holds an axis twice: {label(axis)}")
        return found
    return axis_of(axis, x)


def mask_of(mask: Any) -> NDArray[np.bool_]:
    """(B, T) booleans, or an error."""
    return _array_of("mask", mask, ("B", "T"), "b", "booleans")


def counts_of(name: str, values: Any) -> NDArray[np.integer[Any]]:
    """(B,) whole numbers, or an error."""
    return _array_of(name, values, ("B",), "iu", "whole numbers")


def steps_of(index: Any, x: mx.array) -> NDArray[np.integer[Any]]:
    """(B, T') steps of an array (B, T, ...), none of which it does not have, or an error."""
    array: NDArray[np.integer[Any]] = _array_of("index", index, ("B", "T"), "iu", "whole numbers")
    if x.ndim < 2 or len(array) != len(x):
        raise ValueError(f"index has shape {array.shape}: expected one row for each of an array {x.shape}")
    require_inside(array, x.shape[1], "steps")
    return array


def index_of(index: Any, count: int) -> Any:
    """What may index `count` rows: a whole number, a slice or an array of MLX, none beyond them, or an error.

    An array without values yet, inside `mx.compile` and `mx.vmap`, is taken as it is.
    """
    if isinstance(index, slice):
        return index
    if not isinstance(index, mx.array):
        instance("index", index, (int, np.integer), "a whole number, a slice or an array of MLX")
        index = whole("index", index, -LARGEST)
    elif not mx.issubdtype(index.dtype, mx.integer):  # booleans, too, of which MLX has no index
        raise TypeError(f"index must be an array of whole numbers, got {label(index)}")
    elif not evaluable((index,)):
        return index
    require_inside(np.asarray(index), count, "rows")
    return index


def flags_of(chosen: Any) -> mx.array:
    """Booleans that choose rows, as an array of MLX, or an error."""
    if isinstance(chosen, mx.array) and chosen.dtype == mx.bool_:
        return chosen
    array = None if isinstance(chosen, mx.array) else array_of(chosen)
    if array is None or array.dtype != bool:
        raise TypeError(f"rows are chosen by booleans, got {label(chosen)}")
    return mx.array(array)


def _array_of(name: str, values: Any, axes: tuple[str, ...], kinds: str, told: str) -> NDArray[Any]:
    array = array_of(values)
    if array is None or array.dtype.kind not in kinds or array.ndim != len(axes):
        shape = f"({', '.join(axes)}{',' * (len(axes) == 1)})"
        raise TypeError(f"{name} must be an array {shape} of {told}, got {label(values)}")
    return np.asarray(array)


def require_inside(index: Any, count: int, what: str) -> None:
    """Refuse a place that is not there.

    Raises:
        IndexError: of `count`, there is no such one.
    """
    low, high = (int(index.min()), int(index.max())) if np.size(index) else (0, -1)
    if low < -count or high >= count:
        outside = low if low < -count else high
        raise IndexError(f"there is no {outside} among {count} {what}")


def state_of(name: str, state: Any) -> Any:
    """A state: an array of MLX, or a tuple of some, or an error."""
    if isinstance(state, mx.array):
        return state
    if isinstance(state, tuple) and state and all(isinstance(each, mx.array) for each in state):
        return state
    raise TypeError(f"{name} must be an array of MLX or a tuple of some, got {label(state)}")


def shapes_of(shapes: Sequence[Any]) -> list[list[int]]:
    """Shapes, one or several, or an error."""
    found = [lengths(shape) for shape in several("shapes", shapes, "shapes, such as [(64,)]")]
    if not found:
        raise ValueError("shapes is empty: expected a shape for each array of a state, such as [(64,)]")
    return found
