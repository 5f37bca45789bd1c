"""The checks at the edge of every network call: inputs, states, time spans, masks and episode ends."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..arguments import array_of, counted
from ..compile.kernels import unit_spans
from ..compile.kernels.tracing import evaluable
from ..rounding import refuse_stamps
from .ops.array_ops import Mask
from .ops.state_ops import State, restarted, zero_state
from .running import Call
from .samples import episode_ends, flags, valid_samples
from .timing import in_own_time
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
    starts: Any = None,
    reverse: bool = False,
    lasting: tuple[int, ...] = (),
    time_scale: float | None = None,
) -> Call:
    """Check the arguments of ``rnn(x, state, timespans, ...)``.

    What stands where the mask says that there is no sample may be anything, and nothing ends or starts there.
    An episode that starts at a row's first sample drops the given state, unless a `reverse` network reads on.
    The call has the time spans as the cell sees them: in units of its `time_scale`, and 1 if none are given.

    Raises:
        ValueError: a shape that does not fit, an empty sequence, or a time span that is negative or not
            finite.
        TypeError: values that are not real numbers.
    """
    inputs = bounded(real_array("the input", x))
    expected = f"(B, T, {n_inputs}) or (T, {n_inputs})"
    if inputs.ndim not in (2, 3):
        raise ValueError(f"the input has shape {inputs.shape}: expected {expected}")
    if inputs.shape[-1] != n_inputs:
        raise ValueError(
            f"the input has {counted(inputs.shape[-1], 'feature')} in shape {inputs.shape}, "
            f"but the circuit has {counted(n_inputs, 'sensory neuron')}: expected {expected}"
        )
    if 0 in inputs.shape[:-1]:
        raise ValueError(f"the input has shape {inputs.shape}: expected at least one sequence and one sample")
    batched = inputs.ndim == 3
    inputs = inputs if batched else inputs[None]
    batch, steps = inputs.shape[:2]
    valid = valid_samples(mask, lengths, batch, steps, batched)
    last, first = episode_ends(
        flags("ends", ends, batch, steps, batched), flags("starts", starts, batch, steps, batched), valid
    )
    spans = _sequence_timespans(timespans, batch, steps, batched)
    if timespans is not None:
        refuse_bad_timespans(spans, valid)
        spans = in_own_time(spans, time_scale)
    before = initial_state(state, state_shapes, batch, batched)
    return Call(
        x=inputs,
        state=before
        if reverse or first is None or state is None or not first.any()
        else restarted(before, first, lasting),
        timespans=mx.broadcast_to(spans, (1, steps)) if spans.ndim == 0 else spans,
        batched=batched,
        mask=valid,
        ends=last,
        lasting=lasting,
        time_scale=1.0 if time_scale is None else time_scale,
    )


def step_call(
    x: Values,
    state: Any,
    timespan: Values | None,
    n_inputs: int,
    state_shapes: Shapes,
    time_scale: float | None = None,
) -> tuple[mx.array, State, mx.array, bool]:
    """Check the arguments of ``cell(x, state, timespan)``: x (B, I), state, time span () or (B,).

    Returns x as (B, I), the state of B rows, the time span as the cell sees it as (1, 1) or (B, 1), and
    whether the caller's input had a batch axis.
    """
    inputs = bounded(real_array("the input", x))
    if inputs.ndim not in (1, 2) or inputs.shape[-1] != n_inputs or 0 in inputs.shape[:-1]:
        raise ValueError(
            f"the input of one step has shape {inputs.shape}: expected (B, {n_inputs}) or ({n_inputs},)"
        )
    batched = inputs.ndim == 2
    inputs = inputs if batched else inputs[None]
    batch = inputs.shape[0]
    given = timespan is not None
    span = real_array("the time span", _times("the time span", timespan if timespan is not None else 1.0))
    shapes: list[tuple[int, ...]] = [(), (batch,), (batch, 1)] if batched else [()]
    if tuple(span.shape) not in shapes:
        raise ValueError(f"the time span has shape {tuple(span.shape)}: expected {one_of_shapes(shapes)}")
    refuse_bad_timespans(span)
    span = in_own_time(span, time_scale if given else None)
    return inputs, initial_state(state, state_shapes, batch, batched), span.reshape(-1, 1), batched


def initial_state(state: Any, shapes: Shapes, batch: int, batched: bool) -> State:
    """The given initial state with a batch axis, or zeros.

    Raises:
        ValueError: the state's shape does not fit the input and the circuit.
        TypeError: not a tuple of arrays where the cell has several.
    """
    if not shapes:  # a stream, which has its state elsewhere
        return ()
    if state is None:
        return zero_state(shapes, batch)
    if len(shapes) == 1:
        return _state_array("the state", state, shapes[0], batch, batched)
    if not isinstance(state, tuple | list) or len(state) != len(shapes):
        given = counted(len(state), "value") if isinstance(state, tuple | list) else type(state).__name__
        raise TypeError(f"the state must be a tuple of {counted(len(shapes), 'array')}, got {given}")
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
            f"and {counted(shape[0], 'neuron')}"
        )
    return given if batched else given[None]


def _sequence_timespans(timespans: Values | None, batch: int, steps: int, batched: bool) -> mx.array:
    """(), (1, T) or (B, T)."""
    if timespans is None:
        return unit_spans(1, steps)
    spans = real_array("timespans", _times("timespans", timespans))
    shapes: list[tuple[int, ...]] = (
        [(), (steps,), (batch, steps), (batch, steps, 1)] if batched else [(), (steps,)]
    )
    if tuple(spans.shape) not in shapes:
        raise ValueError(f"timespans have shape {tuple(spans.shape)}: expected {one_of_shapes(shapes)}")
    return spans if spans.ndim == 0 else spans.reshape(-1, steps)


def clock(call: Call) -> NDArray[np.float64]:
    """(1, T) or (B, T) the time before each sample, there or not, in the unit of the data.

    What is no time counts nothing.
    """
    spans: NDArray[np.float64] = np.array(call.timespans, np.float64) * call.time_scale
    if call.mask is None:
        return spans
    counts = call.mask | (np.isfinite(spans) & (spans > 0))
    return np.where(counts, spans, 0.0)


def _times(what: str, given: Values) -> Values:
    """Time spans as they were given, unless they are something else in their place.

    Raises:
        TypeError: booleans, as a mask has them.
        ValueError: numbers of 64 bits that float32 cannot tell apart, as times of day have them.
    """
    array = given if isinstance(given, mx.array | np.ndarray) else array_of(given)
    if array is None:  # no numbers, which is said where they are read
        return given
    if array.dtype in (mx.bool_, np.bool_):
        raise TypeError(
            f"{what} are booleans: expected times; give a mask as mask=, or to fit behind the time spans, as "
            "in (x, y, timespans, mask)"
        )
    if isinstance(array, np.ndarray) and array.ndim and array.size:
        refuse_stamps(array[None] if array.ndim < 2 else array.reshape(len(array), -1), what)
    return given


def refuse_bad_timespans(spans: mx.array, valid: Mask | None = None) -> None:
    """Raise ValueError for a time span of a valid sample that is NaN, infinite or negative.

    Inside `mx.compile` and `mx.vmap` an array has no values yet; there the caller answers for them.

    Args:
        spans: (), (B,) or (B, 1) for one step, (1, T) or (B, T) for a sequence.
        valid: (B, T) which samples there are; None for all.
    """
    if not evaluable((spans,)):
        return
    values = np.array(spans)
    bad = ~(np.isfinite(values) & (values >= 0))
    if valid is not None:
        bad = bad & valid
    if not bad.any():
        return
    at = tuple(int(i) for i in np.argwhere(bad)[0])
    value = np.broadcast_to(values, bad.shape)[at]
    row = f" of row {at[0]}" if at and (bad.ndim == 1 or len(bad) > 1) else ""
    step = f" at step {at[1]}" if bad.ndim == 2 and bad.shape[1] > 1 else ""
    raise ValueError(f"the time span{row}{step} is {value}: expected a finite number of at least 0")
