"""What carries a state from sample to sample: by a kernel, by a cell, or by a chain of layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import mlx.core as mx
import numpy as np

from ...arguments import counted
from ...compile.kernels.stepper import Stepper
from ...errors import KernelError
from ..cell import NCPRNNCell
from ..offers import cell_kernel
from ..ops.state_ops import State, blend, each, joined, parted
from ..overlay import Overlay, lay_over, overlay_of
from ..running import ALLOCATES, Sample, Stage, Steps, Timespan
from ..stepped import OneCellSteps, column
from ..timing import EXACT, LONGEST, MOST_PARTS, in_own_time, parts_of
from ..wrappers import InputWrapper
from .stages import chained, mapped

Map: TypeAlias = Callable[[mx.array], mx.array]

BACKWARDS = "a network that reads backwards needs the whole sequence: it cannot be fed one sample at a time"


SHORTER = 1.0 - 1e-6
"""Of the longest span, what is sure to be a number once it is divided."""


class KernelSteps(OneCellSteps):
    """Steps through the fused kernel."""

    engine = "fused"

    def __init__(self, cell: NCPRNNCell, project: Map | None, batch: int) -> None:
        super().__init__(cell, batch)
        self._project = project
        kernel = cell_kernel(cell)
        self._stepper = Stepper(kernel.sequence, batch, kernel.parameters)
        self._encode = None if kernel.encodes else cell.encode
        if cell.lasting:  # all that begins is 0 otherwise
            self.load()

    @property
    def state(self) -> State:
        return joined([mx.array(array) for array in self._stepper.states])

    @state.setter
    def state(self, state: State) -> None:
        for array, given in zip(self._stepper.states, parted(state), strict=True):
            array[:] = np.array(given)

    def step(self, x: Sample, timespan: Timespan) -> mx.array:
        stepper = self._stepper
        stepper.x[:] = x if self._encode is None else np.array(self._encode(mx.array(x)))
        stepper.timespan[:] = timespan
        stepper()
        outputs = mx.array(stepper.outputs)
        return outputs if self._project is None else self._project(outputs)

    def staged(self) -> Stage:
        if self._cell.lasting:  # which such a stream would set back to zeros
            raise ValueError(
                f"the noise of a {type(self._cell).__name__} goes on behind an episode's end, but not in "
                "a bounded stream: use the stream itself"
            )
        stepper = self._stepper
        if self._encode is not None:
            raise ValueError(f"the layer in front of the {type(self._cell).__name__}: {ALLOCATES}")
        stage = Stage(stepper.x, stepper.timespan, stepper.states, stepper.outputs, stepper)
        return stage if self._project is None else mapped(self._project, stage)


class CellSteps(OneCellSteps):
    """Steps of any cell in MLX operations, with what depends on parameters prepared once."""

    engine = "ops"

    def __init__(self, cell: NCPRNNCell, project: Map | None, batch: int) -> None:
        super().__init__(cell, batch)
        cell.refuse_weights_of_other_circuits()
        self._project, self._prepared = project, cell.prepare()
        self.load()

    def step(self, x: Sample, timespan: Timespan) -> mx.array:
        output, _, state = self._cell.advance(self._prepared, mx.array(x), self.state, column(timespan))
        output = output if self._project is None else self._project(output)
        mx.eval(state, output)  # or the graph of all samples would pile up
        self.state = each(mx.stop_gradient, state)
        return output


class AroundSteps:
    """Steps that see to samples or time spans before others take them."""

    def __init__(self, steps: Steps) -> None:
        self._steps, self.engine, self.n_inputs = steps, steps.engine, steps.n_inputs

    @property
    def state(self) -> Any:
        return self._steps.state

    def load(self, state: Any = None, batched: bool = True) -> None:
        self._steps.load(state, batched)

    def reset(self, chosen: mx.array) -> None:
        self._steps.reset(chosen)


class OverlaidSteps(AroundSteps):
    """Steps of a cell of which neurons are held, or whose sensors show something else."""

    def __init__(self, steps: Steps, overlay: Overlay) -> None:
        if overlay.noise:
            raise ValueError("a sensor that shows noise needs the whole sequence: it cannot be streamed")
        super().__init__(steps)
        self._overlay = overlay
        self.load(self.state)

    def load(self, state: Any = None, batched: bool = True) -> None:
        super().load(state, batched)
        self._steps.load(self._overlay.put(self._steps.state))

    def reset(self, chosen: mx.array) -> None:
        super().reset(chosen)
        self._steps.load(self._overlay.put(self._steps.state))

    def step(self, x: Sample, timespan: Timespan) -> mx.array:
        return self._steps.step(
            x if self._overlay.inputs is None else self._overlay.seen(mx.array(x)), timespan
        )

    def staged(self) -> Stage:
        raise ValueError(f"neurons that are held, or sensors that show something else: {ALLOCATES}")


class PartedSteps(AroundSteps):
    """Steps of which one with a long time span is several, each after an equal part of it.

    Rows that have fewer parts stand still meanwhile, as they do for a time span of 0.
    """

    _steps: OneCellSteps

    def __init__(self, steps: OneCellSteps, longest: float) -> None:
        super().__init__(steps)
        self._longest = longest

    def step(self, x: Sample, timespan: Timespan) -> mx.array:
        steps, spans = self._steps, np.atleast_1d(np.asarray(timespan, np.float32))
        parts = parts_of(spans, self._longest)
        each = spans / parts.astype(np.float32)
        for p in range(int(parts.max())):
            going = parts > p
            before = None if going.all() else steps.state
            output = steps.step(x, np.where(going, each, np.float32(0.0)))
            if before is not None and steps.lasting:  # whose noise goes on whatever the time span is
                steps.state = blend(going, steps.state, before)
        return output

    def staged(self) -> Stage:
        inner = self._steps.staged()
        spans, parts, each, done = (np.ones_like(inner.timespan) for _ in range(4))
        done = done.astype(bool)
        longest, exact, one, zero = (
            np.full(len(spans), value, np.float32) for value in (self._longest, EXACT, 1.0, 0.0)
        )

        def run() -> None:
            np.divide(spans, longest, out=parts)
            np.multiply(parts, exact, out=parts)
            np.ceil(parts, out=parts)
            np.maximum(parts, one, out=parts)
            most = parts.max()
            if most > MOST_PARTS:
                parts_of(spans, self._longest)  # which refuses them
            np.divide(spans, parts, out=each)
            for p in range(int(most)):
                np.copyto(inner.timespan, each)
                np.less_equal(parts, p, out=done)
                np.copyto(inner.timespan, zero, where=done)
                inner.run()

        return replace(inner, timespan=spans, run=run)


class TimedSteps(AroundSteps):
    """Steps of a cell with a time scale, which are given the time spans of the data."""

    def __init__(self, steps: Steps, scale: float) -> None:
        super().__init__(steps)
        self._scale = scale

    def step(self, x: Sample, timespan: Timespan) -> mx.array:
        return self._steps.step(x, in_own_time(timespan, self._scale))

    def staged(self) -> Stage:
        inner = self._steps.staged()
        spans = np.ones_like(inner.timespan)
        most = LONGEST * min(1.0, self._scale) * SHORTER
        scale, longest = (np.full(len(spans), value, np.float32) for value in (self._scale, most))

        def run() -> None:
            np.minimum(spans, longest, out=inner.timespan)
            np.divide(inner.timespan, scale, out=inner.timespan)
            inner.run()

        return replace(inner, timespan=spans, run=run)


class ChainSteps:
    """Steps of layers one behind the other, of which those without state map the samples."""

    def __init__(self, layers: Sequence[Steps | Map], n_inputs: int, batch: int) -> None:
        self._layers, self.n_inputs, self._batch = layers, n_inputs, batch
        self._parts = [layer for layer in layers if not callable(layer)]
        engines = {part.engine for part in self._parts}
        self.engine = "ops" if not engines else engines.pop() if len(engines) == 1 else "mixed"

    @property
    def state(self) -> Any:
        return tuple(part.state for part in self._parts)

    def load(self, state: Any = None, batched: bool = True) -> None:
        given = states_of(state, len(self._parts))
        before = self.state
        try:
            for part, its in zip(self._parts, given, strict=True):
                part.load(its, batched)
        except (TypeError, ValueError):  # all of it or nothing
            for part, its in zip(self._parts, before, strict=True):
                part.load(its)
            raise

    def reset(self, chosen: mx.array) -> None:
        for part in self._parts:
            part.reset(chosen)

    def step(self, x: Sample, timespan: Timespan) -> mx.array:
        values = mx.array(x)
        for layer in self._layers:
            if callable(layer):
                values = layer(values[:, None])[:, 0]  # a sequence of one sample
            else:
                values = layer.step(values.astype(mx.float32), timespan)
        mx.eval(values)
        return mx.stop_gradient(values)

    def staged(self) -> Stage:
        return chained(self._layers, self._batch, self.n_inputs)


def cell_steps(cell: NCPRNNCell, engine: str, project: Map | None, batch: int) -> Steps:
    """The fastest way to step that an engine allows, with a map of the outputs behind it.

    Raises:
        KernelError: the engine is "fused", and there is no kernel for the cell.
    """
    overlay = overlay_of(cell)
    if overlay is not None and (overlay.held or overlay.inputs or overlay.noise):
        lay_over(cell, replace(overlay, held=None, inputs=None, noise=()))
        try:
            return OverlaidSteps(cell_steps(cell, engine, project, batch), overlay)
        finally:
            lay_over(cell, overlay)
    if isinstance(cell, InputWrapper):
        return cell.steps_around(cell_steps(cell.cell, engine, project, batch), batch)
    if engine != "ops":
        try:
            return _in_parts(cell, KernelSteps(cell, project, batch))
        except KernelError:
            if engine == "fused":
                raise
    return _in_parts(cell, CellSteps(cell, project, batch))


def _in_parts(cell: NCPRNNCell, steps: KernelSteps | CellSteps) -> Steps:
    longest = cell.longest_part
    return steps if longest is None else PartedSteps(steps, longest)


def in_time_of(cell: NCPRNNCell, steps: Steps) -> Steps:
    """Steps of a cell, given the time spans of the data."""
    return steps if cell.time_scale in (None, 1.0) else TimedSteps(steps, cell.time_scale)


def states_of(state: Any, n: int) -> Sequence[Any]:
    """The states of n layers, as a user gives them, or None for each.

    Raises:
        TypeError: no tuple.
        ValueError: another number of states.
    """
    if state is None:
        return [None] * n
    if not isinstance(state, tuple | list):
        raise TypeError(f"the state must be a tuple of {counted(n, 'state')}, got {type(state).__name__}")
    if len(state) != n:
        raise ValueError(f"{counted(len(state), 'state')} for {counted(n, 'layer')} that have one")
    return state
