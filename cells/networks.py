"""The networks people ask for by name: LTC and CfC over sequences."""

from __future__ import annotations

from typing import Any, TypeAlias

from ..compile import Source
from ..recording import Recording
from ..wiring import Dense, fully_connected
from .backbone import BackboneCfCCell
from .cfc import CfCCell
from .ltc import LTCCell
from .rnn import RNN
from .values import Values

# What a network can be built on: a circuit in any form, or sizes without wiring.
Wiring: TypeAlias = "Source | Dense"


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
