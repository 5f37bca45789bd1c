"""The checks at the edge of every network call: inputs, states, time spans, masks and episode ends."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np

from ..compile.kernels import unit_spans
from .ops.array_ops import Mask
from .ops.state_ops import State, zeros
from .running import Call
from .samples import flags, only_valid, valid_samples
from .values import Values, bounded, one_of_shapes, real_array

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
    inputs = bounded(real_array("the input", x))
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
    valid = valid_samples(mask, lengths, batch, steps, batched)
    last = flags("ends", ends, batch, steps, batched)
    spans = _sequence_timespans(timespans, batch, steps, batched)
    clock = _clock(spans, valid)
    if valid is not None and spans.ndim > 0:
        spans = mx.where(mx.array(valid), spans, 1.0)
    if timespans is not None:
        refuse_bad_timespans(spans)
    return Call(
        x=only_valid(inputs, valid),
        state=initial_state(state, state_shapes, batch, batched),
        timespans=mx.broadcast_to(spans, (1, steps)) if spans.ndim == 0 else spans,
        batched=batched,
        mask=valid,
        ends=last if last is None or valid is None else last & valid,
        clock=mx.broadcast_to(clock, (1, steps)) if clock.ndim == 0 else clock,
    )


def step_call(
    x: Values, state: Any, timespan: Values, n_inputs: int, state_shapes: Shapes
) -> tuple[mx.array, State, mx.array, bool]:
    """Check the arguments of ``cell(x, state, timespan)``: x (B, I), state, time span () or (B,).

    Returns x as (B, I), the state of B rows, the time span as (1, 1) or (B, 1), and whether the caller's
    input had a batch axis.
    """
    inputs = bounded(real_array("the input", x))
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


def _sequence_timespans(timespans: Values | None, batch: int, steps: int, batched: bool) -> mx.array:
    """(), (1, T) or (B, T)."""
    if timespans is None:
        return unit_spans(1, steps)
    spans = real_array("timespans", timespans)
    shapes: list[tuple[int, ...]] = (
        [(), (steps,), (batch, steps), (batch, steps, 1)] if batched else [(), (steps,)]
    )
    if tuple(spans.shape) not in shapes:
        raise ValueError(f"timespans have shape {tuple(spans.shape)}: expected {one_of_shapes(shapes)}")
    return spans if spans.ndim == 0 else spans.reshape(-1, steps)


def _clock(spans: mx.array, valid: Mask | None) -> mx.array:
    """The time before each sample, also where there is none; what is no time there counts nothing."""
    if valid is None or spans.ndim == 0:
        return spans
    return mx.where(mx.array(valid) | (mx.isfinite(spans) & (spans > 0)), spans, 0.0)


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
