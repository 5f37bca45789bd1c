"""What an experiment sees of a network: chosen neurons, through an indicator."""

from __future__ import annotations

from typing import Any, ClassVar

import mlx.core as mx

from ...arguments import instance, one_of, real
from ..layer import NCPLayer, Shape
from ..parameters import Declared, Parameter
from ..values import Values, mlx_array
from .memory import Memory, predict_memory
from .rnn import RNN
from .sites import chosen, sites_of

EVENTS = ("mask", "lengths", "ends", "starts")


class Calcium(NCPLayer):
    r"""A calcium indicator: what a neuron shows, through a rise and a decay.

    .. math:: rise \; \dot r = v - r, \qquad decay \; \dot c = r - c, \qquad y = offset + gain \cdot c

    solved exactly for a neuron that shows v(t) since the sample before, as the solvers of cells take it. At
    the first sample r and c are 0. `gain` and `offset`, one of each per neuron, are trained.

    Args:
        rise, decay: time constants in the unit of the time spans; a rise of 0 is at once.
        gain, offset: where both start.

    Raises:
        ValueError: a time constant that is not positive (or, for the rise, negative).

    Example:
        >>> seen = gl.observe(rnn, ["AVA", "AVB"], indicator=gl.Calcium(rise=0.1, decay=1.5))

    Source: the double exponential of Chen et al., Nature 499 (2013) 295, as a pair of linear filters.
    """

    homes: ClassVar[Declared] = {"gain": Parameter("free"), "offset": Parameter("free")}

    def __init__(self, rise: float, decay: float, gain: float = 1.0, offset: float = 0.0) -> None:
        super().__init__()
        self.rise, self.decay = real("rise", rise, least=0.0), real("decay", decay, above=0.0)
        self.start = (real("gain", gain), real("offset", offset))
        self.keep("gain", self.start[0])
        self.keep("offset", self.start[1])

    @property
    def input_size(self) -> int | None:
        return self._features

    def build(self, input_shape: Shape) -> None:
        self.gain, self.offset = (mx.full((input_shape[-1],), value) for value in self.start)
        super().build(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def call(self, x: mx.array, timespans: Values | None = None) -> mx.array:
        """What is seen of (..., T, K) values that neurons show, which come `timespans` after each other."""
        self._require_width("call", x.shape)
        spans = mx.ones(()) if timespans is None else mlx_array("timespans", timespans)
        if spans.ndim == x.ndim and spans.shape[-1] == 1:
            spans = spans[..., 0]
        spans = mx.broadcast_to(spans, x.shape[:-1])[..., None]
        risen = mx.exp(-spans / self.rise) if self.rise else mx.zeros_like(spans)
        decayed = mx.exp(-spans / self.decay)
        r = _recurrence(risen, (1 - risen) * x)
        before = mx.concatenate([mx.zeros_like(r[..., :1, :]), r[..., :-1, :]], axis=-2)
        c = _recurrence(decayed, (1 - decayed) * x + (before - x) * self._carried(spans, risen, decayed))
        return self.offset + self.gain * c

    def _carried(self, spans: mx.array, risen: mx.array, decayed: mx.array) -> mx.array:
        r"""The part of r - v before a span that is in c behind it.

        .. math:: \frac{1}{decay} \int_0^t e^{-s/rise} e^{-(t-s)/decay} ds

        which is a difference of two exponentials, in a form that stays exact where the two are alike.
        """
        if not self.rise:
            return mx.zeros_like(spans)
        apart = abs(1 / self.rise - 1 / self.decay) * spans
        mean = mx.where(apart < 1e-6, 1.0, -mx.expm1(-apart) / mx.maximum(apart, 1e-6))
        return (risen if self.rise > self.decay else decayed) * spans / self.decay * mean


def _recurrence(factor: mx.array, term: mx.array) -> mx.array:
    """h(t) = factor(t) h(t - 1) + term(t) along axis -2, from 0, in log2(T) passes over all of it."""
    steps, reach = term.shape[-2], 1
    factor = mx.broadcast_to(factor, term.shape)
    while reach < steps:
        none = mx.zeros_like(term[..., :reach, :])
        term = term + factor * mx.concatenate([none, term[..., :-reach, :]], axis=-2)
        factor = factor * mx.concatenate([none, factor[..., :-reach, :]], axis=-2)
        reach *= 2
    return term


class Observed(NCPLayer):
    """A network of which chosen neurons are seen, motor or not; see `observe`.

    Attributes:
        rnn: the network.
        neurons: the names of what is seen, in the order of the outputs.
        indicator: what stands between a neuron and the eye; None for nothing.
    """

    recurrent = True

    def __init__(self, rnn: RNN, neurons: Any = None, indicator: Calcium | None = None) -> None:
        super().__init__()
        self.rnn = instance("rnn", rnn, RNN, "a network, such as gl.LTC(circuit)")
        if indicator is not None:
            instance("indicator", indicator, Calcium, "an indicator, such as gl.Calcium(rise, decay)")
        if not rnn.return_sequences or not rnn.return_state:
            raise ValueError("expected a network that returns sequences and states, as both are by default")
        plan = getattr(getattr(rnn.cell, "compiled", None), "plan", None)
        if plan is None:
            raise TypeError(f"the neurons of this {type(rnn).__name__} have no names: it is over no circuit")
        names = list(plan.neurons) if neurons is None else chosen(list(sites_of(rnn)), neurons)[1]
        for name in names:
            one_of(f"neuron {name!r} to observe", name, plan.neurons)
        self.neurons, self.indicator = tuple(names), indicator
        self.keep("neurons", list(names))
        self._places = [plan.neurons.index(name) for name in names]
        if indicator is not None:
            indicator.ensure_built((len(names),))
        self.built = rnn.built

    @property
    def input_size(self) -> int | None:
        return self.rnn.input_size

    @property
    def sensors(self) -> tuple[str, ...]:
        """The names of the input features."""
        return self.rnn.sensors

    @property
    def return_state(self) -> bool:
        """Whether a call returns the state of the network beside what is seen; it does."""
        return True

    def build(self, input_shape: Shape) -> None:
        self.rnn.ensure_built(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], len(self.neurons))

    def call(
        self, x: mx.array, state: Any = None, timespans: Values | None = None, **given: Any
    ) -> tuple[Any, ...]:
        """Run a sequence, and see the neurons.

        Args:
            x: (B, T, I) or (T, I) inputs.
            state: the state to start from; zeros if not given. The indicator begins at 0 in every call.
            timespans: time since the previous sample, as `RNN` takes it.
            given: what else `RNN` takes; an indicator knows no episodes and no missing samples.

        Returns:
            (B, T, K) or (T, K) what is seen of K neurons, and the last state of the network; all states and
            the recording behind them, if asked for.

        Raises:
            ValueError: episodes or missing samples, with an indicator.
        """
        events = [name for name in EVENTS if given.get(name) is not None]
        if self.indicator is not None and events:
            raise ValueError(f"an indicator runs over whole sequences: it takes no {events[0]}")
        asked = given.pop("return_states", False)
        _, last, states, *recorded = self.rnn(x, state, timespans, return_states=True, **given)
        seen = states[..., mx.array(self._places)]
        if self.indicator is not None:
            seen = self.indicator(seen, timespans)
        return (seen, last, *([states] if asked else []), *recorded)

    def get_initial_state(self, inputs: mx.array | None = None, batch_size: int | None = None) -> Any:
        """The state of zeros of the network."""
        return self.rnn.get_initial_state(inputs, batch_size)

    def explain(self) -> str:
        """Which engine and layout run the network, and why."""
        return self.rnn.explain()

    def describe(self) -> str:
        """What is seen, and what the network says of itself."""
        return f"seen: {', '.join(self.neurons)}\n{self.rnn.describe()}"

    def memory(self, batch: int, steps: int) -> Memory:
        """The bytes that a batch of `batch` sequences of `steps` samples needs; see `Memory`."""
        return predict_memory(self, batch, steps)

    def apply_constraints(self) -> None:
        """Put parameters that left their range back into it; call it after each optimizer step."""
        self.rnn.apply_constraints()


def observe(rnn: RNN, neurons: Any = None, indicator: Calcium | None = None) -> Observed:
    """A network seen as an experiment sees it: any neurons, through an indicator, and with gradients.

    What is returned is trained, saved and loaded as any network; `rnn` inside is the same object. Targets
    with gaps are compared by `gl.training.mse` with a mask of the targets' shape.

    Args:
        rnn: a network over a circuit.
        neurons: which to see: a name, names, a role, or what else names neurons (see `gl.lesion`); all if not
            given.
        indicator: what stands in between, such as `Calcium`; None shows what neurons show each other.

    Raises:
        CircuitError: no such neurons.
        ValueError: a sensory neuron, which has no state.
        TypeError: a network without a circuit, or no indicator.

    Example:
        >>> seen = gl.observe(gl.LTC(circuit), ["inter_0", "command_1"], gl.Calcium(0.1, 1.5))
        >>> traces, state = seen(x)                                        # (B, T, 2)
    """
    return Observed(rnn, neurons, indicator)
