"""The networks people ask for by name: LTC and CfC over sequences."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

import mlx.core as mx

from ...arguments import flag
from ...compile import CompiledCircuit, Source
from ...compile.pipeline import compiled_for
from ...recording import Recording
from ...wiring import Dense, fully_connected
from ...wiring.words import suggestion
from ..backbone.cell import BackboneCfCCell
from ..cell import NCPRNNCell
from ..cfc.cell import CfCCell
from ..configured import options_of
from ..layer import NCPLayer
from ..ltc.cell import LTCCell
from ..ops import Draws
from ..sharing import used_attributes
from ..timing import CLOSED
from ..values import Values
from ..wrappers import MixedMemoryCell
from .bidirectional import Bidirectional
from .ensemble import Ensemble
from .options import CfCOptions, LTCOptions, RunOptions
from .rnn import RNN
from .stack import Stack

if TYPE_CHECKING:
    from typing_extensions import Unpack

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
        self,
        circuit: Wiring,
        *,
        mixed_memory: bool = False,
        key: mx.array | None = None,
        **options: Unpack[LTCOptions],
    ) -> None:
        runner, given = _split(options)
        flag("mixed_memory", mixed_memory)
        key = Draws(key).key
        if isinstance(circuit, Dense):
            circuit = fully_connected(circuit.units, inputs=circuit.inputs)
        _refuse_unknown(type(self), LTCCell, given)
        cell = LTCCell(_kept(self, circuit, given), key=key, **given)
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
        self,
        circuit: Wiring,
        *,
        mixed_memory: bool = False,
        key: mx.array | None = None,
        **options: Unpack[CfCOptions],
    ) -> None:
        runner, given = _split(options)
        flag("mixed_memory", mixed_memory)
        key = Draws(key).key
        cell: NCPRNNCell
        _refuse_unknown(type(self), BackboneCfCCell if isinstance(circuit, Dense) else CfCCell, given)
        if isinstance(circuit, Dense):
            cell = BackboneCfCCell(circuit, key=key, **given)
        else:
            cell = CfCCell(_kept(self, circuit, given), key=key, **given)
        super().__init__(_with_memory(cell, mixed_memory, key), **runner)


@overload
def record(
    rnn: RNN, x: Values, state: Any = None, timespans: Values | None = None, **given: Unpack[RunOptions]
) -> Recording: ...
@overload
def record(
    rnn: Bidirectional | Stack | Ensemble,
    x: Values,
    state: Any = None,
    timespans: Values | None = None,
    **given: Unpack[RunOptions],
) -> tuple[Any, ...]: ...
def record(
    rnn: NCPLayer | Ensemble,
    x: Values,
    state: Any = None,
    timespans: Values | None = None,
    **given: Unpack[RunOptions],
) -> Recording | tuple[Any, ...]:
    """What every neuron does while a network reads a sequence; the arguments are those of the network.

    A `Bidirectional` gives the pair of its recordings, a `Stack` the tuple of those of its layers that have
    neurons, as they do with states, and an `Ensemble` those of its members.

    Raises:
        TypeError: a layer without neurons, or no network.

    Example:
        >>> recording = gl.record(rnn, x)
        >>> recording.of("command_0")                                      # (B, T)
    """
    if isinstance(rnn, Ensemble):
        return tuple(record(rnn.member(k), x, state, timespans, **given) for k in range(len(rnn)))
    if not isinstance(rnn, NCPLayer) or not rnn.recurrent:
        raise TypeError(f"expected a network, such as gl.LTC(circuit), got {type(rnn).__name__}")
    result = rnn(x, state, timespans, record=True, **given)
    if not isinstance(result, tuple):
        raise TypeError(f"no layer of this {type(rnn).__name__} has neurons to record")
    recordings: Recording | tuple[Any, ...] = result[-1]
    return recordings


RUNNER = tuple(inspect.signature(RNN.__init__).parameters)[2:]  # without self and cell


def _split(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of `RNN`, and the rest, which are the cell's."""
    runner = {name: options[name] for name in RUNNER if name in options}
    return runner, {name: value for name, value in options.items() if name not in runner}


def _refuse_unknown(network: type, cell: type[NCPLayer], given: Mapping[str, Any]) -> None:
    """Raise TypeError for an option that the cell does not have; Python would only name the cell."""
    if cell is not LTCCell and "max_step" in given:
        raise TypeError(
            f"a {network.__name__} has no max_step: {CLOSED}, so that parts of a span are samples"
        )
    if unknown := set(given) - options_of(cell):
        hint = suggestion(min(unknown), options_of(cell) | set(RUNNER) - {"self"})
        over = "without wiring" if cell is BackboneCfCCell else "over a circuit"
        raise TypeError(f"{network.__name__} {over} has no option {min(unknown)!r}{hint}")


def _shown(argument: object) -> str:
    return repr(argument) if isinstance(argument, int | str) else type(argument).__name__


def _kept(network: RNN, circuit: Source, options: Mapping[str, Any]) -> CompiledCircuit:
    """The circuit compiled, which is what the network's config holds: the graph may be edited later."""
    compiled = (
        circuit if isinstance(circuit, CompiledCircuit) else compiled_for(circuit, used_attributes(options))
    )
    network.keep("circuit", compiled)
    return compiled


def _with_memory(cell: NCPRNNCell, mixed_memory: bool, key: mx.array) -> NCPRNNCell:
    if not mixed_memory:
        return cell
    # A key of its own: the cell's parameters are the same with and without memory.
    return MixedMemoryCell(cell, key=mx.random.split(key)[1])
