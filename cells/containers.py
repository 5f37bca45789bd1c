"""Networks made of networks: one in each direction of time, and one behind the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import reduce
from typing import Any

import mlx.core as mx
import mlx.nn as nn

from .layer import NCPLayer, Shape
from .rnn import RNN
from .values import Values, one_of

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
        if backward is None:
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
            raise ValueError(f"cannot take the {merge} of {sizes[0]} and {sizes[1]} outputs")
        self.built = rnn.built and backward.built

    def __call__(
        self,
        x: Values,
        state: Any = None,
        timespans: Values | None = None,
        *,
        stream: Any = None,
        **given: Any,
    ) -> Any:
        """Run a sequence in both directions.

        Args:
            x: (B, T, I) or (T, I) inputs.
            state: the pair of initial states, forwards and backwards; zeros if not given.
            timespans: time since the previous sample, as `RNN` takes it.
            stream: an MLX stream or device to run on; the default one if not given.
            given: `mask`, `lengths` or `ends`, as `RNN` takes them.

        Returns:
            The merged outputs and the pair of last states; the outputs alone if `return_state` is off.
        """
        first, second = (None, None) if state is None else state
        with nullcontext() if stream is None else mx.stream(stream):
            ahead = _outputs_and_state(self.forward, x, first, timespans, given)
            back = _outputs_and_state(self.backward, x, second, timespans, given)
            merged = MERGES[self.merge](ahead[0], back[0])
        self.built = True
        return (merged, (ahead[1], back[1])) if self.return_state else merged

    @property
    def input_size(self) -> int | None:
        return self.forward.input_size

    def build(self, input_shape: Shape) -> None:
        self.forward.ensure_built(input_shape)
        self.backward.ensure_built(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sizes = self._sizes()
        width = sum(sizes) if self.merge == "concat" else sizes[0]
        return (*self.forward.compute_output_shape(input_shape)[:-1], width)

    def get_initial_state(self, inputs: mx.array | None = None, batch_size: int | None = None) -> Any:
        """The pair of zero states, forwards and backwards."""
        return tuple(rnn.get_initial_state(inputs, batch_size) for rnn in (self.forward, self.backward))

    def apply_constraints(self) -> None:
        """Put parameters that left their range back into it; call it after each optimizer step."""
        self.forward.apply_constraints()
        self.backward.apply_constraints()

    def _sizes(self) -> tuple[int, int]:
        forward, backward = (rnn.compute_output_shape((1, 1, 1))[-1] for rnn in (self.forward, self.backward))
        return forward, backward


class Stack(NCPLayer):
    """Layers one behind the other: each reads the outputs of the one before.

    Args:
        layers: networks (`RNN`, `Bidirectional`, other stacks) and layers without state (`NCPDense`, or any
            module that maps the last axis).
        dropout: how much is dropped between layers, in training.
        return_state: whether to return the states beside the outputs.

    Raises:
        ValueError: a layer that cannot read what the one before gives; the message names both.

    Example:
        >>> network = gl.Stack([gl.LTC(gl.auto_ncp(64, 8, inputs=16)), gl.NCPDense(4)], dropout=0.1)
        >>> outputs, (state,) = network(mx.zeros((32, 20, 16)))            # (32, 20, 4), (32, 64)
    """

    recurrent = True

    def __init__(
        self, layers: Sequence[nn.Module], dropout: float = 0.0, *, return_state: bool = True
    ) -> None:
        super().__init__()
        if not layers:
            raise ValueError("a stack of no layers: expected at least one")
        self.layers, self.return_state = list(layers), return_state
        self.dropout = nn.Dropout(dropout) if dropout else None
        self._check()
        self.built = all(getattr(layer, "built", True) for layer in layers)

    def __call__(
        self,
        x: Values,
        state: Any = None,
        timespans: Values | None = None,
        *,
        stream: Any = None,
        **given: Any,
    ) -> Any:
        """Run a sequence through all layers.

        Args:
            x: (B, T, I) or (T, I) inputs.
            state: a tuple with one initial state per layer that has one; zeros if not given.
            timespans: time since the previous sample, as `RNN` takes it; for every layer.
            stream: an MLX stream or device to run on; the default one if not given.
            given: `mask`, `lengths` or `ends`, as `RNN` takes them; for every layer.

        Returns:
            The last layer's outputs and the tuple of last states; the outputs alone if `return_state` is off.

        Raises:
            ValueError: another number of states than there are layers with one.
        """
        networks = [layer for layer in self.layers if _recurrent(layer)]
        if state is not None and len(state) != len(networks):
            raise ValueError(f"{len(state)} states were given for {len(networks)} layers that have one")
        values: Any = x
        before, after = iter(state or [None] * len(networks)), []
        with nullcontext() if stream is None else mx.stream(stream):
            for k, layer in enumerate(self.layers):
                if k and self.dropout is not None:
                    values = self.dropout(values)
                if _recurrent(layer):
                    values, last = _outputs_and_state(layer, values, next(before), timespans, given)
                    after.append(last)
                else:
                    values = layer(values)
        self.built = True
        return (values, tuple(after)) if self.return_state else values

    @property
    def input_size(self) -> int | None:
        size: int | None = getattr(self.layers[0], "input_size", None)
        return size

    def build(self, input_shape: Shape) -> None:
        for layer in self.layers:
            if isinstance(layer, NCPLayer):
                layer.ensure_built(input_shape)
            input_shape = _output_shape(layer, input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return reduce(lambda shape, layer: _output_shape(layer, shape), self.layers, tuple(input_shape))

    def get_initial_state(self, inputs: mx.array | None = None, batch_size: int | None = None) -> Any:
        """A tuple with one state of zeros per layer that has one."""
        batch = batch_size or (1 if inputs is None else inputs.shape[0])
        return tuple(layer.get_initial_state(None, batch) for layer in self.layers if _recurrent(layer))

    def apply_constraints(self) -> None:
        """Put parameters that left their range back into it; call it after each optimizer step."""
        for layer in self.layers:
            if hasattr(layer, "apply_constraints"):
                layer.apply_constraints()

    def _check(self) -> None:
        """Refuse layers that do not fit together, as far as their sizes are known."""
        shape: Shape | None = None
        for k, layer in enumerate(self.layers):
            name, size = type(layer).__name__, getattr(layer, "input_size", None)
            if shape is not None:
                behind = f"layer {k} ({name})"
                ahead = f"layer {k - 1} ({type(self.layers[k - 1]).__name__})"
                if size not in (None, shape[-1]):
                    raise ValueError(f"{behind} reads {size} features, but {ahead} gives {shape[-1]}")
                if _recurrent(layer) and len(shape) < 3:
                    raise ValueError(f"{behind} reads sequences, but {ahead} returns only its last output")
            shape = shape or (None if size is None else (1, 1, size))
            if shape is not None or isinstance(layer, NCPLayer):
                shape = _output_shape(layer, shape or (1, 1, 1))


def _recurrent(layer: nn.Module) -> bool:
    return isinstance(layer, NCPLayer) and layer.recurrent


def _output_shape(layer: nn.Module, shape: Shape) -> Shape:
    """The shape that a layer gives; a plain module is asked with zeros, which MLX does not compute."""
    if isinstance(layer, NCPLayer):
        return layer.compute_output_shape(shape)
    return tuple(layer(mx.zeros(shape)).shape)


def _outputs_and_state(
    rnn: Any, x: Values, state: Any, timespans: Values | None, given: dict[str, Any]
) -> tuple[mx.array, Any]:
    result = rnn(x, state, timespans, **given)
    return result if rnn.return_state else (result, None)
