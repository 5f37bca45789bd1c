"""A network that reads a sequence in both directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import mlx.core as mx

from ...arguments import counted, instance, one_of
from ..configured import classes_of
from ..layer import NCPLayer, Shape
from ..running import Steps
from ..timed import span_without
from ..values import Values, Where, mlx_array, running_on
from .memory import Memory, predict_memory
from .resting import is_rest, rest_for
from .rnn import RNN
from .steps import BACKWARDS
from .streaming import Stream

MERGES: dict[str, Callable[[mx.array, mx.array], mx.array]] = {
    "concat": lambda a, b: mx.concatenate([a, b], axis=-1),
    "sum": mx.add,
    "mean": lambda a, b: 0.5 * (a + b),
    "max": mx.maximum,
    "mul": mx.multiply,
}


class Bidirectional(NCPLayer):
    """A network that reads a sequence forwards beside one that reads it backwards.

    Args:
        rnn: the network that reads forwards.
        merge: what becomes of the two outputs of each sample: "concat", "sum", "mean", "max" or "mul".
        backward: the network that reads backwards; if not given, one made as `rnn`, with parameters of its
            own.

    Raises:
        ValueError: an unknown merge, a network that reads in the wrong direction, or two that differ in
            inputs or outputs.

    Example:
        >>> rnn = gl.Bidirectional(gl.LTC(gl.auto_ncp(64, 8, inputs=16)), merge="sum")
        >>> outputs, (forward, backward) = rnn(mx.zeros((32, 20, 16)))     # (32, 20, 8)
    """

    recurrent = True

    def __init__(self, rnn: RNN, merge: str = "concat", *, backward: RNN | None = None) -> None:
        super().__init__()
        one_of("merge", merge, tuple(MERGES))
        instance("rnn", rnn, RNN, "a network, such as gl.LTC(circuit)")
        if backward is not None:
            instance("backward", backward, RNN, "a network, such as gl.LTC(circuit)")
        if backward is None:
            with classes_of(rnn):  # a class of a notebook may have a namesake by now
                backward = type(rnn).from_config(rnn.get_config() | {"reverse": True})
        if rnn.reverse or not backward.reverse:
            raise ValueError("expected a network that reads forwards, and one made with reverse=True")
        self.forward, self.backward, self.merge = rnn, backward, merge
        self.keep("backward", backward)
        self.return_state = rnn.return_state
        for name in ("return_sequences", "return_state", "input_size"):
            ours, theirs = getattr(rnn, name), getattr(backward, name)
            if ours != theirs:
                raise ValueError(f"{name} is {ours} forwards and {theirs} backwards: expected the same")
        if merge != "concat" and (sizes := self._sizes())[0] != sizes[1]:
            raise ValueError(f"cannot take the {merge} of {sizes[0]} and {counted(sizes[1], 'output')}")
        self.built = rnn.built and backward.built

    def __call__(
        self,
        x: Values,
        state: Any = None,
        timespans: Values | None = None,
        *,
        stream: Where = None,
        **given: Any,
    ) -> Any:
        """Run a sequence in both directions.

        Args:
            x: (B, T, I) or (T, I) inputs.
            state: the pair of initial states, forwards and backwards; zeros if not given; "rest", see `rest`.
            timespans: time since the previous sample, as `RNN` takes it.
            stream: an MLX stream or device to run on; the default one if not given.
            given: `mask`, `lengths`, `ends`, `starts`, `return_states` or `record`, as `RNN` takes them.

        Returns:
            The merged outputs and the pair of last states; the outputs alone if `return_state` is off. The
            pair of all states, and that of the recordings, come behind if they were asked for.

        Raises:
            ValueError: no time spans for directions with different time scales, or what `RNN` refuses.
        """
        if timespans is None:
            span_without(self)  # which refuses directions that would take another one each
        if is_rest(state):
            state = rest_for(self, mlx_array("the input", x))
        if state is not None and not (isinstance(state, tuple | list) and len(state) == 2):
            raise TypeError(f"the state must be a pair, forwards and backwards, got {type(state).__name__}")
        first, second = (None, None) if state is None else state
        with running_on(stream):
            ahead = outputs_and_state(self.forward, x, first, timespans, given)
            back = outputs_and_state(self.backward, x, second, timespans, given)
            merged = MERGES[self.merge](ahead.outputs, back.outputs)
        self.built = True
        last = [(ahead.state, back.state)] if self.return_state else []
        results = (merged, *last, *zip(ahead.others, back.others, strict=True))
        return results if len(results) > 1 else merged

    def resting(self, x: mx.array, span: float | None) -> tuple[mx.array, Any]:
        ahead, back = (rnn.resting(x, span) for rnn in (self.forward, self.backward))
        return MERGES[self.merge](ahead[0], back[0]), (ahead[1], back[1])

    @property
    def input_size(self) -> int | None:
        return self.forward.input_size

    @property
    def sensors(self) -> tuple[str, ...]:
        """The names of the input features."""
        return self.forward.sensors

    def build(self, input_shape: Shape) -> None:
        self.forward.ensure_built(input_shape)
        self.backward.ensure_built(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        super().compute_output_shape(input_shape)
        sizes = self._sizes()
        width = sum(sizes) if self.merge == "concat" else sizes[0]
        return (*self.forward.compute_output_shape(input_shape)[:-1], width)

    def get_initial_state(self, inputs: mx.array | None = None, batch_size: int | None = None) -> Any:
        """The pair of zero states, forwards and backwards."""
        return tuple(rnn.get_initial_state(inputs, batch_size) for rnn in (self.forward, self.backward))

    def explain(self) -> str:
        """Which engine and layout run each direction, and why."""
        return f"Forwards, {self.forward.explain()}\nBackwards, {self.backward.explain()}"

    def describe(self) -> str:
        """What each direction says of itself."""
        return f"Forwards: {self.forward.describe()}\nBackwards: {self.backward.describe()}"

    def stream(self, batch_size: int | None = None) -> Stream:
        """Not for this network: one direction of it starts at the last sample.

        Raises:
            ValueError: always, saying so.
        """
        return Stream(self, batch_size)

    def _stepped(self, batch: int) -> Steps:
        raise ValueError(BACKWARDS)

    def memory(self, batch: int, steps: int) -> Memory:
        """The bytes that a batch of `batch` sequences of `steps` samples needs; see `Memory`."""
        return predict_memory(self, batch, steps)

    def apply_constraints(self) -> None:
        """Put parameters that left their range back into it; call it after each optimizer step."""
        self.forward.apply_constraints()
        self.backward.apply_constraints()

    def _sizes(self) -> tuple[int, int]:
        shape = (1, 1, self.input_size or 1)
        forward, backward = (rnn.compute_output_shape(shape)[-1] for rnn in (self.forward, self.backward))
        return forward, backward


class Given(NamedTuple):
    """What a network returned: its outputs, its state if it returns one, and what else it was asked for."""

    outputs: mx.array
    state: Any
    others: tuple[Any, ...]


def outputs_and_state(
    rnn: Any, x: Values, state: Any, timespans: Values | None, given: dict[str, Any]
) -> Given:
    """What a network returns, part by part."""
    result = rnn(x, state, timespans, **given)
    first, *others = result if isinstance(result, tuple) else (result,)
    return Given(first, others.pop(0) if rnn.return_state else None, tuple(others))
