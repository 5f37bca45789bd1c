"""What an experiment sees of a network: chosen neurons, through an indicator."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import mlx.core as mx
import numpy as np

from ...arguments import counted, instance, label, one_of, several
from ..cell import batch_of
from ..layer import NCPLayer, Shape
from ..leading import Leading
from ..ops.array_ops import Mask
from ..samples import begun, episode_ends, flags, only_valid, valid_samples
from ..timed import usual_span
from ..values import Values, mlx_array
from .indicators import Indicator, Sight
from .memory import Memory, predict_memory
from .resting import is_rest, rest_for
from .rnn import RNN
from .sequence import held
from .sites import chosen, sites_of
from .streaming import Stream

EVENTS = ("mask", "lengths", "ends", "starts")


class Observed(NCPLayer):
    """A network of which chosen neurons are seen, motor or not; see `observe`.

    Attributes:
        rnn: the network.
        neurons: the names of what is seen, in the order of the outputs.
        indicator: what stands between a neuron and the eye, a copy of what was given; None for nothing.
    """

    recurrent = True

    def __init__(self, rnn: RNN, neurons: Any = None, indicator: Indicator | None = None) -> None:
        super().__init__()
        self.rnn = instance("rnn", rnn, RNN, "a network, such as gl.LTC(circuit)")
        if indicator is not None:
            instance("indicator", indicator, Indicator, "an indicator, such as gl.Calcium(rise, decay)")
        if not rnn.return_sequences or not rnn.return_state:
            raise ValueError("expected a network that returns sequences and states, as both are by default")
        plan = getattr(getattr(rnn.cell, "compiled", None), "plan", None)
        if plan is None:
            raise TypeError(f"the neurons of this {type(rnn).__name__} have no names: it is over no circuit")
        names = list(plan.neurons) if neurons is None else chosen(list(sites_of(rnn)), neurons)[1]
        if not names:
            raise ValueError("neurons is empty: expected at least one to observe")
        for name in names:
            one_of("neuron to observe", name, plan.neurons)
        self.neurons = tuple(names)
        # A copy, since one that two networks share would have one gain for both.
        self.indicator = copy.deepcopy(indicator)
        self.keep("neurons", list(names))
        self.keep("indicator", self.indicator)
        self._places = [plan.neurons.index(name) for name in names]
        if self.indicator is not None:
            self.indicator.ensure_built((len(names),))
        self.built = rnn.built

    def resting(self, x: mx.array, span: float | None) -> tuple[mx.array, Any]:
        _, state = self.rnn.resting(x, span)
        shown = self.rnn(x[:, None], state, span, return_states=True)[2]
        seen = shown[:, 0, mx.array(self._places)]
        if self.indicator is None:
            return seen, state
        parts = (seen,) * self.indicator.states  # which have come where they go
        return self.indicator.offset + self.indicator.gain * seen, (state, parts) if parts else state

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

    @property
    def noise(self) -> mx.array | None:
        """(K,) the standard deviation of a measurement of each neuron; None if the indicator has none."""
        return None if self.indicator is None else self.indicator.noise

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
            x: (..., T, I) inputs, such as (B, T, I) or (T, I).
            state: what a call returned before, to go on from there; zeros if not given; "rest", see `rest`.
            timespans: time since the previous sample, as `RNN` takes it.
            given: what else `RNN` takes. Where there is no sample, what was seen last stays and no time
                passes; where an episode begins, the indicator begins at 0.

        Returns:
            (..., T, K) what is seen of K neurons, and the last state: that of the network, and with an
            indicator that has one the pair of both; all states and the recording behind them, if asked for,
            whose outputs are what is seen.

        Raises:
            ValueError: a shape that does not fit.
        """
        leading = Leading.of(x)
        if leading.axes:
            given = {name: leading.joined(value) for name, value in given.items()}
            spans, state = leading.joined_spans(timespans), leading.joined_state(state)
            parted: tuple[Any, ...] = leading.parted(self.call(leading.joined(x), state, spans, **given))
            return parted
        if is_rest(state):
            state = rest_for(self, x)
        before, carried = self._parted(state, (*x.shape[:-2], len(self.neurons)))
        asked = given.pop("return_states", False)
        _, last, states, *recorded = self.rnn(x, before, timespans, return_states=True, **given)
        seen = states[..., mx.array(self._places)]
        if self.indicator is not None:
            usual = usual_span(self.rnn)
            seen, carried = self._through(seen, usual if timespans is None else timespans, carried, given)
            last = (last, carried) if carried else last
        recorded = [replace(each, outputs=np.array(seen)) for each in recorded]
        return (seen, last, *([states] if asked else []), *recorded)

    def _through(self, shown: mx.array, timespans: Any, carried: Any, given: Any) -> tuple[mx.array, Any]:
        """What an indicator makes of (B, T, K) or (T, K) values, and its state behind them."""
        assert self.indicator is not None
        batched = shown.ndim == 3
        values = shown if batched else shown[None]
        batch, steps = values.shape[:2]
        mask, lengths, ends, starts = (given.get(name) for name in EVENTS)
        valid = valid_samples(mask, lengths, batch, steps, batched)
        last, first = (
            flags(name, value, batch, steps, batched) for name, value in (("ends", ends), ("starts", starts))
        )
        last, begins = episode_ends(last, first, valid)
        sight = _sight(_spans(timespans, steps), valid, last, begins)
        state = carried if batched else tuple(part[None] for part in carried)
        seen, after = self.indicator.seen(values, sight, state)
        if valid is not None:
            seen = only_valid(held(seen, valid), begun(valid))
        return (seen, after) if batched else (seen[0], tuple(part[0] for part in after))

    def _parted(self, state: Any, shape: Shape) -> tuple[Any, tuple[mx.array, ...]]:
        """The state of the network and that of the indicator, for (B, K) or (K,) neurons."""
        if self.indicator is None or not self.indicator.states:
            return state, ()
        if state is None:
            return state, self.indicator.begin(shape)
        wanted = (
            "the pair that a call returned: the network's state, and "
            f"{counted(self.indicator.states, 'array')} of "
            f"shape {shape} of the {type(self.indicator).__name__}"
        )
        if not isinstance(state, tuple | list) or len(state) != 2:
            raise TypeError(f"the state is {label(type(state).__name__)}: expected {wanted}")
        before, parts = state
        parts = [
            mlx_array("the indicator's state", part)
            for part in several("the indicator's state", parts, "arrays")
        ]
        if [part.shape for part in parts] != [shape] * self.indicator.states:
            raise ValueError(
                f"the indicator's state has shapes {[p.shape for p in parts]}: expected {wanted}"
            )
        return before, tuple(parts)

    def get_initial_state(self, inputs: mx.array | None = None, batch_size: int | None = None) -> Any:
        """The state of zeros."""
        state = self.rnn.get_initial_state(inputs, batch_size)
        if self.indicator is None or not self.indicator.states:
            return state
        return state, self.indicator.begin((batch_of(inputs, batch_size), len(self.neurons)))

    def stream(self, batch_size: int | None = None) -> Stream:
        """What is seen belongs to recordings: the network inside can be fed one sample at a time.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "what an indicator shows is for recordings: stream or export the network inside, .rnn"
        )

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


def _spans(timespans: Any, steps: int) -> mx.array:
    """(B, T, 1) or (1, T, 1) time spans, at which the network has looked."""
    spans = mx.ones((steps,)) if timespans is None else mlx_array("timespans", timespans)
    rows = spans.reshape(-1, steps) if spans.ndim else mx.broadcast_to(spans, (1, steps))
    return rows[..., None]


def _sight(spans: mx.array, valid: Mask | None, ends: Mask | None, first: Any) -> Sight:
    """When an indicator looks, from what happens to rows."""
    if valid is not None:  # no time passes, whatever stands there
        spans = mx.where(mx.array(valid)[..., None], spans, 0.0)
    if ends is None:
        return Sight(spans)
    anew = np.zeros_like(ends)
    anew[:, 1:] = ends[:, :-1]
    if first is not None:
        anew[:, 0] = first
    return Sight(spans, anew, ends[:, -1])


def observe(rnn: RNN, neurons: Any = None, indicator: Indicator | None = None) -> Observed:
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
