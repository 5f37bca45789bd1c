"""A network fed one sample at a time: the object that keeps the state between samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..compile.kernels.stepper import Stepper
from ..errors import KernelError
from .arguments import initial_state, step_call
from .cell import NCPRNNCell
from .engine import cell_kernel
from .ltc import LTCCell
from .ops.state_ops import State, each, reset, rows, zeros
from .values import Values, whole_number

if TYPE_CHECKING:
    from .rnn import RNN

Floats = NDArray[np.float32]


class Stream:
    """A network that is fed one sample at a time; `RNN.stream` makes it.

    It uses the parameters that the network has when the stream is made: make a new one after training. The
    samples of all rows come together, and no gradient is kept.

    Args:
        rnn: the network.
        batch_size: B, how many sequences run side by side; None for one sequence without a batch axis.

    Attributes:
        engine: "fused" or "ops": who runs a step.

    Raises:
        ValueError: a network that reads backwards, is not built, or a batch of less than one.
        KernelError: the network's engine is "fused", and there is no kernel for it.

    Example:
        >>> stream = gl.LTC(gl.auto_ncp(64, 8, inputs=16)).stream()
        >>> command = stream([0.0] * 16, timespan=0.02)                    # (8,)
        >>> stream.reset()
    """

    def __init__(self, rnn: RNN, batch_size: int | None = None) -> None:
        if rnn.reverse:
            raise ValueError("a network that reads backwards cannot be fed one sample at a time")
        if batch_size is not None:
            whole_number("batch_size", batch_size)
        self._cell, self._project = rnn.cell, rnn._project if rnn.proj_size is not None else None
        self._batched, batch = batch_size is not None, batch_size or 1
        self._shape = (batch, self._cell.n_inputs)
        self._steps, self.engine = _steps(rnn, batch)

    def __call__(self, x: Values, timespan: Values = 1.0) -> mx.array:
        """The output for the next sample.

        Args:
            x: (B, I) inputs, or (I,) without a batch axis.
            timespan: scalar or (B,) time since the previous sample.

        Returns:
            (B, M), or (M,) without a batch axis.

        Raises:
            ValueError: a shape that does not fit, or a time span that is not positive.
        """
        sample, span = self._checked(x, timespan)
        output = self._steps.step(sample, span)
        if self._project is not None:
            output = self._project(output)
        return output if self._batched else output[0]

    def reset(self, chosen: Any = None) -> None:
        """Start anew: all rows, or those where (B,) `chosen` is true."""
        batch = self._shape[0]
        fresh = zeros(self._cell.state_shapes, batch)
        if chosen is None:
            self._steps.state = fresh
            return
        flags = np.asarray(chosen)
        if flags.shape != (batch,) or flags.dtype != np.bool_:
            raise ValueError(f"reset of rows {flags.tolist()}: expected {batch} booleans")
        self._steps.state = reset(self._steps.state, mx.array(flags))

    @property
    def state(self) -> State:
        """The state after the last sample: (B, N), or (N,) without a batch axis, or a tuple of such."""
        return self._steps.state if self._batched else rows(self._steps.state, 0)

    @state.setter
    def state(self, state: Any) -> None:
        self._steps.state = initial_state(state, self._cell.state_shapes, self._shape[0], self._batched)

    def _checked(self, x: Values, timespan: Values) -> tuple[Floats, float | Floats]:
        """The sample as (B, I) and the time span, after a quick look at them."""
        expected = self._shape if self._batched else self._shape[1:]
        if isinstance(x, mx.array | np.ndarray | list | tuple) and isinstance(timespan, float | int):
            try:
                sample = np.asarray(x, None if isinstance(x, np.ndarray | mx.array) else np.float32)
            except (TypeError, ValueError):
                sample = np.zeros(0, np.float32)
            if sample.dtype.kind in "biuf" and sample.shape == expected and 0 < timespan < np.inf:
                return sample.reshape(self._shape).astype(np.float32, copy=False), float(timespan)
        # Anything unusual: the slow way, which also knows what to complain about.
        inputs, _, span, batched = step_call(x, None, timespan, self._shape[1], self._cell.state_shapes)
        if batched != self._batched or tuple(inputs.shape) != self._shape:
            raise ValueError(f"the sample has shape {np.shape(x)}: expected {expected}")
        return np.array(inputs), np.array(span)[:, 0]


class _Steps(Protocol):
    """What carries a state from sample to sample."""

    state: State

    def step(self, x: Floats, timespan: float | Floats) -> mx.array: ...


class _KernelSteps:
    """Steps through the fused kernel."""

    def __init__(self, cell: NCPRNNCell, batch: int) -> None:
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

    def step(self, x: Floats, timespan: float | Floats) -> mx.array:
        stepper = self._stepper
        stepper.x[:] = x if self._encode is None else np.array(self._encode(mx.array(x)))
        stepper.timespan[:] = timespan
        stepper()
        return mx.array(stepper.outputs)


class _CellSteps:
    """Steps of any cell in MLX operations, with what depends on parameters prepared once."""

    def __init__(self, cell: NCPRNNCell, batch: int) -> None:
        self._cell, self._prepared = cell, cell.prepare()
        self.state: State = zeros(cell.state_shapes, batch)

    def step(self, x: Floats, timespan: float | Floats) -> mx.array:
        cell = self._cell
        span = mx.array(np.asarray(timespan, np.float32).reshape(-1, 1))
        state = cell.step(self._prepared, cell.encode(mx.array(x)), self.state, span)
        output = cell.decode(cell.visible(state))
        mx.eval(state, output)  # or the graph of all samples would pile up
        self.state = each(mx.stop_gradient, state)
        return output


def _steps(rnn: RNN, batch: int) -> tuple[_Steps, str]:
    """The fastest way to step that the network's engine allows, and its name."""
    if rnn.engine != "ops":
        try:
            return _KernelSteps(rnn.cell, batch), "fused"
        except KernelError:
            if rnn.engine == "fused":
                raise
    return _CellSteps(rnn.cell, batch), "ops"
