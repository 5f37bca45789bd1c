"""Mixed memory: an LSTM beside a circuit, for what must be remembered longer than neurons can."""

from __future__ import annotations

from typing import Any

import mlx.core as mx

from .cell import NCPRNNCell
from .layer import Shape
from .ops import Draws


class MixedMemoryCell(NCPRNNCell):
    r"""One time step of a cell whose state passes through an LSTM first.

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
        if cell.state_shapes != ((cell.n_neurons,),):
            raise ValueError(
                f"the state of a {type(cell).__name__} has {cell.state_shapes}: expected one (N,)"
            )
        super().__init__(cell.n_neurons)
        self.neurons, self.sensors, self.roles = cell.neurons, cell.sensors, cell.roles
        self.cell, self.forget_bias = cell, forget_bias
        self.build((cell.n_inputs,), key)

    def build(self, input_shape: Shape, key: mx.array | None = None) -> None:
        n, draws = self.n_neurons, Draws(key)
        features = input_shape[-1]
        self.input_kernel = draws.glorot(features, 4 * n, features, 4 * n)
        self.recurrent_kernel = draws.orthogonal(n, 4 * n)
        self.bias = draws.uniform(-0.1, 0.1, 4 * n)
        super().build(input_shape)

    @property
    def n_outputs(self) -> int:
        """M: the number of outputs."""
        return self.cell.n_outputs

    @property
    def state_shapes(self) -> tuple[Shape, ...]:
        return (self.n_neurons,), (self.n_neurons,)

    def prepare(self) -> Any:
        return self.cell.prepare()

    def step(
        self, prepared: Any, x: mx.array, state: tuple[mx.array, mx.array], timespan: mx.array
    ) -> tuple[mx.array, mx.array]:
        h, memory = state
        gates = x @ self.input_kernel + h @ self.recurrent_kernel + self.bias
        new, let_in, keep, show = mx.split(gates, 4, axis=-1)
        memory = memory * mx.sigmoid(keep + self.forget_bias) + mx.tanh(new) * mx.sigmoid(let_in)
        h = mx.tanh(memory) * mx.sigmoid(show)
        return self.cell.step(prepared, self.cell.encode(x), h, timespan), memory

    def decode(self, states: mx.array) -> mx.array:
        return self.cell.decode(states)

    def apply_constraints(self) -> None:
        self.cell.apply_constraints()
