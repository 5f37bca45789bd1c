"""The networks people ask for by name: LTC and CfC over sequences."""

from __future__ import annotations

import inspect
from typing import Any, TypeAlias, TypeVar

import mlx.core as mx

from ...arguments import flag
from ...compile import CompiledCircuit, Source, compile_circuit
from ...recording import Recording
from ...wiring import Dense, fully_connected
from ..backbone.cell import BackboneCfCCell
from ..cell import NCPRNNCell
from ..cfc.cell import CfCCell
from ..ltc.cell import LTCCell
from ..values import Values
from ..wrappers import MixedMemoryCell
from .rnn import RNN

# What a network can be built on: a circuit in any form, or sizes without wiring.
Wiring: TypeAlias = "Source | Dense"
Network = TypeVar("Network", bound="_OfCircuit")


class _OfCircuit(RNN):
    """A network that a circuit alone gives its sizes."""

    def __new__(cls: type[Network], *args: Any, **kwargs: Any) -> Network:
        # Before the constructor, since Python's own words would only count the arguments.
        if len(args) > 1 and cls in (LTC, CfC):
            given = ", ".join(_shown(arg) for arg in args)
            raise TypeError(
                f"gl.{cls.__name__}({given}): expected a circuit alone, which knows its inputs, and options "
                f"by name; an ncps wiring comes as gl.from_ncps(wiring), sizes without one as "
                "gl.dense(inputs, units)"
            )
        return super().__new__(cls, *args, **kwargs)


class LTC(_OfCircuit):
    """A liquid time-constant network over sequences.

    Args:
        circuit: a circuit, a plan, or a compiled circuit; ``gl.dense(inputs, units)`` for a full one.
        mixed_memory: whether to put an LSTM beside the circuit, see `MixedMemoryCell`.
        key: random key for the initial values; MLX's global state if not given.
        options: those of `LTCCell`, which has the equation, and of `RNN`.

    Example:
        >>> rnn = gl.LTC(gl.auto_ncp(64, 8, inputs=16))
        >>> outputs, state = rnn(mx.zeros((32, 20, 16)))                   # (32, 20, 8), (32, 64)
    """

    def __init__(
        self, circuit: Wiring, *, mixed_memory: bool = False, key: mx.array | None = None, **options: Any
    ) -> None:
        runner, options = _split(options)
        flag("mixed_memory", mixed_memory)
        if isinstance(circuit, Dense):
            circuit = fully_connected(circuit.units, inputs=circuit.inputs)
        cell = LTCCell(_kept(self, circuit), key=key, **options)
        super().__init__(_with_memory(cell, mixed_memory, key), **runner)


class CfC(_OfCircuit):
    """A closed-form continuous-time network over sequences.

    Args:
        circuit: a circuit, a plan, or a compiled circuit; ``gl.dense(inputs, units)`` for no wiring but a
            backbone network.
        mixed_memory: whether to put an LSTM beside the circuit, see `MixedMemoryCell`.
        key: random key for the initial values; MLX's global state if not given.
        options: those of `CfCCell`, which has the equation, or without wiring of `BackboneCfCCell`; and those
            of `RNN`.

    Example:
        >>> rnn = gl.CfC(gl.auto_ncp(64, 8, inputs=16), mode="no_gate")
        >>> outputs, state = rnn(mx.zeros((32, 20, 16)))                   # (32, 20, 8), (32, 64)
    """

    def __init__(
        self, circuit: Wiring, *, mixed_memory: bool = False, key: mx.array | None = None, **options: Any
    ) -> None:
        runner, options = _split(options)
        flag("mixed_memory", mixed_memory)
        cell: NCPRNNCell
        if isinstance(circuit, Dense):
            cell = BackboneCfCCell(circuit, key=key, **options)
        else:
            cell = CfCCell(_kept(self, circuit), key=key, **options)
        super().__init__(_with_memory(cell, mixed_memory, key), **runner)


def record(
    rnn: RNN, x: Values, state: Any = None, timespans: Values | None = None, **given: Any
) -> Recording:
    """What every neuron does while a network reads a sequence; the arguments are those of the network.

    Example:
        >>> recording = gl.record(rnn, x)
        >>> recording.of("command_0")                                      # (B, T)
    """
    recording: Recording = rnn(x, state, timespans, record=True, **given)[-1]
    return recording


RUNNER = tuple(inspect.signature(RNN.__init__).parameters)[2:]  # without self and cell


def _split(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of `RNN`, and the rest, which are the cell's."""
    runner = {name: options[name] for name in RUNNER if name in options}
    return runner, {name: value for name, value in options.items() if name not in runner}


def _shown(argument: object) -> str:
    return repr(argument) if isinstance(argument, int | str) else type(argument).__name__


def _kept(network: RNN, circuit: Source) -> CompiledCircuit:
    """The circuit compiled, which is what the network's config holds: the graph may be edited later."""
    compiled = circuit if isinstance(circuit, CompiledCircuit) else compile_circuit(circuit)
    network.keep("circuit", compiled)
    return compiled


def _with_memory(cell: NCPRNNCell, mixed_memory: bool, key: mx.array | None) -> NCPRNNCell:
    if not mixed_memory:
        return cell
    # A key of its own: the cell's parameters are the same with and without memory.
    return MixedMemoryCell(cell, key=None if key is None else mx.random.split(key)[1])
