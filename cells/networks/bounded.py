"""A stream whose steps allocate nothing: for loops in which the slowest step counts."""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ...arguments import instance
from ...forks import require_computing
from ..samples import RowFlags
from ..timing import LONGEST
from ..values import BOUND, Flags, Values, real_array
from .streaming import UNPICKLED, Scaling, Stream

Wide = NDArray[np.float64]
MOST = 1e200
"""What is beyond it counts as this number before it is scaled; for a network both are infinite."""


class BoundedStream:
    """A stream whose steps allocate nothing and leave MLX alone.

    All arrays are there before the first step, and a step is that of the kernel, in the thread that calls it.
    So no step waits for memory, and none takes much longer than another one. It goes on by itself from where
    the stream was.

    Args:
        stream: the stream of a network that fused kernels run: `LTC` or `CfC` in any form, also behind
            missing values, and `Stack` of such and of dense layers without a wiring, with the activations
            tanh, lecun_tanh, relu and sigmoid; or of one that is `Scaled`.

    Attributes:
        outputs: (B, M), or (M,) without a batch axis: what the last step gave; of a `Scaled` network in
            float64. Each step writes into it.

    Raises:
        ValueError: a part of the network makes arrays at every step; the message names it.

    Example:
        >>> loop = gl.BoundedStream(gl.LTC(gl.auto_ncp(64, 8, inputs=16)).stream())
        >>> command = loop(np.zeros(16, np.float32), 0.02)                 # (8,), the same array every time
    """

    def __init__(self, stream: Stream) -> None:
        instance("stream", stream, Stream, "a stream, such as rnn.stream()")
        self._stream = stream = copy.copy(stream)
        self._stage = stage = stream._steps.staged()
        batch, width = stage.outputs.shape
        self._shown = np.zeros((batch, width), np.float32)
        if stream._last is not None:
            self._shown[:] = np.array(stream._last)
        self._given: Wide = np.zeros((batch, stage.x.shape[1]))
        self._spans: Wide = np.ones(batch)
        self._there, self._missing, self._first, self._last = np.ones((4, batch), bool)
        # Views and numbers are arrays, too: those that a step needs are here; with rows last, flags fit them.
        self._states = tuple(array.T for array in stage.states)
        self._before = tuple(np.zeros_like(array) for array in self._states)
        self._columns, self._new, self._kept = self._given.T, stage.outputs.T, self._shown.T
        self._sample = self._given if stream._batched else self._given[0]
        self._least, self._most = np.array(-BOUND), np.array(BOUND)
        self._lowest, self._highest = np.array(-MOST), np.array(MOST)
        self._zero, self._one = np.zeros((), np.float32), np.ones(())
        self._scaling = scaling = _broadcast(stream.scaling(), batch)
        wide = self._shown if scaling is None else np.zeros((batch, width))
        self._told, self.outputs = wide, wide if stream._batched else wide[0]
        self._show()

    def __call__(
        self,
        x: Values,
        timespan: Values | None = None,
        *,
        mask: Flags | None = None,
        ends: Flags | None = None,
        starts: Flags | None = None,
    ) -> Any:
        """The outputs for the next sample: those of a `Stream`, in an array that the next call overwrites.

        Arrays of NumPy are read where they are; other values become such arrays first.

        Args:
            x: (B, I) inputs, or (I,) without a batch axis.
            timespan: scalar or (B,) time since the previous sample, 0 or more; as for a `Stream` if
                not given.
            mask, ends, starts: (B,) flags, as for a `Stream`.

        Returns:
            `outputs`.

        Raises:
            ValueError: as for a `Stream`; the states stay as they were.
        """
        require_computing()
        masked = mask is not None
        self._there.fill(True)
        if masked:
            self._read_flags("mask", mask, self._there)
            np.logical_not(self._there, out=self._missing)
        if starts is not None:
            self._read_flags("starts", starts, self._first)
        if ends is not None:
            self._read_flags("ends", ends, self._last)
        self._read(x, masked)
        self._read_spans(timespan, masked)
        if starts is not None:
            self._restart(self._first)
        if masked:
            for before, state in zip(self._before, self._states, strict=True):
                np.copyto(before, state)
        self._stage.run()
        if masked:
            for before, state in zip(self._before, self._states, strict=True):
                np.copyto(state, before, where=self._missing)
            np.copyto(self._kept, self._new, where=self._there)
        else:
            np.copyto(self._shown, self._stage.outputs)
        if ends is not None:
            self._restart(self._last)
        self._show()
        return self.outputs

    def reset(self, chosen: Flags | None = None) -> None:
        """Start anew: all rows, or those where (B,) `chosen` is true."""
        self._there.fill(True)
        self._read_flags("reset", chosen, self._first)
        self._restart(self._first)
        np.copyto(self._kept, self._zero, where=self._first)
        self._show()

    @property
    def state(self) -> Any:
        """The state after the last sample, as that of a `Stream`."""
        return self._stream.state

    @state.setter
    def state(self, state: Any) -> None:
        self._stream.state = state

    def __copy__(self) -> Self:
        """Another one of the same parameters, which goes on by itself from where this one is."""
        other = type(self)(self._stream)
        other._shown[:] = self._shown
        other._show()
        return other

    def __deepcopy__(self, memo: Any) -> Self:
        return self.__copy__()

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(UNPICKLED)

    def _read_flags(self, what: str, given: Flags | None, rows: RowFlags) -> None:
        """Put flags in place, as they hold where there is a sample; all are set if nothing is said."""
        if given is None:
            rows.fill(True)
        elif isinstance(given, np.ndarray) and given.dtype == bool and given.shape == rows.shape:
            np.copyto(rows, given)
        else:
            np.copyto(rows, self._stream._flags(what, given))
        np.logical_and(rows, self._there, out=rows)

    def _read(self, x: Values, masked: bool) -> None:
        """Put a sample in place; where there is none, zeros."""
        given = self._given
        if type(x) is np.ndarray and x.shape == self._sample.shape and x.dtype.kind in "biuf":
            np.copyto(self._sample, x)
        else:
            np.copyto(given, self._stream.sample(x))
        if masked:
            np.copyto(self._columns, self._zero, where=self._missing)
        if self._scaling is not None:
            np.maximum(given, self._lowest, out=given)
            np.minimum(given, self._highest, out=given)
            np.subtract(given, self._scaling.mean, out=given)
            np.divide(given, self._scaling.spread, out=given)
        np.maximum(given, self._least, out=given)
        np.minimum(given, self._most, out=given)
        np.copyto(self._stage.x, given, casting="same_kind")

    def _read_spans(self, timespan: Values | None, masked: bool) -> None:
        """Put time spans in place; where there is no sample, 1."""
        spans, unit = self._spans, 1.0 if self._scaling is None else self._scaling.time_unit
        if timespan is None:
            timespan = self._stream.usual_span()
        if isinstance(timespan, float | int):
            span = timespan / unit if abs(timespan) <= LONGEST else timespan
            if not 0.0 <= span <= LONGEST:
                if not (masked and self._missing.all()):
                    self._stream._checked(self._zeros(), span)
                span = 1.0  # in no row there is a sample
            self._stage.timespan.fill(span)
            return
        if type(timespan) is np.ndarray and timespan.shape == spans.shape and timespan.dtype.kind in "iuf":
            np.copyto(spans, timespan)
        else:
            given = np.asarray(real_array("the time span", timespan))
            flags = str(getattr(timespan, "dtype", "")).endswith("bool")  # of MLX, or of NumPy
            if flags or given.shape not in ((), spans.shape, (len(spans), 1)):
                self._stream._checked(self._zeros(), timespan)
            np.copyto(spans, given.reshape(-1))
        np.divide(spans, unit, out=spans)
        if masked:
            np.copyto(spans, self._one, where=self._missing)
        if not (spans.min() >= 0.0 and spans.max() <= LONGEST):
            self._stream._checked(self._zeros(), spans if self._stream._batched else float(spans[0]))
        np.copyto(self._stage.timespan, spans, casting="same_kind")

    def _zeros(self) -> Wide:
        return np.zeros(self._sample.shape)

    def _restart(self, rows: RowFlags) -> None:
        for state in self._states:
            np.copyto(state, self._zero, where=rows)

    def _show(self) -> None:
        """Put into `outputs` what the network shows, in their units."""
        if self._scaling is not None:
            np.copyto(self._told, self._shown)
            np.multiply(self._told, self._scaling.scale, out=self._told)
            np.add(self._told, self._scaling.offset, out=self._told)


def _broadcast(scaling: Scaling | None, batch: int) -> Scaling | None:
    """The same with (B, ...) vectors, since NumPy allocates where it has to broadcast."""
    if scaling is None:
        return None
    mean, spread, offset, scale = (np.repeat(vector[None], batch, axis=0) for vector in scaling[:4])
    return Scaling(mean, spread, offset, scale, scaling.time_unit)
