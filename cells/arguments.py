"""The checks at the edge of every network call: shapes and values of inputs, states and time spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import numpy as np

Values = mx.array | np.ndarray[Any, Any] | float | Sequence[Any]


@dataclass(frozen=True)
class Call:
    """One checked call: everything batched, float32, and of agreeing shapes.

    Attributes:
        x: (B, T, I) inputs.
        state: (B, N) initial state.
        timespans: (1, T) or (B, T) time since the previous sample.
        batched: whether the caller's input had a batch axis.
    """

    x: mx.array
    state: mx.array
    timespans: mx.array
    batched: bool

    @property
    def steps(self) -> int:
        """T: the number of samples."""
        return int(self.x.shape[1])


def sequence_call(
    x: Values, state: Values | None, timespans: Values | None, n_inputs: int, n_neurons: int
) -> Call:
    """Check the arguments of ``rnn(x, state, timespans)``.

    Raises:
        ValueError: a shape that does not fit, an empty sequence, or a time span that is not positive.
        TypeError: values that are not real numbers.
    """
    inputs = real_array("the input", x)
    expected = f"(B, T, {n_inputs}) or (T, {n_inputs})"
    if inputs.ndim not in (2, 3):
        raise ValueError(f"the input has shape {inputs.shape}: expected {expected}")
    if inputs.shape[-1] != n_inputs:
        raise ValueError(
            f"the input has {inputs.shape[-1]} features in shape {inputs.shape}, "
            f"but the circuit has {n_inputs} sensory neurons: expected {expected}"
        )
    if 0 in inputs.shape[:-1]:
        raise ValueError(f"the input has shape {inputs.shape}: expected at least one sequence and one sample")
    batched = inputs.ndim == 3
    inputs = inputs if batched else inputs[None]
    batch, steps = inputs.shape[:2]
    return Call(
        x=inputs,
        state=initial_state(state, batch, n_neurons, batched),
        timespans=_sequence_timespans(timespans, batch, steps, batched),
        batched=batched,
    )


def step_call(
    x: Values, state: Values | None, timespan: Values, n_inputs: int, n_neurons: int
) -> tuple[mx.array, mx.array, mx.array, bool]:
    """Check the arguments of ``cell(x, state, timespan)``: x (B, I), state (B, N), time span () or (B,).

    Returns the three as (B, I), (B, N) and (1, 1) or (B, 1), and whether the caller's input had a batch axis.
    """
    inputs = real_array("the input", x)
    if inputs.ndim not in (1, 2) or inputs.shape[-1] != n_inputs or 0 in inputs.shape[:-1]:
        raise ValueError(
            f"the input of one step has shape {inputs.shape}: expected (B, {n_inputs}) or ({n_inputs},)"
        )
    batched = inputs.ndim == 2
    inputs = inputs if batched else inputs[None]
    batch = inputs.shape[0]
    span = real_array("the time span", timespan)
    shapes: list[tuple[int, ...]] = [(), (batch,), (batch, 1)] if batched else [()]
    if tuple(span.shape) not in shapes:
        raise ValueError(f"the time span has shape {tuple(span.shape)}: expected {_one_of(shapes)}")
    refuse_bad_timespans(span)
    return inputs, initial_state(state, batch, n_neurons, batched), span.reshape(-1, 1), batched


def initial_state(state: Values | None, batch: int, n_neurons: int, batched: bool) -> mx.array:
    """(B, N) the given initial state, or zeros.

    Raises:
        ValueError: the state's shape does not fit the input and the circuit.
    """
    if state is None:
        return mx.zeros((batch, n_neurons))
    given = real_array("the state", state)
    expected = (batch, n_neurons) if batched else (n_neurons,)
    if tuple(given.shape) != expected:
        raise ValueError(
            f"the state has shape {tuple(given.shape)}: expected {expected} "
            f"for {'a batch of ' + str(batch) if batched else 'an input without batch axis'} "
            f"and {n_neurons} neurons"
        )
    return given if batched else given[None]


def _sequence_timespans(timespans: Values | None, batch: int, steps: int, batched: bool) -> mx.array:
    if timespans is None:
        return mx.ones((1, steps))
    spans = real_array("timespans", timespans)
    shapes: list[tuple[int, ...]] = (
        [(), (steps,), (batch, steps), (batch, steps, 1)] if batched else [(), (steps,)]
    )
    if tuple(spans.shape) not in shapes:
        raise ValueError(f"timespans have shape {tuple(spans.shape)}: expected {_one_of(shapes)}")
    refuse_bad_timespans(spans)
    return mx.broadcast_to(spans, (1, steps)) if spans.ndim < 2 else spans.reshape(batch, steps)


def refuse_bad_timespans(spans: mx.array) -> None:
    """Raise ValueError for a time span that is NaN, infinite, zero or negative.

    Inside `mx.compile` and `mx.vmap` an array has no values yet; there the caller answers for them.
    """
    try:
        values = np.array(spans)
    except ValueError:
        return
    bad = ~(np.isfinite(values) & (values > 0))
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        where = f" at {at}" if at else ""
        raise ValueError(f"time span {values[at]}{where}: expected positive, finite numbers")


def real_array(what: str, values: Values) -> mx.array:
    """`values` as a float32 MLX array, whether they come from MLX, NumPy or Python.

    Raises:
        TypeError: not numbers, or complex ones.
    """
    if not isinstance(values, mx.array):
        try:
            array = np.asarray(values)
        except ValueError:  # NumPy's word for rows of different lengths is long and names no argument
            raise TypeError(
                f"{what} must be one array, got {type(values).__name__} of unequal parts"
            ) from None
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{what} must hold real numbers, got {type(values).__name__} of {array.dtype}")
        values = mx.array(array.astype(np.float32))
    if mx.issubdtype(values.dtype, mx.complexfloating):
        raise TypeError(f"{what} must hold real numbers, got {values.dtype}")
    return values.astype(mx.float32)


def one_of(what: str, given: object, known: Sequence[str]) -> None:
    """Raise ValueError if an option is not one of the known ones."""
    if given not in known:
        raise ValueError(f"unknown {what} {given!r}: expected one of {', '.join(known)}")


def _one_of(shapes: list[tuple[int, ...]]) -> str:
    distinct = list(dict.fromkeys(shapes))
    return "a scalar" if distinct == [()] else "a scalar or " + " or ".join(map(str, distinct[1:]))
