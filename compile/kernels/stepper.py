"""One time step after the other through a kernel, with nothing made anew in between: for control loops."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from .cpu import CPURunner, kernel_function, lanes_for
from .sequence import FusedSequence
from .source import CallSizes
from .threads import run_together

Floats = NDArray[np.float32]


class Stepper:
    """A kernel over arrays that stay where they are: write `x` and `timespan`, call, read `outputs`.

    The state is read and written in place, so a call is one time step of all rows. The parameters are copied.
    Not for several threads at once.

    Args:
        sequence: the kernel.
        batch: B, the number of rows.
        parameters: the kernel's values, in the order it declares them.

    Attributes:
        x: (B, I) inputs.
        timespan: (B,) time since the previous sample.
        state: (B, N) states.
        states: the same, with the LSTM's cells (B, N) behind it if there is a memory; or its parts, where a
            state has several arrays.
        outputs: (B, M) outputs.

    Raises:
        KernelError: the kernel cannot be built.

    Example:
        >>> step = Stepper(kernel, 1, parameters)
        >>> step.x[:] = sensor.read()
        >>> step()
        >>> motor.write(step.outputs)
    """

    def __init__(self, sequence: FusedSequence, batch: int, parameters: Sequence[mx.array]) -> None:
        runner = sequence.runners(CPURunner)[0]
        assert isinstance(runner, CPURunner)
        sizes = runner.sizes
        self.x: Floats = np.zeros((batch, sizes["I"]), np.float32)
        self.timespan: Floats = np.ones((batch,), np.float32)
        self.state: Floats = np.zeros((batch, sizes["N"]), np.float32)
        layout = runner._layout(batch, CallSizes(1))
        self._sizes = layout.sizes
        self.outputs: Floats = np.zeros((batch, layout.shapes[0][-1]), np.float32)
        # A kernel keeps the state before the first step for a backward pass; nobody asks for one here.
        unused = np.zeros_like(self.state)
        values: list[Floats] = [np.array(value, np.float32) for value in parameters]
        self._alive = (values, unused)
        self.states = tuple(np.split(self.state, sequence.cuts, axis=1))  # views
        memory = self.state
        if sequence.memory:
            memory = np.zeros_like(self.state)
            self.states = (self.state, memory)
        rows = {"x": self.x, "timespans": self.timespan, "state": self.state, "first_memory": memory}
        given = [*values, *(rows.get(array.name, unused) for array in runner.kernel.of("rows"))]
        given += [self.outputs, self.state, unused, *([memory, unused] if sequence.memory else [])]
        given += [unused] * len(layout.saves)
        pointers = [*runner._pointers, *(array.ctypes.data for array in given)]
        self._pointers = (ctypes.c_void_p * len(pointers))(*pointers)
        self._numbers, self._batch = runner.numbers, batch
        self._function = kernel_function(runner.kernel, lanes_for(batch), runner.constants)
        self._blocks = -(-batch // lanes_for(batch))

    def __call__(self) -> None:
        """One time step.

        Raises:
            MemoryError: no memory for the working arrays.
        """
        if run_together(
            self._function, self._sizes, self._numbers, self._pointers, self._batch, self._blocks
        ):
            raise MemoryError("no memory for the working arrays of a kernel")
