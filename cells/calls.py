"""The checks at the edge of every network call: inputs, states, time spans, masks and episode ends."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np

from ..compile.kernels import unit_spans
from .ops.array_ops import Mask, length_mask
from .ops.state_ops import State, zeros
from .running import Call
from .values import Values, one_of_shapes, real_array, whole_array

Shapes = tuple[tuple[int, ...], ...]


def sequence_call(
    x: Values,
    state: Any,
    timespans: Values | None,
    n_inputs: int,
    state_shapes: Shapes,
    *,
    mask: Any = None,
    lengths: Any = None,
    ends: Any = None,
) -> Call:
    """Check the arguments of ``rnn(x, state, timespans, ...)``.

    What stands where the mask says that there is no sample may be anything: it is replaced, and ends are
    ignored there.

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
    valid = _sequence_mask(mask, lengths, batch, steps, batched)
    flags = _flags("ends", ends, batch, steps, batched)
    there = None
    if valid is not None:
        there = mx.array(valid)
        inputs = mx.where(there[..., None], inputs, 0.0)
        flags = None if flags is None else flags & valid
    return Call(
        x=inputs,
        state=initial_state(state, state_shapes, batch, batched),
        timespans=_sequence_timespans(timespans, batch, steps, batched, there),
        batched=batched,
        mask=valid,
        ends=flags,
    )


def step_call(
    x: Values, state: Any, timespan: Values, n_inputs: int, state_shapes: Shapes
) -> tuple[mx.array, State, mx.array, bool]:
    """Check the arguments of ``cell(x, state, timespan)``: x (B, I), state, time span () or (B,).

    Returns x as (B, I), the state of B rows, the time span as (1, 1) or (B, 1), and whether the caller's
    input had a batch axis.
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
        raise ValueError(f"the time span has shape {tuple(span.shape)}: expected {one_of_shapes(shapes)}")
    refuse_bad_timespans(span)
    return inputs, initial_state(state, state_shapes, batch, batched), span.reshape(-1, 1), batched


def initial_state(state: Any, shapes: Shapes, batch: int, batched: bool) -> State:
    """The given initial state with a batch axis, or zeros.

    Raises:
        ValueError: the state's shape does not fit the input and the circuit.
        TypeError: not a tuple of arrays where the cell has several.
    """
    if state is None:
        return zeros(shapes, batch)
    if len(shapes) == 1:
        return _state_array("the state", state, shapes[0], batch, batched)
    if not isinstance(state, tuple | list) or len(state) != len(shapes):
        given = f"{len(state)} values" if isinstance(state, tuple | list) else type(state).__name__
        raise TypeError(f"the state must be a tuple of {len(shapes)} arrays, got {given}")
    return tuple(
        _state_array(f"the state's part {k}", part, shape, batch, batched)
        for k, (part, shape) in enumerate(zip(state, shapes, strict=True))
    )


def _state_array(what: str, value: Values, shape: tuple[int, ...], batch: int, batched: bool) -> mx.array:
    given = real_array(what, value)
    expected = (batch, *shape) if batched else shape
    if tuple(given.shape) != expected:
        raise ValueError(
            f"{what} has shape {tuple(given.shape)}: expected {expected} "
            f"for {'a batch of ' + str(batch) if batched else 'an input without batch axis'} "
            f"and {shape[0]} neurons"
        )
    return given if batched else given[None]


def _sequence_timespans(
    timespans: Values | None, batch: int, steps: int, batched: bool, there: mx.array | None
) -> mx.array:
    if timespans is None:
        return unit_spans(1, steps)
    spans = real_array("timespans", timespans)
    shapes: list[tuple[int, ...]] = (
        [(), (steps,), (batch, steps), (batch, steps, 1)] if batched else [(), (steps,)]
    )
    if tuple(spans.shape) not in shapes:
        raise ValueError(f"timespans have shape {tuple(spans.shape)}: expected {one_of_shapes(shapes)}")
    if there is not None and spans.ndim > 0:
        spans = mx.where(there, spans.reshape(-1, steps), 1.0)
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


def _sequence_mask(mask: Any, lengths: Any, batch: int, steps: int, batched: bool) -> Mask | None:
    if lengths is None:
        return _flags("mask", mask, batch, steps, batched)
    if mask is not None:
        raise ValueError("both mask and lengths were given: expected one of them")
    counts = whole_array("lengths", lengths)
    if counts.shape != (batch,) or not batched:
        raise ValueError(f"lengths have shape {counts.shape}: expected ({batch},), for a batched input")
    if ((counts < 0) | (counts > steps)).any():
        raise ValueError(f"lengths reach from {counts.min()} to {counts.max()}: expected 0 to {steps}")
    return length_mask(counts, steps)


def _flags(what: str, value: Any, batch: int, steps: int, batched: bool) -> Mask | None:
    """(B, T) booleans from (B, T) or, for an unbatched input, (T,)."""
    if value is None:
        return None
    given = whole_array(what, value)
    if given.size and (given.min() < 0 or given.max() > 1):
        raise ValueError(
            f"{what} holds numbers from {given.min()} to {given.max()}: expected booleans, or 0 and 1"
        )
    flags: Mask = given.astype(bool)
    expected = (batch, steps) if batched else (steps,)
    if flags.shape != expected:
        raise ValueError(f"{what} has shape {flags.shape}: expected {expected}")
    return flags.reshape(batch, steps)
