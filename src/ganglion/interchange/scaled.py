"""A network in the units of its data."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import instance, label, numbers, real, scalar, several
from ..cells import Bidirectional, Memory, NCPLayer, Stack, Stream
from ..cells.networks.carrying import outputs_between
from ..cells.networks.memory import predict_memory
from ..cells.networks.resting import is_rest, rest_for, resting_rows
from ..cells.networks.streaming import Scaling
from ..cells.running import Steps
from ..cells.values import mlx_array
from ..compile import CompiledCircuit
from ..recording import Recording
from ..wiring import Circuit
from .deploy.program import Units

Shape = tuple[int, ...]
Floats = NDArray[np.float64]
COARSE = 1e-2
"""The largest step between two outputs in float32 that passes without a word, in units of their scale."""


class Scaled(NCPLayer):
    r"""A network whose inputs, outputs and time spans are in the units of the data.

    .. math:: y = offset + scale \cdot network((x - mean) / spread, \; timespans / time\_unit)

    The scaling is part of the config and does not train; the parameters are the network's. Inputs that are no
    floats of MLX, such as NumPy's of 64 bits, are scaled in float64, so that seconds since 1970 or counters
    lose nothing. Outputs are float32, as everything in MLX; `predict` gives them in float64, which tells
    values apart where the offset is large.

    Recordings are in the units of the data, too, and the names of its columns stand for the sensors, in
    recordings, circuits, pictures and wherever a method takes neurons.

    Args:
        model: the network, called as ``model(x, state, timespans)`` with ``(outputs, state)`` as result.
        inputs: I names of the input features.
        outputs: M names of the outputs.
        mean, spread: (I,) what is subtracted from each input and divided out of it; 0 and 1 if not given.
        offset, scale: (M,) zero and unit of each output; 0 and 1 if not given.
        time_unit: the time that the network counts as 1. Samples without time spans are one `time_scale` of
            the network apart, in this unit; that is one `time_unit` where the network has none.

    Raises:
        ValueError: a vector of a wrong length, a value that is not finite, or a unit that is not positive.

    Example:
        >>> model = gl.Scaled(gl.LTC(circuit), ["speed"], ["torque"], mean=[3.0], spread=[0.5])
        >>> torque, state = model(mx.zeros((32, 20, 1)))                   # (32, 20, 1), (32, N)
    """

    recurrent = True

    def __init__(
        self,
        model: nn.Module,
        inputs: Sequence[str],
        outputs: Sequence[str],
        *,
        mean: ArrayLike = 0.0,
        spread: ArrayLike = 1.0,
        offset: ArrayLike = 0.0,
        scale: ArrayLike = 1.0,
        time_unit: float = 1.0,
    ) -> None:
        super().__init__()
        self.model = instance("model", model, nn.Module, "a network")
        self.inputs = _names("inputs", inputs)
        self.outputs = _names("outputs", outputs)
        # Underscored, so that they are no parameters; kept, because a config holds lists and no arrays.
        self._mean = self._vector("mean", mean, len(self.inputs))
        self._spread = self._vector("spread", spread, len(self.inputs), positive=True)
        self._offset = self._vector("offset", offset, len(self.outputs))
        self._scale = self._vector("scale", scale, len(self.outputs), positive=True)
        self.time_unit = real("time_unit", time_unit, above=0)
        self.built = getattr(model, "built", True)

    @property
    def input_size(self) -> int:
        return len(self.inputs)

    @property
    def sensors(self) -> tuple[str, ...]:
        """The names of the input features."""
        return self.inputs

    @property
    def return_state(self) -> bool:
        """Whether the network returns its state."""
        return bool(getattr(self.model, "return_state", True))

    @property
    def units(self) -> tuple[Floats, Floats]:
        """What 1 and 0 of the network's inputs are in the units of the data, each (I,)."""
        return self._spread, self._mean

    @property
    def noise(self) -> mx.array | None:
        """(M,) the standard deviation of a measurement, in the units of the data; None if nobody says it."""
        noise = getattr(self.model, "noise", None)
        return noise * mx.array(self._scale.astype(np.float32)) if isinstance(noise, mx.array) else None

    def inner_names(self, name: str) -> tuple[str, ...]:
        """The sensor of the network that a column stands for."""
        inside = tuple(getattr(self.model, "sensors", ()))
        known = name in self.inputs and len(inside) == len(self.inputs)
        return (inside[self.inputs.index(name)],) if known else (name,)

    def build(self, input_shape: Shape) -> None:
        self.model.build(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if isinstance(self.model, NCPLayer):
            return self.model.compute_output_shape(input_shape)
        return (*input_shape[:-1], len(self.outputs))

    def get_initial_state(self, inputs: mx.array | None = None, batch_size: int | None = None) -> Any:
        """The state of zeros of the network."""
        return self._network().get_initial_state(inputs, batch_size)

    def explain(self) -> str:
        """Which engine and layout run the network, and why."""
        said = self._network().explain()
        spans = "" if self.time_unit == 1.0 else f", time spans divided by {self.time_unit:g}"
        return f"Columns are scaled in plain MLX operations{spans}, and then {said}"

    def describe(self) -> str:
        """The columns, and what the network says of itself."""
        columns = f"columns: {', '.join(self.inputs)}; outputs: {', '.join(self.outputs)}"
        return f"{columns}\n{self._network().describe()}"

    @property
    def wiring(self) -> CompiledCircuit | None:
        """The compiled circuit of the network; None without one, or with several."""
        found: CompiledCircuit | None = getattr(self.model, "wiring", None)
        return found

    def memory(self, batch: int, steps: int) -> Memory:
        """The bytes that a batch of `batch` sequences of `steps` samples needs; see `Memory`."""
        return predict_memory(self, batch, steps)

    def apply_constraints(self) -> None:
        """Put parameters that left their range back into it; call it after each optimizer step."""
        getattr(self.model, "apply_constraints", lambda: None)()

    def to_circuit(self) -> Circuit:
        circuit: Circuit = self._network().to_circuit()
        inside = [self.inner_names(column)[0] for column in self.inputs]
        if set(inside) <= set(circuit) and not set(self.inputs) & (set(circuit) - set(inside)):
            circuit.rename(dict(zip(inside, self.inputs, strict=True)))
        for data in circuit.nodes.values():
            if "time_constant" in data:
                data["time_constant"] *= self.time_unit
        return circuit

    def remade(self, arguments: dict[str, Any]) -> Scaled:
        """The same around another network, with the columns that it has of this one's."""
        model = arguments["model"]
        arguments = self.made_with() | {"model": model}  # `untie` means the scale of weights, not of outputs
        sensors, left = (getattr(one, "sensors", None) for one in (self.model, model))
        if sensors and left is not None and len(left) != len(sensors):
            kept = [k for k, name in enumerate(sensors) if name in left]
            self._refuse_new("sensors", len(left), len(kept))
            arguments |= _taken(arguments, ("inputs", "mean", "spread"), kept)
        source = outputs_between(self.model, model, {})
        if source is not None:
            self._refuse_new("outputs", len(source), int((source >= 0).sum()))
            arguments |= _taken(arguments, ("outputs", "offset", "scale"), source.tolist())
        return type(self)(**arguments)

    def _refuse_new(self, what: str, there: int, known: int) -> None:
        if there != known:
            raise ValueError(
                f"the new network has {there - known} {what} that no column of this Scaled one is for: carry "
                "its model, and say by gl.Scaled(model, ...) what they are"
            )

    def _network(self) -> Any:
        """The network inside, if it is one of this package's."""
        return instance(
            "the network of Scaled", self.model, NCPLayer, "one of ganglion, to be asked for that"
        )

    def __call__(self, x: Any, state: Any = None, timespans: Any = None, **given: Any) -> Any:
        """Run a sequence.

        Args:
            x: (B, T, I) or (T, I) inputs, in the units of the data.
            state: the state to start from; zeros if not given.
            timespans: time since the previous sample, in the unit of the data; the usual one if not given,
                see `time_unit`.
            given: what else the network takes, such as `mask` or `record`.

        Returns:
            The outputs in the units of the data, (B, T, M) or (T, M), and the last state; behind them what
            was asked for. Of recordings, inputs, outputs and times are in the units of the data.
        """
        if is_rest(state):
            state = rest_for(self, mlx_array("the input", x))
        inputs, spans = self.scaled(x, timespans)
        result = self.model(inputs, state, spans, **given)
        if not isinstance(result, tuple):
            return self.shown(result)
        outputs, *others = result
        if given.get("record") is True:
            others[-1] = self._recorded(self.model, others[-1])
        return (self.shown(outputs), *others)

    def _recorded(self, network: Any, recorded: Any, first: bool = True, last: bool = True) -> Any:
        """A recording of a network in the units of the data, where it reads or gives some."""
        if isinstance(network, Bidirectional):
            ways = zip((network.forward, network.backward), recorded, strict=True)
            return tuple(self._recorded(way, its, first, False) for way, its in ways)
        if isinstance(network, Stack):
            places = [k for k, layer in enumerate(network.layers) if getattr(layer, "recurrent", False)]
            return tuple(
                self._recorded(network.layers[k], its, first and not k, last and k == len(network.layers) - 1)
                for k, its in zip(places, recorded, strict=True)
            )
        if not isinstance(recorded, Recording):
            return recorded
        found: dict[str, Any] = {"times": recorded.times * self.time_unit}
        if first and recorded.inputs.shape[-1:] == (len(self.inputs),):
            found |= {"inputs": recorded.inputs * self._spread + self._mean, "sensors": self.inputs}
        if last and recorded.outputs.shape[-1:] == (len(self.outputs),):
            found["outputs"] = self._offset + self._scale * recorded.outputs.astype(np.float64)
        return replace(recorded, **found)

    def unscaled(self, recorded: Any) -> Any:
        """A recording of this network, or a tuple of them, as the network inside had it."""
        if isinstance(recorded, tuple):
            return tuple(map(self.unscaled, recorded))
        instance("recording", recorded, Recording, "a Recording, as gl.record returns it")
        found: dict[str, Any] = {"times": recorded.times / self.time_unit}
        if recorded.sensors == self.inputs:
            inputs = ((recorded.inputs - self._mean) / self._spread).astype(np.float32)
            found |= {"inputs": inputs, "sensors": tuple(getattr(self.model, "sensors", self.inputs))}
        return replace(recorded, **found)

    def predict(self, x: Any, timespans: Any = None, *, mask: Any = None, lengths: Any = None) -> Floats:
        """(B, T, M) or (T, M) the outputs alone, in the units of the data and in float64.

        Args:
            x, timespans: as in a call.
            mask: (B, T) or (T,) the samples that there are.
            lengths: (B,) how many there are, instead.
        """
        inputs, spans = self.scaled(x, timespans)
        there = {name: given for name, given in (("mask", mask), ("lengths", lengths)) if given is not None}
        result = self.model(inputs, None, spans, **there)
        return self.in_units(result[0] if isinstance(result, tuple) else result)

    def in_units(self, outputs: Any) -> Floats:
        """Outputs of the network inside in the units of the data, in float64."""
        return self._offset + self._scale * np.array(outputs, np.float64)

    def scaled(self, x: Any, timespans: Any = None) -> tuple[mx.array, mx.array | None]:
        """Inputs and time spans in the units of the network."""
        spans = None if timespans is None else self._spans(timespans)
        if isinstance(x, mx.array) and mx.issubdtype(x.dtype, mx.floating):
            self._require_features(x.shape)
            # The mean in two parts, since one of float32 may be a whole spread beside it.
            mean = self._mean.astype(np.float32)
            rest = (self._mean - mean).astype(np.float32)
            return ((x - mx.array(mean)) - mx.array(rest)) / mx.array(self._spread.astype(np.float32)), spans
        given = numbers("the input", x).astype(np.float64)
        self._require_features(given.shape)
        with np.errstate(over="ignore"):
            return mx.array(((given - self._mean) / self._spread).astype(np.float32)), spans

    def resting(self, x: mx.array, span: float | None) -> tuple[mx.array, Any]:
        instance("model", self.model, NCPLayer, "a network of Ganglion, which knows where it rests")
        inputs, _ = self.scaled(x)
        outputs, state = self.model.resting(inputs, None if span is None else span / self.time_unit)
        return self.shown(outputs), state

    def stream(self, batch_size: int | None = None) -> Stream:
        """Feed the network one sample at a time, all in the units of the data; see `Stream`.

        Samples that come without a time span are as far apart as in a call. A sample may be a mapping
        of the inputs' names, such as ``{"speed": 3.1}``, to numbers or (B,) arrays.
        """
        return _ScaledStream(self, batch_size)

    def data_units(self) -> Units:
        """The units of the data, for exports."""
        vectors = (self._mean, self._spread, self._offset, self._scale)
        return Units(self.inputs, self.outputs, *vectors, self.time_unit)

    def _stepped(self, batch: int) -> Steps:
        raise ValueError("a Scaled network streams in its units: call its stream()")

    def _require_features(self, shape: Shape) -> None:
        if shape[-1:] != (len(self.inputs),):
            raise ValueError(f"the input has shape {shape}: expected (..., {len(self.inputs)})")

    def _spans(self, timespans: Any) -> mx.array:
        if isinstance(timespans, mx.array):
            return timespans / self.time_unit
        spans = numbers("timespans", timespans).astype(np.float64) / self.time_unit
        with np.errstate(over="ignore"):  # what is beyond float32 is refused as infinite
            return mx.array(spans.astype(np.float32))

    def shown(self, outputs: mx.array) -> mx.array:
        """Outputs of the network in the units of the data, in float32."""
        finest = np.spacing(np.abs(self._offset).astype(np.float32)).astype(np.float64)
        if (coarse := finest > COARSE * self._scale).any():
            k = int(np.argmax(coarse))
            warnings.warn(
                f"in float32, values of {self.outputs[k]!r} about {self._offset[k]:.6g} are {finest[k]:.3g} "
                "apart at least: predict() gives them in float64",
                stacklevel=3,
            )
        offset, scale = (mx.array(v.astype(np.float32)) for v in (self._offset, self._scale))
        return offset + scale * outputs

    def _vector(self, what: str, values: ArrayLike, n: int, *, positive: bool = False) -> Floats:
        array = numbers(what, values).astype(np.float64)
        with np.errstate(over="ignore", under="ignore"):
            narrow = array.astype(np.float32)
        if array.shape not in ((), (n,)) or not np.isfinite(narrow).all():
            raise ValueError(f"{what} must be {n} finite numbers, got {label(values)}")
        if positive and not (narrow > 0).all():
            raise ValueError(f"{what} must be positive, got {label(values)}")
        full: Floats = np.ascontiguousarray(np.broadcast_to(array, (n,)))
        self.keep(what, full.tolist())
        return full


class _ScaledStream(Stream):
    """A stream of the network inside, whose samples, time spans and outputs are scaled."""

    def __init__(self, scaled: Scaled, batch_size: int | None) -> None:
        network: Any = scaled.model
        super().__init__(network, batch_size)
        self._scaled = scaled

    def __call__(self, x: Any, timespan: Any = None, **given: Any) -> mx.array:
        scaled = self._scaled
        x, _ = scaled.scaled(self._in_order(x) if isinstance(x, Mapping) else x)
        if isinstance(timespan, int | float):
            span: Any = scalar("timespan", timespan) / scaled.time_unit
        else:
            span = super().usual_span() if timespan is None else scaled._spans(timespan)
        return scaled.shown(super().__call__(x, span, **given))

    def usual_span(self) -> float:
        return super().usual_span() * self._scaled.time_unit

    def _rest(self) -> Any:
        return resting_rows(self._scaled, self._shape[0] if self._batched else None)

    def scaling(self) -> Scaling:
        scaled = self._scaled
        return Scaling(scaled._mean, scaled._spread, scaled._offset, scaled._scale, scaled.time_unit)

    def sample(self, x: Any) -> Floats:
        given = self._in_order(x) if isinstance(x, Mapping) else numbers("the input", x).astype(np.float64)
        expected = self._shape if self._batched else self._shape[1:]
        if given.shape != expected:
            raise ValueError(f"the sample has shape {given.shape}: expected {expected}")
        return given

    def _in_order(self, named: Mapping[str, Any]) -> Floats:
        """(B, I) or (I,) a sample whose columns have names."""
        inputs = self._scaled.inputs
        if missing := [name for name in inputs if name not in named]:
            raise ValueError(f"the sample has no {missing[0]!r}: expected {', '.join(inputs)}")
        if unknown := [name for name in named if name not in inputs]:
            raise ValueError(f"the sample has {label(unknown[0])}: expected {', '.join(inputs)}")
        columns = [numbers(f"the input {name!r}", named[name]).astype(np.float64) for name in inputs]
        if len({column.shape for column in columns}) > 1:
            raise ValueError(f"the sample has columns of shapes {sorted({c.shape for c in columns})}")
        return np.stack(columns, axis=-1)


def _taken(arguments: dict[str, Any], names: tuple[str, ...], places: list[int]) -> dict[str, Any]:
    """Lists among the arguments with only the entries at some places."""
    return {name: [arguments[name][k] for k in places] for name in names}


def _names(what: str, names: Sequence[str]) -> tuple[str, ...]:
    given = several(what, names, "names")
    if not given or not all(isinstance(name, str) for name in given):
        raise ValueError(f"{what} must be a list of names, got {label(names)}")
    return tuple(given)
