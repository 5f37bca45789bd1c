"""Values from MLX, NumPy or Python as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..arguments import array_of, label, refuse_masked
from ..compile.kernels.tracing import evaluable

Values = mx.array | np.ndarray[Any, Any] | float | Sequence[Any]
BOUND = 1e30
SMALL = 1e37  # float32 holds it, and its root is far below BOUND
_THREADS: tuple[type, ...] = (mx.ThreadLocalStream,) if hasattr(mx, "ThreadLocalStream") else ()
# Where MLX runs: a stream, a device or a kind of device; None for the default.
Where: TypeAlias = "mx.Stream | mx.Device | mx.DeviceType | None"
_PLACES = (mx.Stream, mx.Device, mx.DeviceType)
Flags = mx.array | np.ndarray[Any, Any] | Sequence[Any]


def running_on(stream: Where) -> AbstractContextManager[Any]:
    """Where a call runs, as a block.

    Raises:
        TypeError: neither a stream nor a device of MLX.
        ValueError: a device that this MLX does not have.
    """
    if stream is None:
        return nullcontext()
    if not isinstance(stream, (*_PLACES, *_THREADS)):
        raise TypeError(f"stream must be a stream or a device of MLX, got {label(stream)}")
    return mx.stream(stream)


def real_array(what: str, values: Values) -> mx.array:
    """`values` as a float32 MLX array.

    Raises:
        TypeError: not numbers, or complex ones.
    """
    return mlx_array(what, values).astype(mx.float32)


def mlx_array(what: str, values: Values) -> mx.array:
    """`values` as an MLX array: one of MLX keeps its type, others become float32.

    Raises:
        TypeError: not numbers, or complex ones.
    """
    if not isinstance(values, mx.array):
        refuse_masked(what, values)
        array = _numpy_array(what, values)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{what} must hold real numbers, got {type(values).__name__} of {array.dtype}")
        with np.errstate(over="ignore"):  # what is beyond float32 is infinite, as MLX has it
            values = mx.array(array.astype(np.float32))
    if mx.issubdtype(values.dtype, mx.complexfloating):
        raise TypeError(f"{what} must hold real numbers, got {values.dtype}")
    return values


def any_array(what: str, values: Values) -> mx.array:
    """`values` as an MLX array that keeps its type, but for float64, which becomes float32.

    Raises:
        TypeError: no numbers.
    """
    if isinstance(values, mx.array):
        return values
    refuse_masked(what, values)
    array = _numpy_array(what, values)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"{what} must hold numbers, got {type(values).__name__} of {array.dtype}")
    with np.errstate(over="ignore"):
        return mx.array(array.astype(np.float32) if array.dtype == np.float64 else array)


def bounded(x: mx.array) -> mx.array:
    """Inputs of a network, of which those beyond `BOUND` count as this; NaN stays.

    Every gate takes it for infinite. Infinities themselves have no product with zero and no sum with their
    opposite, so that each engine would compute something else.
    """
    if mx.default_device() == mx.cpu and evaluable((x,)) and surely_bounded(np.asarray(x)):
        return x  # looking at inputs costs less than making others
    return mx.clip(x, -BOUND, BOUND)


def surely_bounded(values: NDArray[Any]) -> bool:
    """Whether float32 values are certainly within `BOUND`, by the one look that costs least.

    Their squares' sum is small enough only if each of them is: not where one is NaN.
    """
    return bool(np.vdot(values, values) < SMALL)


def whole_array(what: str, values: Any) -> NDArray[Any]:
    """`values` as a NumPy array of whole numbers or booleans, known now and not only inside `mx.compile`.

    Raises:
        TypeError: other values.
        ValueError: an array that has no values yet.
    """
    array = _known_array(what, values)
    if array.dtype.kind not in "biu":
        raise TypeError(f"{what} must hold whole numbers, got {array.dtype}")
    return array


def boolean_array(what: str, values: Any) -> NDArray[np.bool_]:
    """`values` as a NumPy array of booleans, from booleans or from zeros and ones, floats too.

    Raises:
        TypeError: no numbers.
        ValueError: other numbers, or an array that has no values yet.
    """
    array = _known_array(what, values)
    if array.dtype.kind == "b":
        return array
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{what} must hold booleans, or zeros and ones, got {array.dtype}")
    found: NDArray[np.bool_] = array == 1
    other = array[~found & (array != 0)]
    if other.size:
        raise ValueError(f"{what} holds {other[0]}: expected booleans, or zeros and ones")
    return found


def _known_array(what: str, values: Any) -> NDArray[Any]:
    if not isinstance(values, mx.array):
        return _numpy_array(what, values)
    # Asked before NumPy asks: there MLX before 0.32.4 throws through the frames of Python.
    if not evaluable((values,)):
        raise ValueError(f"{what} must have values: inside mx.compile, pass a NumPy array")
    return np.array(_numpy_array(what, values))


def _numpy_array(what: str, values: Any) -> NDArray[Any]:
    array: NDArray[Any] | None = array_of(values)
    if array is None:
        raise TypeError(f"{what} must be one array, got {type(values).__name__} of unequal parts")
    return array


def one_of_shapes(shapes: list[tuple[int, ...]]) -> str:
    """The accepted shapes in words, the first of which is a scalar."""
    distinct = list(dict.fromkeys(shapes))
    return "a scalar" if distinct == [()] else "a scalar or " + " or ".join(map(str, distinct[1:]))
