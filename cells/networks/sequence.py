"""Running a cell over a sequence in plain operations: the reference for every other engine."""

from __future__ import annotations

from dataclasses import replace

import mlx.core as mx
import numpy as np

from ...compile.kernels import unit_spans
from ...compile.kernels.tracing import evaluable, exporting
from ...compile.layouts.segments import PLAIN, plain
from ..cell import NCPRNNCell
from ..ops.array_ops import Mask, held_index, take_steps
from ..running import Call, Engine, Run


def run_ops(cell: NCPRNNCell) -> Engine:
    """The engine "ops": plain MLX operations, step by step."""
    if exporting() and not PLAIN.get():
        return _exported(cell)
    evaluable([array for array in cell.values() if isinstance(array, mx.array)])  # those of another thread
    cell.refuse_weights_of_other_circuits()
    prepared = cell.prepare()

    def engine(call: Call) -> Run:
        call = call.filled()
        encoded, state = call.x if cell.has_own_call else cell.encode(call.x), call.state
        outputs, shown = [], []
        for t in call.order:
            span = call.timespans[:, t, None]
            if cell.has_own_call:
                output, visible, new = cell.advance(prepared, encoded[:, t], state, span)
                outputs.append(output)
            else:
                new = cell.step(prepared, encoded[:, t], state, span)
                visible = cell.visible(new)
            shown.append(visible)
            state = call.after(t, new, state)
        states = _in_order(shown, call)
        return Run(_in_order(outputs, call) if outputs else _decoded(cell, states, call), state, states)

    return engine


def _exported(cell: NCPRNNCell) -> Engine:
    """The same without gradients of our own, which files of `mx.export_function` cannot hold."""

    def engine(call: Call) -> Run:
        with plain(True):
            return run_ops(cell)(call)

    return engine


def _in_order(values: list[mx.array], call: Call) -> mx.array:
    """(B, T, F) what came of each step, and where there is no sample, what came of the last one."""
    stacked = mx.stack(values[:: -1 if call.reverse else 1], axis=1)
    return stacked if call.mask is None else held(stacked, call.mask, backwards=call.reverse)


def _decoded(cell: NCPRNNCell, states: mx.array, call: Call) -> mx.array:
    """The outputs of states, and zeros before the first sample as those are."""
    return call.begun(cell.decode(states))


def reversed_call(call: Call) -> Call:
    """The same samples from last to first.

    A time span belongs to the gap between two samples, so that the span of the sample that was read before
    comes with each one; the first to be read gets the span that no gap is left for.
    """
    valid = np.ones((1, call.steps), bool) if call.mask is None else call.mask
    spans = call.timespans
    if spans is not unit_spans(*spans.shape):
        following = np.tile(np.arange(call.steps, dtype=np.int32), (len(valid), 1))
        for row, there in zip(following, valid, strict=True):
            row[there] = np.roll(row[there], -1)
        rows = max(len(spans), len(valid))
        spans = take_steps(
            mx.broadcast_to(spans, (rows, call.steps)), np.broadcast_to(following, (rows, call.steps))
        )
    ends = None if call.ends is None else _reversed_ends(call.ends, valid)
    return replace(call, timespans=spans, ends=ends, reverse=True)


def _reversed_ends(ends: Mask, valid: Mask) -> Mask:
    """The episode ends of the samples read backwards.

    An end parts two samples: it stands at the later one now. The end of the last one parts it from none.
    """
    found = np.zeros_like(ends)
    for row, given, there in zip(found, ends, np.broadcast_to(valid, ends.shape), strict=True):
        row[np.flatnonzero(there)[1:]] = given[there][:-1]
    return found


def held(values: mx.array, mask: Mask, *, backwards: bool = False) -> mx.array:
    """(B, T, F) the values of the last valid step at or before each, zeros before the first one.

    Backwards, that of the next valid step at or after each, which a network that reads backwards read last.
    """
    index = held_index(mask[:, ::-1] if backwards else mask)
    if backwards:
        index = np.where(index >= 0, mask.shape[1] - 1 - index, -1)[:, ::-1].astype(np.int32)
    taken = take_steps(values, np.maximum(index, 0))
    return mx.where(mx.array(index >= 0)[..., None], taken, mx.zeros((), values.dtype))
