"""What stands between a neuron and the eye of an experiment: a trace, a calcium indicator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, TypeAlias

import mlx.core as mx
import numpy as np

from ...arguments import counted, label, numbers, one_of, real, several
from ..layer import NCPLayer, Shape
from ..ops.array_ops import Mask
from ..parameters import Parameter
from ..samples import RowFlags
from ..values import Values, mlx_array

PerNeuron: TypeAlias = "float | Sequence[float]"
TRAINED = ("gain", "offset")


class Sight(NamedTuple):
    """When an indicator looks.

    Attributes:
        spans: (B, T, 1) or (1, T, 1) time since the sample before; 0 where there is no sample.
        anew: (B, T) before which samples the indicator starts anew; None for none.
        behind: (B,) in which rows it does so behind the last one; None for none.
    """

    spans: mx.array
    anew: Mask | None = None
    behind: RowFlags | None = None

    def kept(self, before: mx.array) -> mx.array:
        """(B, T, ...) what comes from the sample before, and zeros where the indicator starts anew."""
        return before if self.anew is None else mx.where(mx.array(self.anew)[..., None], 0.0, before)

    def left(self, last: mx.array) -> mx.array:
        """(B, K) what is handed on behind the last sample."""
        return last if self.behind is None else mx.where(mx.array(self.behind)[:, None], 0.0, last)


class Indicator(NCPLayer):
    r"""The base of indicators: what is seen of K neurons, in the units of a recording.

    .. math:: y = offset + gain \cdot s, \qquad \text{recorded as } y + noise \cdot \varepsilon

    where s is what the indicator makes of what neurons show, here just that, and noise is the standard
    deviation of a measurement, which `ganglion.training.likelihood` weighs errors by and nothing else reads.

    Attributes:
        states: how many arrays of (B, K) an indicator carries from sample to sample.
    """

    states: ClassVar[int] = 0

    def __init__(
        self,
        gain: PerNeuron = 1.0,
        noise: PerNeuron | None = None,
        *,
        offset: PerNeuron = 0.0,
        trained: Sequence[str] = TRAINED,
    ) -> None:
        super().__init__()
        known = ("gain", "offset") if noise is None else ("gain", "offset", "noise")
        for name in several("trained", trained, "names"):
            if name == "noise" and noise is None:
                raise ValueError("trained has 'noise', but no noise is given where it could start")
            one_of("trained", name, known)
        given = {"gain": gain, "offset": offset} | ({} if noise is None else {"noise": noise})
        self._start = {name: _of_neurons(name, value, above=name == "noise") for name, value in given.items()}
        for name, value in self._start.items():
            self.keep(name, value.tolist())
        self.keep("trained", list(trained))
        self.never_train(_kept(name) for name in known if name not in trained)

    def declared(self) -> dict[str, Parameter]:
        return {_kept(name): Parameter("free") for name in self._start}

    @property
    def input_size(self) -> int | None:
        sizes = [len(value) for value in self._start.values() if value.ndim]
        return self._features or (sizes[0] if sizes else None)

    def build(self, input_shape: Shape) -> None:
        count = input_shape[-1]
        for name, value in self._start.items():
            if value.ndim and len(value) != count:
                raise ValueError(
                    f"{name} has {counted(len(value), 'number')} for {counted(count, 'neuron')}: "
                    f"expected one number, or {count}"
                )
            full = np.broadcast_to(np.log(value) if name == "noise" else value, (count,))
            self[_kept(name)] = mx.array(full.astype(np.float32))
        super().build(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    @property
    def noise(self) -> mx.array | None:
        """(K,) the standard deviation of a measurement of each neuron, in the units of what is seen; None if
        no noise was given, or the indicator is not built."""
        kept = self.get("log_noise")
        return None if kept is None else mx.exp(kept)

    def call(self, x: mx.array, timespans: Values | None = None) -> mx.array:
        """What is seen of (..., T, K) values that neurons show, which come `timespans` after each other."""
        self._require_width("call", x.shape)
        spans = mx.ones(()) if timespans is None else mlx_array("timespans", timespans)
        if spans.ndim == x.ndim and spans.shape[-1] == 1:
            spans = spans[..., 0]
        sight = Sight(mx.broadcast_to(spans, x.shape[:-1])[..., None])
        return self.seen(x, sight, self.begin((*x.shape[:-2], x.shape[-1])))[0]

    def begin(self, rows: Shape) -> tuple[mx.array, ...]:
        """The state before a recording of (..., K) neurons: zeros."""
        return (mx.zeros(rows),) * self.states

    def seen(
        self, x: mx.array, sight: Sight, state: tuple[mx.array, ...]
    ) -> tuple[mx.array, tuple[mx.array, ...]]:
        """What is seen of (..., T, K) values, and the state behind the last of them."""
        return self.offset + self.gain * x, ()


class Plain(Indicator):
    """What neurons show, in the units of a recording: the voltage of an LTC, the rate of a rate cell.

    Each neuron has a `gain` and an `offset`; see `Indicator` for the equation and for `noise`.

    Args:
        gain, offset: where they start: one number, or one for each of K neurons.
        noise: the standard deviation of a measurement, likewise; None if nobody knows.
        trained: which of "gain", "offset" and "noise" are trained; the others stay.

    Raises:
        ValueError: a number that is not finite, a noise that is not positive, or not as many as neurons.

    Example:
        >>> seen = gl.observe(rnn, ["AVA", "AVB"], gl.Plain(gain=20.0, noise=2.0, offset=-60.0))     # mV
    """


class Calcium(Indicator):
    r"""A calcium indicator: what a neuron shows, through a rise and a decay.

    .. math:: rise \; \dot r = v - r, \qquad decay \; \dot c = r - c, \qquad y = offset + gain \cdot c

    solved exactly for a neuron that shows v(t) since the sample before, as the solvers of cells take it.
    Before the first sample r and c are 0. `gain`, `offset` and `noise`, see `Indicator`, are one of each per
    neuron.

    Args:
        rise, decay: time constants in the unit of the time spans; a rise of 0 is at once.
        gain, offset: where both start: one number, or one for each of K neurons.
        noise: the standard deviation of a measurement, likewise; None if nobody knows.
        trained: which of "gain", "offset" and "noise" are trained; the others stay.

    Raises:
        ValueError: a time constant that is not positive (or, for the rise, negative); a number that is not
            finite, a noise that is not positive, or not as many as neurons.

    Example:
        >>> seen = gl.observe(rnn, ["AVA", "AVB"], indicator=gl.Calcium(rise=0.1, decay=1.5, noise=0.05))

    Source: the double exponential of Chen et al., Nature 499 (2013) 295, as a pair of linear filters.
    """

    states = 2

    def __init__(
        self,
        rise: float,
        decay: float,
        gain: PerNeuron = 1.0,
        noise: PerNeuron | None = None,
        *,
        offset: PerNeuron = 0.0,
        trained: Sequence[str] = TRAINED,
    ) -> None:
        super().__init__(gain, noise, offset=offset, trained=trained)
        self.rise, self.decay = real("rise", rise, least=0.0), real("decay", decay, above=0.0)

    def seen(
        self, x: mx.array, sight: Sight, state: tuple[mx.array, ...]
    ) -> tuple[mx.array, tuple[mx.array, ...]]:
        spans = sight.spans
        risen = mx.exp(-spans / self.rise) if self.rise else (spans == 0).astype(spans.dtype)
        decayed = mx.exp(-spans / self.decay)
        r = _recurrence(sight.kept(risen), (1 - risen) * x, state[0])
        before = sight.kept(mx.concatenate([state[0][..., None, :], r[..., :-1, :]], axis=-2))
        through = self._through(spans, risen, decayed)
        c = _recurrence(sight.kept(decayed), (1 - decayed) * x + (before - x) * through, state[1])
        return self.offset + self.gain * c, tuple(sight.left(values[..., -1, :]) for values in (r, c))

    def _through(self, spans: mx.array, risen: mx.array, decayed: mx.array) -> mx.array:
        r"""The part of r - v before a span that is in c behind it.

        .. math:: \frac{1}{decay} \int_0^t e^{-s/rise} e^{-(t-s)/decay} ds

        which is a difference of two exponentials, in a form that stays exact where the two are alike.
        """
        if not self.rise:
            return mx.zeros_like(spans)
        apart = abs(1 / self.rise - 1 / self.decay) * spans
        mean = mx.where(apart < 1e-6, 1.0, -mx.expm1(-apart) / mx.maximum(apart, 1e-6))
        return (risen if self.rise > self.decay else decayed) * spans / self.decay * mean


def _kept(name: str) -> str:
    """The parameter that holds what an option says; the noise is positive whatever training does."""
    return "log_noise" if name == "noise" else name


def _of_neurons(name: str, value: Any, *, above: bool) -> Any:
    """One finite number, or a vector of some, in float64."""
    found = np.asarray(numbers(name, value), np.float64)
    with np.errstate(over="ignore", under="ignore"):
        narrow = found.astype(np.float32)
    if found.ndim > 1 or not found.size or not np.isfinite(narrow).all():
        raise ValueError(f"{name} must be a finite number, or one for each neuron, got {label(value)}")
    if above and not (narrow > 0).all():
        raise ValueError(f"{name} must be above 0, got {label(value)}")
    return found


def _recurrence(factor: mx.array, term: mx.array, start: mx.array) -> mx.array:
    """h(t) = factor(t) h(t - 1) + term(t) along axis -2, from `start`, in log2(T) passes over all of it."""
    first = term[..., :1, :] + factor[..., :1, :] * start[..., None, :]
    term = mx.concatenate([first, term[..., 1:, :]], axis=-2)
    factor = mx.broadcast_to(factor, term.shape)
    steps, reach = term.shape[-2], 1
    while reach < steps:
        none = mx.zeros_like(term[..., :reach, :])
        term = term + factor * mx.concatenate([none, term[..., :-reach, :]], axis=-2)
        factor = factor * mx.concatenate([none, factor[..., :-reach, :]], axis=-2)
        reach *= 2
    return term
