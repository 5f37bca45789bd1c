"""A network fed one sample at a time: the object that keeps the state between samples."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import mlx.core as mx
import numpy as np
from mlx.utils import tree_map
from numpy.typing import NDArray

from ...arguments import instance, whole
from ...compile.kernels.stepper import Floats
from ...forks import require_computing
from ..calls import step_call
from ..layer import NCPLayer
from ..ops.state_ops import blend
from ..running import Steps
from ..samples import RowFlags, only_valid
from ..snapshots import snapshot
from ..timed import span_without, usual_span
from ..timing import LONGEST
from ..values import BOUND, Flags, Values, boolean_array, real_array, surely_bounded
from .resting import is_rest, resting_rows

UNPICKLED = (
    "a stream cannot be pickled (copy.copy() is of this process): save the network by gl.save, and "
    "give stream.state to a stream of the loaded one"
)


class Scaling(NamedTuple):
    """The units of samples and outputs.

    Attributes:
        mean, spread: (I,) what is subtracted from samples and divided out of them.
        offset, scale: (M,) zero and unit of outputs.
        time_unit: the time span that the network sees as 1.
    """

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    offset: NDArray[np.float64]
    scale: NDArray[np.float64]
    time_unit: float


class Stream:
    """A network that is fed one sample at a time; `RNN.stream` and `Stack.stream` make it.

    It uses the parameters that the network has when the stream is made, and drops something only if the
    network is in training then: make a new one after training, behind ``network.eval()``. The samples of all
    rows come together, and no gradient is kept.

    Args:
        network: the network.
        batch_size: B, how many sequences run side by side; None for one sequence without a batch axis.

    Attributes:
        engine: who runs a step: "fused", "ops", or "mixed" for a stack of layers that differ.

    Raises:
        ValueError: a network that reads backwards, a layer of a stack that looks at several samples, a
            network that is not built, or a batch of less than one.
        KernelError: the network's engine is "fused", and there is no kernel for it.

    Example:
        >>> stream = gl.LTC(gl.auto_ncp(64, 8, inputs=16)).stream()
        >>> command = stream([0.0] * 16, timespan=0.02)                    # (8,)
        >>> stream.reset()
    """

    def __init__(self, network: NCPLayer, batch_size: int | None = None) -> None:
        if batch_size is not None:
            whole("batch_size", batch_size)
        instance("network", network, NCPLayer, "a network over sequences")
        self._batched, batch = batch_size is not None, batch_size or 1
        self._network = snapshot(network)
        self._steps: Steps = self._network._stepped(batch)
        self._usual = usual_span(network)
        self._shape = (batch, self._steps.n_inputs)
        self.engine = self._steps.engine
        self._last: mx.array | None = None  # what was shown last, with a batch axis

    def __repr__(self) -> str:
        rows = f", batch_size={self._shape[0]}" if self._batched else ""
        return (
            f"{type(self).__name__.lstrip('_')}({type(self._network).__name__}{rows}, engine={self.engine!r})"
        )

    def __copy__(self) -> Self:
        """Another stream of the same parameters, which goes on by itself from where this one is."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._network = snapshot(self._network)
        other._steps = other._network._stepped(self._shape[0])
        other._steps.load(self._steps.state)
        return other

    def __deepcopy__(self, memo: Any) -> Self:
        return self.__copy__()

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(UNPICKLED)

    def usual_span(self) -> float:
        """How far apart samples are that come without a time span.

        Raises:
            ValueError: layers differ in their time scales.
        """
        return span_without(self._network) if self._usual is None else self._usual

    def scaling(self) -> Scaling | None:
        """The units of samples and outputs; None if they are those of the network."""
        return None

    def sample(self, x: Values) -> NDArray[Any]:
        """(B, I) a sample of whatever kind, in its own units, after a look at it."""
        return np.asarray(self._checked(x, 1.0)[0])

    def __call__(
        self,
        x: Values,
        timespan: Values | None = None,
        *,
        mask: Flags | None = None,
        ends: Flags | None = None,
        starts: Flags | None = None,
    ) -> mx.array:
        """The output for the next sample.

        Args:
            x: (B, I) inputs, or (I,) without a batch axis.
            timespan: scalar or (B,) time since the previous sample, 0 or more; the network's `time_scale`,
                which is 1 where nobody has chosen one, if not given.
            mask: (B,) which rows have a sample now, as a network takes it for a sequence; a scalar without a
                batch axis. The others keep their state and show what they showed last.
            ends: (B,) in which rows this is the last sample of an episode: they start anew after it.
            starts: (B,) in which rows it is the first one: they start anew before it.

        Returns:
            (B, M), or (M,) without a batch axis.

        Raises:
            ValueError: a shape that does not fit, or a time span that is negative or not finite.
        """
        require_computing()
        timespan = self.usual_span() if timespan is None else timespan
        if mask is None and ends is None and starts is None:
            output = self._steps.step(*self._checked(x, timespan))
        else:
            there = np.ones(self._shape[:1], bool) if mask is None else self._flags("mask", mask)
            last, first = (
                there & self._flags(what, given) if given is not None else None
                for what, given in (("ends", ends), ("starts", starts))
            )
            output = self._eventful(x, timespan, there, last, first)
        self._last = output
        return output if self._batched else output[0]

    def _eventful(
        self, x: Values, timespan: Values, there: RowFlags, last: RowFlags | None, first: RowFlags | None
    ) -> mx.array:
        """A step at which something happens to rows."""
        expected = self._shape if self._batched else self._shape[1:]
        if not there.all():
            x, timespan = real_array("the input", x), real_array("the time span", timespan)
            if x.shape == expected and timespan.size in (1, len(there)):  # else the check says what is wrong
                x = only_valid(x.reshape(self._shape), there).reshape(expected)
                spans = mx.where(mx.array(there), timespan.reshape(-1), 1.0)
                timespan = spans if self._batched else spans[0]
        sample = self._checked(x, timespan)  # before anything changes
        if first is not None:
            self._steps.reset(mx.array(first))
        before, shown = self._steps.state, self._last
        output = self._steps.step(*sample)
        if not there.all():
            chosen = mx.array(there)
            after = tree_map(lambda new, old: blend(chosen, new, old), self._steps.state, before)
            self._steps.load(after)
            output = mx.where(chosen[:, None], output, 0.0 if shown is None else shown)
        if last is not None:
            self._steps.reset(mx.array(last))
        return output

    def reset(self, chosen: Flags | None = None) -> None:
        """Start anew: all rows, or those where (B,) `chosen` is true."""
        if chosen is None:
            self._steps.load()
            self._last = None
            return
        rows = mx.array(self._flags("reset", chosen))
        self._steps.reset(rows)
        if self._last is not None:
            self._last = mx.where(rows[:, None], 0.0, self._last)

    def _flags(self, what: str, value: Flags) -> RowFlags:
        """(B,) booleans from (B,), or a scalar without a batch axis."""
        found, expected = boolean_array(what, value), self._shape[: int(self._batched)]
        if found.shape != expected and found.shape != self._shape[:1]:
            raise ValueError(f"{what} has shape {found.shape}: expected {expected or 'a scalar'}")
        return found.reshape(-1)

    @property
    def state(self) -> Any:
        """The state after the last sample, as the network returns it: (B, N), or (N,) without a batch axis,
        or a tuple of such; it may be set, to "rest" too, see `rest`."""
        state = self._steps.state
        return state if self._batched else tree_map(lambda array: array[0], state)

    @state.setter
    def state(self, state: Any) -> None:
        self._steps.load(self._rest() if is_rest(state) else state, self._batched)

    def _rest(self) -> Any:
        """The state at rest with inputs of 0, in the units of samples."""
        return resting_rows(self._network, self._shape[0] if self._batched else None)

    def _checked(self, x: Values, timespan: Values) -> tuple[Floats, float | Floats]:
        """The sample as (B, I) and the time span, after a quick look at them."""
        expected = self._shape if self._batched else self._shape[1:]
        if isinstance(x, mx.array | np.ndarray | list | tuple) and isinstance(timespan, float | int):
            try:
                sample = np.asarray(x, None if isinstance(x, np.ndarray | mx.array) else np.float32)
            except (TypeError, ValueError):
                sample = np.zeros(0, np.float32)
            if sample.dtype.kind in "biuf" and sample.shape == expected and 0 <= timespan <= LONGEST:
                sample = sample.reshape(self._shape)
                if sample.dtype != np.float32 or not surely_bounded(sample):
                    sample = np.clip(sample, -BOUND, BOUND).astype(np.float32, copy=False)
                return sample, float(timespan)
        # Anything unusual: the slow way, which also knows what to complain about.
        inputs, _, span, batched = step_call(x, None, timespan, self._shape[1], ())
        if batched != self._batched or tuple(inputs.shape) != self._shape:
            raise ValueError(f"the sample has shape {np.shape(x)}: expected {expected}")
        return np.array(inputs), np.array(span)[:, 0]
