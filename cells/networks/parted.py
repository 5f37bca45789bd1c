"""Long time spans in equal parts, so that no step of a solver is too long: what `max_step` does."""

from __future__ import annotations

from dataclasses import dataclass, replace

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ...compile.kernels.tracing import evaluable
from ..cell import NCPRNNCell
from ..ops.array_ops import Index, Mask, take_steps
from ..running import Call, Engine, Run
from ..stepping import UNKNOWN
from ..timing import parts_of


def in_parts(cell: NCPRNNCell, engine: Engine) -> Engine:
    """An engine that reads a sample as often as its time span has parts, each after an equal part of it.

    A part is a sample with the same input, whatever runs it, and what is seen is what the last one shows. So
    every row has the parts that its own spans have.
    """
    longest = cell.longest_part
    if longest is None:
        return engine

    def run(call: Call) -> Run:
        if call.reverse:
            found = run(_turned(call))
            visible = None if found.visible is None else found.visible[:, ::-1]
            return replace(found, outputs=found.outputs[:, ::-1], visible=visible)
        parts = Parts.of(call, longest)
        return engine(call) if parts is None else parts.seen(engine(parts.divided(call)))

    return run


@dataclass(frozen=True)
class Parts:
    """The parts of the samples of rows, one behind the other.

    Attributes:
        counts: (R, T) how many parts each sample has, 0 for one that is not there; R is 1 or B.
        sample: (R, L) of which sample each part is.
        there: (R, L) whether there is such a part; None if all rows have L.
    """

    counts: Index
    sample: Index
    there: Mask | None

    @classmethod
    def of(cls, call: Call, longest: float) -> Parts | None:
        """Those of a call; None if no sample has more than one.

        Raises:
            ValueError: time spans without values, or more parts than anybody waits for.
        """
        if not evaluable((call.timespans,)):
            raise ValueError(UNKNOWN)
        spans = np.array(call.timespans, np.float64)
        counts = parts_of(spans if call.mask is None else np.where(call.mask, spans, 0.0), longest)
        if call.mask is not None:
            counts = np.where(call.mask, counts, 0)
        if counts.max() <= 1:
            return None
        totals = counts.sum(axis=1)
        length = int(totals.max())
        sample = np.zeros((len(counts), length), np.int32)
        for row, its in zip(sample, counts, strict=True):
            found = np.repeat(np.arange(len(its), dtype=np.int32), its)
            row[: len(found)] = found
        full = bool((totals == length).all())
        return cls(counts.astype(np.int32), sample, None if full else np.arange(length) < totals[:, None])

    def divided(self, call: Call) -> Call:
        """The call with a step for each part."""
        batch, ends = len(call.x), None
        if call.ends is not None:
            ends = np.zeros((batch, self.sample.shape[1]), bool)
            rows, samples = np.nonzero(call.ends)
            ends[rows, np.broadcast_to(self._last, (batch, call.steps))[rows, samples]] = True
        spans = call.timespans / mx.array(np.maximum(self.counts, 1).astype(np.float32))
        there = None if self.there is None else np.broadcast_to(self.there, (batch, self.sample.shape[1]))
        return replace(
            call,
            x=_taken(call.x, self.sample),
            timespans=_taken(mx.broadcast_to(spans, self.counts.shape), self.sample),
            mask=None if there is None else np.array(there, order="C"),
            ends=ends,
        )

    def seen(self, run: Run) -> Run:
        """What is seen of the samples, from what is seen of their parts."""
        last = self._last

        def shown(values: mx.array | None) -> mx.array | None:
            if values is None:
                return None
            found = _taken(values, np.maximum(last, 0))
            return found if (last >= 0).all() else mx.where(mx.array(last >= 0)[..., None], found, 0.0)

        outputs = shown(run.outputs)
        assert outputs is not None
        return replace(run, outputs=outputs, visible=shown(run.visible))

    @property
    def _last(self) -> Index:
        """(R, T) the last part at or before each sample; -1 before the first one."""
        return (np.cumsum(self.counts, axis=1) - 1).astype(np.int32)


def _turned(call: Call) -> Call:
    """A call whose samples are read from last to first, with the samples in that order."""
    # In order in memory, too: MLX takes no flags that are read backwards.
    mask, ends = (None if f is None else np.ascontiguousarray(f[:, ::-1]) for f in (call.mask, call.ends))
    return replace(
        call, x=call.x[:, ::-1], timespans=call.timespans[:, ::-1], mask=mask, ends=ends, reverse=False
    )


def _taken(values: mx.array, index: NDArray[np.int32]) -> mx.array:
    """(B, L, ...) some steps of (B, T, ...) values, from (B, L) or, for all rows alike, (1, L)."""
    if len(index) == 1:
        return mx.take(values, mx.array(index[0]), axis=1)
    return take_steps(values, index)
