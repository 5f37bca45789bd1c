"""Inputs that are not always there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mlx.core as mx
import numpy as np

from ..arguments import counted
from .cell import NCPRNNCell
from .layer import Shape
from .ops.state_ops import State, joined, parted
from .running import Call, Engine, Run, Sample, Stage, Steps, Timespan
from .stepped import OneCellSteps, column
from .wrappers import InputWrapper


class MissingValueCell(InputWrapper):
    """One time step of a cell whose input features are sometimes missing: NaN stands for "not observed".

    The inner cell reads three numbers per feature, (3 I,): the value that was observed last (0 before the
    first), whether there is one now (1 or 0), and the time since the feature was observed before now, or
    since the start.

    The state is the inner cell's arrays, then the last values and the times since they were observed, (B, I).

    Args:
        cell: the cell to run; it has 3 I inputs.

    Raises:
        ValueError: a cell whose inputs are not a multiple of three, or one that is not built.

    Example:
        >>> cell = gl.MissingValueCell(gl.LTCCell(gl.auto_ncp(32, 2, inputs=3 * 5)))
        >>> x = mx.array([[0.1, float("nan"), 0.3, float("nan"), 0.5]])
        >>> output, state = cell(x, timespan=0.7)                          # (1, 2)

    Source: the inputs of Che et al., Recurrent neural networks for multivariate time series with missing
    values, Scientific Reports 2018, section 2.2.
    """

    says = "What is missing is found in plain MLX operations"

    def __init__(self, cell: NCPRNNCell) -> None:
        super().__init__(cell)
        if cell.n_inputs % 3:
            raise ValueError(f"the cell has {counted(cell.n_inputs, 'input')}: expected three per feature")
        self.sensors = cell.sensors[: cell.n_inputs // 3]

    @property
    def state_shapes(self) -> tuple[Shape, ...]:
        return (*self.cell.state_shapes, (self.n_inputs,), (self.n_inputs,))

    def step(
        self, prepared: Any, x: mx.array, state: tuple[mx.array, ...], timespan: mx.array
    ) -> tuple[mx.array, ...]:
        *inner, last, elapsed = state
        features, last, elapsed = self.observe(x, last, elapsed, timespan)
        new = self.cell.whole_step(prepared, self.cell.encode(features), joined(inner), timespan)
        return (*parted(new), last, elapsed)

    def inner_names(self, name: str) -> tuple[str, ...]:
        inner, n = self.cell.sensors, len(self.sensors)
        return tuple(inner[self.sensors.index(name) :: n]) if name in self.sensors else (name,)

    def around(self, engine: Engine) -> Engine:
        """An engine of this cell, from one of the inner cell, which what is missing does not depend on."""

        def run(call: Call) -> Run:
            *inner, last, elapsed = call.state
            features, seen = observed(call, last, elapsed)
            run = engine(replace(call, x=features, state=joined(inner)))
            return replace(run, state=(*parted(run.state), *seen))

        return run

    def steps_around(self, steps: Steps, batch: int) -> Steps:
        return _MissingValueSteps(self, steps, batch)

    def observe(
        self, x: mx.array, last: mx.array, elapsed: mx.array, timespan: mx.array
    ) -> tuple[mx.array, mx.array, mx.array]:
        """The inner cell's inputs (B, 3 I), the last values and the times since they were observed."""
        missing = mx.isnan(x)
        last, elapsed = mx.where(missing, last, x), elapsed + timespan
        features = mx.concatenate([last, 1.0 - missing.astype(x.dtype), elapsed], axis=-1)
        return features, last, mx.where(missing, elapsed, 0.0)


def observed(call: Call, last: mx.array, elapsed: mx.array) -> tuple[mx.array, tuple[mx.array, mx.array]]:
    """What `MissingValueCell.observe` makes of a whole sequence, (B, T, 3 I), and the state behind it.

    Nothing goes from step to step: last values are looked up where they were observed, and times are added up
    over 1, 2, 4, ... steps, as far as none of them was observed.
    """
    batch, steps, _ = call.x.shape
    back = slice(None, None, -1 if call.reverse else 1)
    valid = np.ones((1, steps), bool) if call.mask is None else call.mask[:, back]
    anew = np.zeros((batch, steps + 1), bool)  # whether a step is the first behind an end
    if call.ends is not None:
        anew[:, 1:] = call.ends[:, back]
    episode = np.maximum.accumulate(np.where(anew, np.arange(steps + 1), 0), axis=1)[..., None]
    x, there = call.x[:, back], mx.array(np.array(valid, order="C")[..., None])
    seen = ~mx.isnan(x) & there

    at = mx.stop_gradient(mx.cummax(mx.where(seen, mx.arange(steps)[:, None], -1), axis=1))
    before = mx.where(mx.array(episode[:, :-1] == 0), last[:, None], 0.0)  # of no sample of this episode
    values = mx.take_along_axis(x, mx.maximum(at, 0), axis=1)
    values = mx.where(at >= mx.array(episode[:, :-1]), values, before)

    spans = mx.where(there, call.timespans[:, back, None], 0.0)
    first = spans[:, :1] + elapsed[:, None]
    times = mx.concatenate([first, mx.broadcast_to(spans[:, 1:], (batch, steps - 1, x.shape[-1]))], axis=1)
    begins = _later(seen, 1, True) | mx.array(anew[:, :-1, None])
    distance = 1
    while distance < steps:
        times = mx.where(begins, times, times + _later(times, distance, 0.0))
        begins = begins | _later(begins, distance, True)
        distance *= 2

    features = mx.concatenate([values, seen.astype(x.dtype), times], axis=-1)[:, back]
    over = mx.array(anew[:, -1:])
    return features, (
        mx.where(over, 0.0, values[:, -1]),
        mx.where(seen[:, -1] | over, 0.0, times[:, -1]),
    )


def _later(values: mx.array, steps: int, first: float | bool) -> mx.array:
    """(B, T, I) the values of some steps before, and something else at the first ones."""
    start = mx.full((values.shape[0], steps, *values.shape[2:]), first, values.dtype)
    return mx.concatenate([start, values[:, :-steps]], axis=1)


class _MissingValueSteps(OneCellSteps):
    """Steps of a cell behind what finds the missing values."""

    def __init__(self, cell: MissingValueCell, inner: Steps, batch: int) -> None:
        super().__init__(cell, batch)
        self._observe, self._inner, self.engine = cell.observe, inner, inner.engine
        # The last values and the times since then, which stay where they are.
        self._seen = tuple(np.zeros((batch, self.n_inputs), np.float32) for _ in range(2))
        self.load()

    @property
    def state(self) -> State:
        return (*parted(self._inner.state), *map(mx.array, self._seen))

    @state.setter
    def state(self, state: State) -> None:
        *inner, last, elapsed = state
        self._inner.load(joined(inner))
        self._see(last, elapsed)

    def _see(self, *seen: mx.array) -> None:
        for array, given in zip(self._seen, seen, strict=True):
            array[:] = np.array(given)

    def step(self, x: Sample, timespan: Timespan) -> mx.array:
        last, elapsed = self._seen
        features, *seen = self._observe(mx.array(x), mx.array(last), mx.array(elapsed), column(timespan))
        mx.eval(features, seen)
        self._see(*seen)
        return self._inner.step(features, timespan)

    def staged(self) -> Stage:
        inner, (last, elapsed), n = self._inner.staged(), self._seen, self.n_inputs
        x, there = np.zeros_like(last), np.zeros(last.shape, bool)
        values, flags, times = (inner.x[:, k * n : (k + 1) * n] for k in range(3))
        since, spans, zero = inner.timespan[:, None], np.zeros_like(last), np.zeros((), np.float32)

        def run() -> None:
            np.isnan(x, out=there)
            np.logical_not(there, out=there)
            np.copyto(last, x, where=there)
            np.copyto(spans, since)
            np.add(elapsed, spans, out=elapsed)
            np.copyto(values, last)
            np.copyto(flags, there)
            np.copyto(times, elapsed)
            np.copyto(elapsed, zero, where=there)
            inner.run()

        return Stage(x, inner.timespan, (*inner.states, last, elapsed), inner.outputs, run)
