"""Networks: a cell run over sequences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from ..compile import Source
from ..recording import Recording
from ..wiring import Dense, fully_connected
from .arguments import Call, Values, one_of, sequence_call
from .backbone import BackboneCfCCell
from .cell import Cell
from .cfc import CfCCell
from .ltc import LTCCell

ENGINES = ("auto", "ops")

# What a network can be built on: a circuit in any form, or sizes without wiring.
Wiring: TypeAlias = "Source | Dense"


class RNN(nn.Module):
    """A cell over sequences: ``rnn(x, state, timespans)`` gives ``(outputs, state)``.

    Args:
        cell: what runs one time step.
        engine: who runs the sequence: "ops" (plain MLX operations) or "auto" (the fastest there is).
        return_sequences: whether to return the outputs of all samples or only of the last one.

    Raises:
        ValueError: an unknown engine.
    """

    def __init__(self, cell: Cell, *, engine: str = "auto", return_sequences: bool = True) -> None:
        super().__init__()
        one_of("engine", engine, ENGINES)
        self.cell = cell
        self.engine = engine
        self.return_sequences = return_sequences

    def __call__(
        self,
        x: Values,
        state: Values | None = None,
        timespans: Values | None = None,
        *,
        record: bool = False,
    ) -> Any:
        """Run a sequence.

        Args:
            x: (B, T, I) or (T, I) inputs.
            state: (B, N) or (N,) initial state; zeros if not given.
            timespans: time since the previous sample: a scalar, (T,), (B, T) or (B, T, 1); 1 if not given.
            record: whether to return a `Recording` of every neuron as a third value.

        Returns:
            The outputs, (B, T, M) or (T, M), without the time axis if `return_sequences` is off; the last
            state, (B, N) or (N,); and the recording, if asked for.

        Raises:
            ValueError: a shape that does not fit, an empty sequence, or a time span that is not positive.
            TypeError: values that are not real numbers.
        """
        call = sequence_call(x, state, timespans, self.cell.n_inputs, self.cell.n_neurons)
        states = self._states(replace(call, x=self.cell.encode(call.x)))
        last = states[:, -1]
        shown = states if self.return_sequences else last
        outputs = self.cell.decode(shown)
        results = (outputs, last) if call.batched else (outputs[0], last[0])
        return (*results, self._recording(call, states)) if record else results

    def apply_constraints(self) -> None:
        """Put parameters that left their range back into it; call it after each optimizer step."""
        self.cell.apply_constraints()

    def _states(self, call: Call) -> mx.array:
        """(B, T, N) states after each sample."""
        prepared, state, states = self.cell.prepare(), call.state, []
        for t in range(call.steps):
            state = self.cell.step(prepared, call.x[:, t], state, call.timespans[:, t, None])
            states.append(state)
        return mx.stack(states, axis=1)

    def _recording(self, call: Call, states: mx.array) -> Recording:
        cell = self.cell
        times = np.cumsum(np.array(call.timespans, np.float64), axis=1)
        batched = Recording(
            states=np.array(states),
            inputs=np.array(call.x),
            outputs=np.array(cell.decode(states)),
            times=times[0] if len(times) == 1 else times,
            neurons=cell.neurons,
            sensors=cell.sensors,
            roles=cell.roles,
        )
        return batched if call.batched else batched.sequence(0)


class LTC(RNN):
    """A liquid time-constant network over sequences; `LTCCell` has the equation and the options.

    Example:
        >>> rnn = gl.LTC(gl.auto_ncp(64, 8, inputs=16))
        >>> outputs, state = rnn(mx.zeros((32, 20, 16)))                   # (32, 20, 8), (32, 64)
    """

    cell: LTCCell

    def __init__(
        self, circuit: Wiring, *, engine: str = "auto", return_sequences: bool = True, **options: Any
    ) -> None:
        if isinstance(circuit, Dense):
            cell = LTCCell(fully_connected(circuit.units, inputs=circuit.inputs), **options)
        else:
            cell = LTCCell(circuit, **options)
        super().__init__(cell, engine=engine, return_sequences=return_sequences)


class CfC(RNN):
    """A closed-form continuous-time network over sequences; `CfCCell` has the equation and the options.

    With ``gl.dense(inputs, units)`` instead of a circuit there is no wiring but a backbone network, and the
    options are those of `BackboneCfCCell`.

    Example:
        >>> rnn = gl.CfC(gl.auto_ncp(64, 8, inputs=16), mode="no_gate")
        >>> outputs, state = rnn(mx.zeros((32, 20, 16)))                   # (32, 20, 8), (32, 64)
    """

    cell: CfCCell | BackboneCfCCell

    def __init__(
        self, circuit: Wiring, *, engine: str = "auto", return_sequences: bool = True, **options: Any
    ) -> None:
        cell: CfCCell | BackboneCfCCell
        if isinstance(circuit, Dense):
            cell = BackboneCfCCell(circuit, **options)
        else:
            cell = CfCCell(circuit, **options)
        super().__init__(cell, engine=engine, return_sequences=return_sequences)


def record(rnn: RNN, x: Values, state: Values | None = None, timespans: Values | None = None) -> Recording:
    """What every neuron does while a network reads a sequence.

    Example:
        >>> recording = gl.record(rnn, x)
        >>> recording.of("command_0")                                      # (B, T)
    """
    recording: Recording = rnn(x, state, timespans, record=True)[2]
    return recording
