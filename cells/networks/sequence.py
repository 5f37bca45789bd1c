"""Running a cell over a sequence, whoever runs it: masks, episode ends and reversal are the same for all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import mlx.core as mx
import numpy as np

from ...compile.kernels.tracing import evaluable
from ..cell import NCPRNNCell
from ..ops.array_ops import Index, Mask, held_index, reverse_index, take_steps
from ..ops.state_ops import blend, reset
from ..running import Call, Engine, Run


def run_ops(cell: NCPRNNCell) -> Engine:
    """The engine "ops": plain MLX operations, step by step; the reference for every other engine."""
    evaluable([array for array in cell.values() if isinstance(array, mx.array)])  # those of another thread
    prepared = cell.prepare()

    def engine_of_calls(call: Call) -> Run:
        state, outputs, shown = call.state, [], []
        for t in range(call.steps):
            output, visible, state = cell.advance(prepared, call.x[:, t], state, call.timespans[:, t, None])
            outputs.append(output)
            shown.append(visible)
        return Run(mx.stack(outputs, axis=1), state, mx.stack(shown, axis=1))

    def engine(call: Call) -> Run:
        x, state, shown = cell.encode(call.x), call.state, []
        for t in range(call.steps):
            state = cell.step(prepared, x[:, t], state, call.timespans[:, t, None])
            shown.append(cell.visible(state))
        visible = mx.stack(shown, axis=1)
        return Run(cell.decode(visible), state, visible)

    return engine_of_calls if cell.has_own_call else engine


def run_call(engine: Engine, call: Call) -> Run:
    """Run a call with its mask and episode ends.

    A row without a sample keeps its state, and shows what it showed last (zeros before its first sample).
    """
    if call.mask is None and call.ends is None:
        return engine(call)
    state, runs = call.state, []
    for part in _parts(call):
        run = engine(replace(part, state=state))
        active = None if part.mask is None else part.mask[:, 0]
        state = run.state if active is None else blend(mx.array(active), run.state, state)
        if part.ends is not None and part.ends[:, -1].any():
            state = reset(state, mx.array(part.ends[:, -1]))
        runs.append(run)
    outputs = mx.concatenate([run.outputs for run in runs], axis=1)
    shown = [run.visible for run in runs if run.visible is not None]
    visible = mx.concatenate(shown, axis=1) if shown else None
    if call.mask is not None:
        outputs = held(outputs, call.mask)
        visible = None if visible is None else held(visible, call.mask)
    return Run(outputs, state, visible)


def reversed_call(call: Call) -> Call:
    """The same samples from last to first.

    A time span belongs to the gap between two samples, so that the span of the sample that was read before
    comes with each one; the first to be read gets the span that no gap is left for.
    """
    order = _reverse_order(call)
    valid = np.ones(call.timespans.shape, bool) if call.mask is None else call.mask
    spans = mx.broadcast_to(call.timespans, valid.shape)
    return replace(
        call,
        x=take_steps(call.x, order),
        timespans=take_steps(spans, reverse_index(valid, first=1)),
        ends=None if call.ends is None else _reversed_ends(call.ends, valid),
    )


def reversed_run(run: Run, call: Call) -> Run:
    """What was computed for `reversed_call(call)`, in the order of the call's samples."""
    order = _reverse_order(call)

    def back(values: mx.array) -> mx.array:
        values = take_steps(values, order)
        return values if call.mask is None else held(values, call.mask, backwards=True)

    return replace(run, outputs=back(run.outputs), visible=None if run.visible is None else back(run.visible))


def _reversed_ends(ends: Mask, valid: Mask) -> Mask:
    """The episode ends of the samples read backwards.

    An end parts two samples: it stands after the later one now. The end of the last one parts it from none.
    """
    found = np.zeros_like(ends)
    for row, given, there in zip(found, ends, np.broadcast_to(valid, ends.shape), strict=True):
        between = given[there][:-1]
        row[np.flatnonzero(there)[: len(between)]] = between[::-1]
    return found


def _reverse_order(call: Call) -> Index:
    valid = np.ones(call.x.shape[:2], bool) if call.mask is None else call.mask
    return reverse_index(valid)


def _parts(call: Call) -> Iterator[Call]:
    """The call in parts within which the same rows have samples, and at whose last step episodes may end."""
    cuts = np.zeros(call.steps + 1, bool)
    cuts[[0, -1]] = True
    if call.mask is not None:
        cuts[1:-1] |= (call.mask[:, 1:] != call.mask[:, :-1]).any(axis=0)
    if call.ends is not None:
        cuts[1:] |= call.ends.any(axis=0)
    bounds = np.flatnonzero(cuts).tolist()
    for start, stop in pairwise(bounds):
        part = slice(start, stop)
        yield replace(
            call,
            x=call.x[:, part],
            timespans=call.timespans[:, part],
            mask=None if call.mask is None else call.mask[:, part],
            ends=None if call.ends is None else call.ends[:, part],
        )


def held(values: mx.array, mask: Mask, *, backwards: bool = False) -> mx.array:
    """(B, T, F) the values of the last valid step at or before each, zeros before the first one.

    Backwards, that of the next valid step at or after each, which a network that reads backwards read last.
    """
    index = held_index(mask[:, ::-1] if backwards else mask)
    if backwards:
        index = np.where(index >= 0, mask.shape[1] - 1 - index, -1)[:, ::-1].astype(np.int32)
    taken = take_steps(values, np.maximum(index, 0))
    return mx.where(mx.array(index >= 0)[..., None], taken, mx.zeros((), values.dtype))


def begun(mask: Mask, *, backwards: bool = False) -> Mask:
    """(B, T) whether a sample has been read at or before each step, or backwards at or after it."""
    if backwards:
        return begun(mask[:, ::-1])[:, ::-1]
    found: Mask = np.logical_or.accumulate(mask, axis=1)
    return found
