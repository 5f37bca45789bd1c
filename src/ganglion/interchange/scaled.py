"""A network in the units of its data."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import instance, label, numbers, real, several
from ..cells import NCPLayer, Stream
from ..cells.running import Steps

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

    Args:
        model: the network, called as ``model(x, state, timespans)`` with ``(outputs, state)`` as result.
        inputs: I names of the input features.
        outputs: M names of the outputs.
        mean, spread: (I,) what is subtracted from each input and divided out of it; 0 and 1 if not given.
        offset, scale: (M,) zero and unit of each output; 0 and 1 if not given.
        time_unit: the time span that the network sees as 1, and that samples without time spans are apart.

    Raises:
        ValueError: a vector of a wrong length, a value that is not finite, or a unit that is not positive.

    Example:
        >>> model = gl.Scaled(gl.LTC(circuit), ["speed"], ["torque"], mean=[3.0], spread=[0.5])
        >>> torque, state = model(mx.zeros((32, 20, 1)))                   # (32, 20, 1), (32, N)
    """

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

    def build(self, input_shape: Shape) -> None:
        self.model.build(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], len(self.outputs))

    def __call__(self, x: Any, state: Any = None, timespans: Any = None, **given: Any) -> Any:
        """Run a sequence.

        Args:
            x: (B, T, I) or (T, I) inputs, in the units of the data.
            state: the state to start from; zeros if not given.
            timespans: time since the previous sample, in the unit of the data; `time_unit` if not given.
            given: what else the network takes, such as `mask`.

        Returns:
            The outputs in the units of the data, (B, T, M) or (T, M), and the last state.
        """
        inputs, spans = self.scaled(x, timespans)
        outputs, state = self.model(inputs, state, spans, **given)
        return self._shown(outputs), state

    def predict(self, x: Any, timespans: Any = None) -> Floats:
        """(B, T, M) or (T, M) the outputs alone, in the units of the data and in float64."""
        inputs, spans = self.scaled(x, timespans)
        outputs, _ = self.model(inputs, None, spans)
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

    def stream(self, batch_size: int | None = None) -> Stream:
        """Feed the network one sample at a time, all in the units of the data; see `Stream`.

        Samples that come without a time span are `time_unit` apart, as in a call.
        """
        return _ScaledStream(self, batch_size)

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

    def _shown(self, outputs: mx.array) -> mx.array:
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
        x, _ = scaled.scaled(x)
        if isinstance(timespan, int | float):
            span: Any = timespan / scaled.time_unit
        else:
            span = 1.0 if timespan is None else scaled._spans(timespan)
        return scaled._shown(super().__call__(x, span, **given))


def _names(what: str, names: Sequence[str]) -> tuple[str, ...]:
    given = several(what, names, "names")
    if not given or not all(isinstance(name, str) for name in given):
        raise ValueError(f"{what} must be a list of names, got {label(names)}")
    return tuple(given)
