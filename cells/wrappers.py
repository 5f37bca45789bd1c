"""Cells around cells: a memory beside a circuit, and inputs that are not always there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import mlx.core as mx

from .arguments import Call
from .cell import NCPRNNCell
from .layer import Shape
from .ops import Draws, State
from .sequence import Engine, Run


class CellWrapper(NCPRNNCell):
    """A cell around another one, whose neurons and outputs are its own.

    A subclass says in `state_shapes` what it adds to the state, and in `step` what it does around the inner
    cell's step.

    Attributes:
        cell: the inner cell.
    """

    cell: NCPRNNCell

    def __init__(self, cell: NCPRNNCell) -> None:
        if not isinstance(cell, NCPRNNCell):
            raise TypeError(f"expected a cell, such as gl.LTCCell(circuit), got {type(cell).__name__}")
        if not cell.built:
            raise ValueError(f"the {type(cell).__name__} inside a {type(self).__name__} is not built yet")
        super().__init__(cell.n_neurons)
        self.neurons, self.sensors, self.roles = cell.neurons, cell.sensors, cell.roles
        if hasattr(cell, "compiled"):
            self.compiled = cell.compiled
        self.cell, self.built = cell, True

    @property
    def n_outputs(self) -> int:
        """M: the number of outputs."""
        return self.cell.n_outputs

    def prepare(self) -> Any:
        return self.cell.prepare()

    def decode(self, states: mx.array) -> mx.array:
        return self.cell.decode(states)

    def apply_constraints(self) -> None:
        self.cell.apply_constraints()


class MixedMemoryCell(CellWrapper):
    r"""One time step of a cell whose state passes through an LSTM first, which remembers for longer.

    With input x, the cell's state h and the memory c,

    .. math::

        [z, i, f, o] &= x W + h U + b \\
        c' &= \sigma(f + b_f)\, c + \sigma(i) \tanh(z) \\
        h' &= cell(x,\ \sigma(o) \tanh(c'),\ dt)

    The memory sees all inputs and all neurons, whatever the circuit is; what the circuit makes of it follows
    the circuit. The state is the pair (h, c), both (B, N).

    Parameters: those of ``cell``, ``input_kernel`` (I, 4N), ``recurrent_kernel`` (N, 4N) and ``bias`` (4N,).

    Args:
        cell: the cell to give a memory to; its state is one array (B, N).
        forget_bias: b_f, constant: how much is kept at first.
        key: random key for the initial values; MLX's global state if not given.

    Raises:
        ValueError: a cell with more than one array of state, or one that is not built.

    Example:
        >>> rnn = gl.LTC(gl.auto_ncp(64, 8, inputs=16), mixed_memory=True)
        >>> outputs, (neurons, memory) = rnn(mx.zeros((32, 20, 16)))

    Source: Lechner and Hasani, Learning long-term dependencies in irregularly-sampled time series, 2020.
    """

    def __init__(self, cell: NCPRNNCell, *, forget_bias: float = 1.0, key: mx.array | None = None) -> None:
        super().__init__(cell)
        n, features = cell.n_neurons, cell.n_inputs
        if cell.state_shapes != ((n,),):
            raise ValueError(f"a {type(cell).__name__} has a state of {cell.state_shapes}: expected one (N,)")
        self.forget_bias = forget_bias
        draws = Draws(key)
        self.input_kernel = draws.glorot(features, 4 * n, features, 4 * n)
        self.recurrent_kernel = draws.orthogonal(n, 4 * n)
        self.bias = draws.uniform(-0.1, 0.1, 4 * n)

    @property
    def state_shapes(self) -> tuple[Shape, ...]:
        return (self.n_neurons,), (self.n_neurons,)

    def step(
        self, prepared: Any, x: mx.array, state: tuple[mx.array, mx.array], timespan: mx.array
    ) -> tuple[mx.array, mx.array]:
        h, memory = state
        gates = x @ self.input_kernel + h @ self.recurrent_kernel + self.bias
        new, let_in, keep, show = mx.split(gates, 4, axis=-1)
        memory = memory * mx.sigmoid(keep + self.forget_bias) + mx.tanh(new) * mx.sigmoid(let_in)
        h = mx.tanh(memory) * mx.sigmoid(show)
        return self.cell.step(prepared, self.cell.encode(x), h, timespan), memory


class MissingValueCell(CellWrapper):
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

    def __init__(self, cell: NCPRNNCell) -> None:
        super().__init__(cell)
        if cell.n_inputs % 3:
            raise ValueError(f"the cell has {cell.n_inputs} inputs: expected three per feature")
        self.sensors = cell.sensors[: cell.n_inputs // 3]

    @property
    def state_shapes(self) -> tuple[Shape, ...]:
        return (*self.cell.state_shapes, (self.n_inputs,), (self.n_inputs,))

    def step(
        self, prepared: Any, x: mx.array, state: tuple[mx.array, ...], timespan: mx.array
    ) -> tuple[mx.array, ...]:
        *inner, last, elapsed = state
        features, last, elapsed = self.observe(x, last, elapsed, timespan)
        new = self.cell.step(prepared, self.cell.encode(features), joined(inner), timespan)
        return (*parted(new), last, elapsed)

    def around(self, engine: Engine) -> Engine:
        """An engine of this cell, from one of the inner cell, which what is missing does not depend on."""

        def run(call: Call) -> Run:
            *inner, last, elapsed = call.state
            features = []
            for t in range(call.steps):
                seen, last, elapsed = self.observe(call.x[:, t], last, elapsed, call.timespans[:, t, None])
                features.append(seen)
            run = engine(replace(call, x=mx.stack(features, axis=1), state=joined(inner)))
            return replace(run, state=(*parted(run.state), last, elapsed))

        return run

    def observe(
        self, x: mx.array, last: mx.array, elapsed: mx.array, timespan: mx.array
    ) -> tuple[mx.array, mx.array, mx.array]:
        """The inner cell's inputs (B, 3 I), the last values and the times since they were observed."""
        missing = mx.isnan(x)
        last, elapsed = mx.where(missing, last, x), elapsed + timespan
        features = mx.concatenate([last, 1.0 - missing.astype(x.dtype), elapsed], axis=-1)
        return features, last, mx.where(missing, elapsed, 0.0)


def joined(arrays: Sequence[mx.array]) -> State:
    """A state from its arrays."""
    return arrays[0] if len(arrays) == 1 else tuple(arrays)


def parted(state: State) -> tuple[mx.array, ...]:
    """The arrays of a state."""
    return state if isinstance(state, tuple) else (state,)
