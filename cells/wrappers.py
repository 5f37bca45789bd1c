"""Cells around cells, and a memory beside a circuit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import mlx.core as mx
import numpy as np

from ..arguments import label, real
from ..compile.synapses import Index
from ..errors import KernelError
from .cell import NCPRNNCell
from .keys import grid, numbered, words_of
from .layer import Shape
from .ncps import Entries, InNcps, Numbers, under
from .offers import cell_kernel
from .ops import Draws
from .ops.state_ops import State
from .overlay import Changes, Places, overlay_of
from .parameters import Declared, Repeated
from .running import CellKernel, Engine, Steps
from .strengths import Floats, Strengths

SHUT = 40.0
"""What opens or shuts a gate for good, in float32."""
MEMORY = ("input_kernel", "recurrent_kernel", "bias")


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
        if cell.has_own_call:
            raise TypeError(
                f"the {type(cell).__name__} has its own __call__: a cell inside another needs step()"
            )
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

    @property
    def time_scale(self) -> float | None:
        """That of the cell."""
        return self.cell.time_scale

    @property
    def awaits_time_scale(self) -> bool:
        return self.cell.awaits_time_scale

    def choose_time_scale(self, scale: float) -> None:
        self.cell.choose_time_scale(scale)

    @property
    def lasting(self) -> tuple[int, ...]:
        return self.cell.lasting

    def begun(self, state: State) -> State:
        count = len(self.cell.state_shapes)
        if not self.cell.lasting or not isinstance(state, tuple):
            return state
        inner, others = state[:count], state[count:]
        begun = self.cell.begun(inner)
        return (*begun, *others) if isinstance(begun, tuple) else state

    def decode(self, states: mx.array) -> mx.array:
        return self.cell.decode(states)

    def strengths(self) -> Strengths:
        return self.cell.strengths()

    def hold_neurons(self, changes: Changes, neurons: Places, values: Floats) -> None:
        """Nothing beside what the inner cell does, of which there are changes of its own."""

    def drive_neurons(self, changes: Changes, neurons: Places, currents: Floats) -> None:
        """Nothing beside what the inner cell does."""

    def resting_states(self) -> Floats:
        return self.cell.resting_states()

    def apply_constraints(self) -> None:
        self.cell.apply_constraints()


class InputWrapper(CellWrapper):
    """A wrapper that only changes what the inner cell reads, and leaves running it to whoever can.

    Attributes:
        says: what it does, for `explain`.
    """

    says: ClassVar[str]

    def inner_names(self, name: str) -> tuple[str, ...]:
        """The neurons of the inner cell that one of this cell stands for."""
        return (name,)

    def around(self, engine: Engine) -> Engine:
        """An engine of this cell, from one of the inner cell."""
        raise NotImplementedError(f"{type(self).__name__} has no around()")

    def steps_around(self, steps: Steps, batch: int) -> Steps:
        """Steps of this cell, from those of the inner cell."""
        raise NotImplementedError(f"{type(self).__name__} has no steps_around()")


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

    homes: ClassVar[Declared] = {
        "input_kernel": ("sensor", Repeated("neuron", 4)),
        "recurrent_kernel": ("neuron", Repeated("neuron", 4)),
        "bias": Repeated("neuron", 4),
    }

    def __init__(self, cell: NCPRNNCell, *, forget_bias: float = 1.0, key: mx.array | None = None) -> None:
        super().__init__(cell)
        n, features = cell.n_neurons, cell.n_inputs
        if cell.max_step is not None:
            raise ValueError(
                "a memory acts once per sample, of which max_step would make parts: leave out one"
            )
        if cell.state_shapes != ((n,),):
            raise ValueError(f"a {type(cell).__name__} has a state of {cell.state_shapes}: expected one (N,)")
        self.forget_bias = real("forget_bias", forget_bias)
        self._draws, gates = Draws(key), grid(numbered(4), words_of(cell.neurons)).reshape(-1)
        kernel = self._draws.of("input_kernel", grid(words_of(cell.sensors), gates))
        self.input_kernel = kernel.glorot(features, 4 * n, features, 4 * n)
        self.recurrent_kernel = self._draws.of("recurrent_kernel").orthogonal(n, 4 * n)
        self.bias = self._draws.of("bias", gates).uniform(-0.1, 0.1, 4 * n)

    @property
    def state_shapes(self) -> tuple[Shape, ...]:
        return (self.n_neurons,), (self.n_neurons,)

    def step(
        self, prepared: Any, x: mx.array, state: tuple[mx.array, mx.array], timespan: mx.array
    ) -> tuple[mx.array, mx.array]:
        h, memory = state
        p = {name: self[name] for name in MEMORY} if overlay_of(self) is None else self.effective()
        gates = x @ p["input_kernel"] + h @ p["recurrent_kernel"] + p["bias"]
        new, let_in, keep, show = mx.split(gates, 4, axis=-1)
        memory = memory * mx.sigmoid(keep + self.forget_bias) + mx.tanh(new) * mx.sigmoid(let_in)
        h = mx.tanh(memory) * mx.sigmoid(show)
        return self.cell.step(prepared, self.cell.encode(x), h, timespan), memory

    def kernel(self, *, all_states: bool = False) -> CellKernel:
        sequence, parameters, encodes = cell_kernel(self.cell, all_states=all_states)
        if not encodes:
            raise KernelError("the fused kernel has no mixed memory for a cell with a layer in front")
        p = {name: self[name] for name in MEMORY} if overlay_of(self) is None else self.effective()
        own = [p[name].reshape(-1) for name in MEMORY]
        return CellKernel(sequence.remembering(self.forget_bias), [*parameters, *own], encodes=True)

    def hold_neurons(self, changes: Changes, neurons: Places, values: Floats) -> None:
        """The memory forgets all at once, and brings what makes the value that others read."""
        if (np.abs(values) >= np.tanh(1.0)).any():
            raise ValueError(
                f"a neuron behind a memory is held between -0.76 and 0.76, got {label(values.tolist())}"
            )
        n = self.n_neurons
        columns = np.concatenate([neurons + k * n for k in range(4)])
        for name in ("input_kernel", "recurrent_kernel"):
            changes.put(name, (slice(None), columns), 0.0)
        shut = np.full(len(neurons), SHUT)
        new = np.clip(np.arctanh(np.arctanh(values)), -SHUT, SHUT)
        changes.put("bias", columns, np.concatenate([new, shut, -shut - self.forget_bias, shut]))

    def ncps(self) -> InNcps:
        if self.forget_bias != 1.0:
            raise ValueError(f"the forget_bias of ncps on PyTorch is 1.0, and {self.forget_bias} here")
        inner = self.cell.ncps()

        def read(entries: Entries) -> dict[str, Numbers]:
            inside = under("cell", inner.read(entries))
            return _read_memory(self.n_inputs, inner.order, entries) | inside

        return replace(
            inner,
            options=inner.options | {"mixed_memory": True},
            read=read,
            weights={name: self[name] for name in MEMORY} | under("cell", inner.weights),
            signs=under("cell", inner.signs),
            non_negative=tuple(f"cell.{name}" for name in inner.non_negative),
        )


def _read_memory(features: int, order: Index, entries: Entries) -> dict[str, Numbers]:
    """The LSTM's kernels, whose columns are four gates after each other, each over all neurons."""
    n, dtype = len(order), entries.dtype
    columns = np.concatenate([gate * n + order for gate in range(4)])
    kernel, recurrent = np.zeros((features, 4 * n), dtype), np.zeros((n, 4 * n), dtype)
    bias = np.zeros(4 * n, dtype)
    kernel[:, columns] = entries.get("lstm.input_map.weight", (4 * n, features)).T
    recurrent[np.ix_(order, columns)] = entries.get("lstm.recurrent_map.weight", (4 * n, n)).T
    bias[columns] = entries.get("lstm.input_map.bias", (4 * n,))
    return dict(zip(MEMORY, (kernel, recurrent, bias), strict=True))
