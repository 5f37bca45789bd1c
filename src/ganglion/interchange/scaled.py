"""A network in the units of its data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from numpy.typing import ArrayLike

from ..cells import NCPLayer, Stream
from ..cells.running import Sample, Steps, Timespan

Shape = tuple[int, ...]


class Scaled(NCPLayer):
    r"""A network whose inputs, outputs and time spans are in the units of the data.

    .. math:: y = offset + scale \cdot network((x - mean) / spread, \; timespans / time\_unit)

    The scaling is part of the config and does not train; the parameters are the network's.

    Args:
        model: the network, called as ``model(x, state, timespans)`` with ``(outputs, state)`` as result.
        inputs: I names of the input features.
        outputs: M names of the outputs.
        mean, spread: (I,) what is subtracted from each input and divided out of it; 0 and 1 if not given.
        offset, scale: (M,) zero and unit of each output; 0 and 1 if not given.
        time_unit: the time span that the network sees as 1.

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
        self.model = model
        self.inputs = _names("inputs", inputs)
        self.outputs = _names("outputs", outputs)
        # Underscored, so that they are no parameters; kept, because a config holds lists and no arrays.
        self._mean = self._vector("mean", mean, len(self.inputs))
        self._spread = self._vector("spread", spread, len(self.inputs), positive=True)
        self._offset = self._vector("offset", offset, len(self.outputs))
        self._scale = self._vector("scale", scale, len(self.outputs), positive=True)
        if not (isinstance(time_unit, int | float) and 0 < time_unit < float("inf")):
            raise ValueError(f"time_unit is {time_unit!r}: expected a positive number")
        self.time_unit = float(time_unit)
        self.built = getattr(model, "built", True)

    @property
    def input_size(self) -> int:
        return len(self.inputs)

    def build(self, input_shape: Shape) -> None:
        self.model.build(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], len(self.outputs))

    def __call__(self, x: Any, state: Any = None, timespans: Any = None) -> Any:
        """Run a sequence.

        Args:
            x: (B, T, I) or (T, I) inputs, in the units of the data.
            state: the state to start from; zeros if not given.
            timespans: time since the previous sample, in the unit of the data; `time_unit` if not given.

        Returns:
            The outputs in the units of the data, (B, T, M) or (T, M), and the last state.
        """
        inputs, spans = self.scaled(x, timespans)
        outputs, state = self.model(inputs, state, spans)
        return self._offset + self._scale * outputs, state

    def scaled(self, x: Any, timespans: Any = None) -> tuple[mx.array, mx.array | None]:
        """Inputs and time spans in the units of the network."""
        spans = None if timespans is None else mx.array(timespans) / self.time_unit
        return (mx.array(x) - self._mean) / self._spread, spans

    def stream(self, batch_size: int | None = None) -> Stream:
        """Feed the network one sample at a time, all in the units of the data; see `Stream`."""
        return Stream(self, batch_size)

    def _stepped(self, batch: int) -> Steps:
        return _ScaledSteps(self, self.model._stepped(batch))

    def _vector(self, what: str, values: ArrayLike, n: int, *, positive: bool = False) -> mx.array:
        with np.errstate(over="ignore"):  # a number too large for float32 is refused below
            array = np.asarray(values, np.float32)
        if array.shape not in ((), (n,)) or not np.isfinite(array).all():
            raise ValueError(f"{what} must be {n} finite numbers, got {values!r}")
        if positive and not (array > 0).all():
            raise ValueError(f"{what} must be positive, got {values!r}")
        full = np.ascontiguousarray(np.broadcast_to(array, (n,)))
        self.keep(what, full.tolist())
        return mx.array(full)


class _ScaledSteps:
    """Steps of the network inside, whose samples and outputs are scaled."""

    def __init__(self, scaled: Scaled, inner: Steps) -> None:
        self._scaled, self._inner = scaled, inner
        self.engine, self.n_inputs, self.load, self.reset = (
            inner.engine,
            inner.n_inputs,
            inner.load,
            inner.reset,
        )

    @property
    def state(self) -> Any:
        return self._inner.state

    def step(self, x: Sample, timespan: Timespan) -> mx.array:
        inputs, _ = self._scaled.scaled(x)
        outputs = self._inner.step(inputs, timespan / self._scaled.time_unit)
        return self._scaled._offset + self._scaled._scale * outputs


def _names(what: str, names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(names, str) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{what} must be a list of names, got {names!r}")
    return tuple(names)
