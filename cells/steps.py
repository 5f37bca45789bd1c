"""What carries a state from sample to sample: by a kernel, by a cell, or by a chain of layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import mlx.core as mx
import numpy as np

from ..compile.kernels.stepper import Floats, Stepper
from ..errors import KernelError
from .arguments import initial_state
from .cell import NCPRNNCell
from .engine import cell_kernel
from .ltc import LTCCell
from .ops.state_ops import State, each, reset
from .wrappers import MissingValueCell, joined, parted

Values: TypeAlias = mx.array | Floats
Timespan: TypeAlias = float | Floats
Map: TypeAlias = Callable[[mx.array], mx.array]

BACKWARDS = "a network that reads backwards needs the whole sequence: it cannot be fed one sample at a time"


class Steps(Protocol):
    """Steps of B rows.

    Attributes:
        engine: who runs them: "fused", "ops", or "mixed" for layers that differ.
        n_inputs: I, how many features they read.
        state: the states of B rows: an array, or a tuple of arrays or of such tuples.
    """

    engine: str
    n_inputs: int

    @property
    def state(self) -> Any: ...

    def load(self, state: Any = None, batched: bool = True) -> None:
        """Go on from a state that a user gives, or from zeros."""
        ...

    def reset(self, chosen: mx.array) -> None:
        """Go on from zeros in the rows where (B,) `chosen` is true."""
        ...

    def step(self, x: Values, timespan: Timespan) -> mx.array:
        """The outputs (B, M) for the next samples (B, I), which come a scalar or (B,) after the last ones."""
        ...


class _OneCell:
    """What the steps of one cell have in common, whoever runs them."""

    state: State

    def __init__(self, cell: NCPRNNCell, batch: int) -> None:
        self._cell, self._batch, self.n_inputs = cell, batch, cell.n_inputs

    def load(self, state: Any = None, batched: bool = True) -> None:
        self.state = initial_state(state, self._cell.state_shapes, self._batch, batched)

    def reset(self, chosen: mx.array) -> None:
        self.state = reset(self.state, chosen)


class KernelSteps(_OneCell):
    """Steps through the fused kernel."""

    engine = "fused"

    def __init__(self, cell: NCPRNNCell, project: Map, batch: int) -> None:
        super().__init__(cell, batch)
        self._project = project
        kernel = cell_kernel(cell)
        self._stepper = Stepper(kernel.sequence, batch, kernel.parameters)
        # The LTC's kernel encodes itself; of the others most have nothing to encode.
        plain = isinstance(cell, LTCCell) or type(cell).encode is NCPRNNCell.encode
        self._encode = None if plain else cell.encode

    @property
    def state(self) -> State:
        return mx.array(self._stepper.state)

    @state.setter
    def state(self, state: State) -> None:
        self._stepper.state[:] = np.array(state)

    def step(self, x: Values, timespan: Timespan) -> mx.array:
        stepper = self._stepper
        stepper.x[:] = x if self._encode is None else np.array(self._encode(mx.array(x)))
        stepper.timespan[:] = timespan
        stepper()
        return self._project(mx.array(stepper.outputs))


class CellSteps(_OneCell):
    """Steps of any cell in MLX operations, with what depends on parameters prepared once."""

    engine = "ops"

    def __init__(self, cell: NCPRNNCell, project: Map, batch: int) -> None:
        super().__init__(cell, batch)
        self._project, self._prepared = project, cell.prepare()
        self.load()

    def step(self, x: Values, timespan: Timespan) -> mx.array:
        cell = self._cell
        state = cell.step(self._prepared, cell.encode(mx.array(x)), self.state, _column(timespan))
        output = self._project(cell.decode(cell.visible(state)))
        mx.eval(state, output)  # or the graph of all samples would pile up
        self.state = each(mx.stop_gradient, state)
        return output


class MissingValueSteps(_OneCell):
    """Steps of a cell behind what finds the missing values."""

    def __init__(self, cell: MissingValueCell, inner: Steps, batch: int) -> None:
        super().__init__(cell, batch)
        self._observe, self._inner, self.engine = cell.observe, inner, inner.engine
        self.load()

    @property
    def state(self) -> State:
        return (*parted(self._inner.state), *self._seen)

    @state.setter
    def state(self, state: State) -> None:
        *inner, last, elapsed = state
        self._inner.load(joined(inner))
        self._seen = last, elapsed

    def step(self, x: Values, timespan: Timespan) -> mx.array:
        features, *seen = self._observe(mx.array(x), *self._seen, _column(timespan))
        mx.eval(features, seen)
        self._seen = seen[0], seen[1]
        return self._inner.step(features, timespan)


class ChainSteps:
    """Steps of layers one behind the other, of which those without state map the samples."""

    def __init__(self, layers: Sequence[Steps | Map], n_inputs: int) -> None:
        self._layers, self.n_inputs = layers, n_inputs
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

    def step(self, x: Values, timespan: Timespan) -> mx.array:
        values = mx.array(x)
        for layer in self._layers:
            if callable(layer):
                values = layer(values[:, None])[:, 0]  # a sequence of one sample
            else:
                values = layer.step(values.astype(mx.float32), timespan)
        mx.eval(values)
        return mx.stop_gradient(values)


def cell_steps(cell: NCPRNNCell, engine: str, project: Map, batch: int) -> Steps:
    """The fastest way to step that an engine allows, with a map of the outputs behind it.

    Raises:
        KernelError: the engine is "fused", and there is no kernel for the cell.
    """
    if isinstance(cell, MissingValueCell):
        return MissingValueSteps(cell, cell_steps(cell.cell, engine, project, batch), batch)
    if engine != "ops":
        try:
            return KernelSteps(cell, project, batch)
        except KernelError:
            if engine == "fused":
                raise
    return CellSteps(cell, project, batch)


def states_of(state: Any, n: int) -> Sequence[Any]:
    """The states of n layers, as a user gives them, or None for each.

    Raises:
        TypeError: no tuple.
        ValueError: another number of states.
    """
    if state is None:
        return [None] * n
    if not isinstance(state, tuple | list):
        raise TypeError(f"the state must be a tuple of {n} states, got {type(state).__name__}")
    if len(state) != n:
        raise ValueError(f"{len(state)} states were given for {n} layers that have one")
    return state


def _column(timespan: Timespan) -> mx.array:
    """(1, 1) or (B, 1)."""
    return mx.array(np.asarray(timespan, np.float32).reshape(-1, 1))
