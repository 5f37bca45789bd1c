"""Layers one behind the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from ...arguments import counted, flag, fraction
from ..cell import NCPRNNCell, batch_of
from ..constraints import constrained_in
from ..layer import NCPLayer, Shape
from ..leading import Leading
from ..running import Steps
from ..timed import span_without
from ..values import Values, Where, mlx_array, running_on
from .bidirectional import outputs_and_state
from .memory import Memory, predict_memory
from .padded import Padding
from .resting import is_rest, rest_for
from .steps import ChainSteps, Map, states_of
from .streaming import Stream


class Stack(NCPLayer):
    """Layers one behind the other: each reads the outputs of the one before.

    Args:
        layers: networks (`RNN`, `Bidirectional`, other stacks) and layers without state (`NCPDense`, or any
            module that maps the last axis).
        dropout: how much is dropped between layers, in training.
        return_state: whether to return the states beside the outputs.

    Raises:
        ValueError: a layer that cannot read what the one before gives; the message names both.
        TypeError: what is no layer, or a cell, which runs one time step only.

    Example:
        >>> network = gl.Stack([gl.LTC(gl.auto_ncp(64, 8, inputs=16)), gl.NCPDense(4)], dropout=0.1)
        >>> outputs, (state,) = network(mx.zeros((32, 20, 16)))            # (32, 20, 4), (32, 64)
    """

    recurrent = True
    changeable = frozenset({"return_state"})

    def __init__(
        self, layers: Sequence[nn.Module], dropout: float = 0.0, *, return_state: bool = True
    ) -> None:
        super().__init__()
        if not isinstance(layers, list | tuple):
            raise TypeError(f"expected a list of layers, got {type(layers).__name__}")
        if not layers:
            raise ValueError("a stack of no layers: expected at least one")
        for k, layer in enumerate(layers):
            if isinstance(layer, NCPRNNCell) or not callable(layer):
                raise TypeError(
                    f"layer {k} is a {type(layer).__name__}: expected a layer, or a cell inside gl.RNN(cell)"
                )
        self.layers, self.return_state = list(layers), return_state
        flag("return_state", return_state)
        self.dropout = nn.Dropout(dropout) if fraction("dropout", dropout, below=True) else None
        self._features: int | None = None  # what the first layer has read, if it does not say so itself
        self._check()
        if self.input_size is not None:  # then all sizes are known
            self.ensure_built((1, 2, self.input_size))

    def __call__(
        self,
        x: Values,
        state: Any = None,
        timespans: Values | None = None,
        *,
        stream: Where = None,
        **given: Any,
    ) -> Any:
        """Run a sequence through all layers.

        Args:
            x: (B, T, I) or (T, I) inputs.
            state: a tuple with one initial state per layer that has one; zeros if not given; "rest", see
                `rest`.
            timespans: time since the previous sample, as `RNN` takes it; for every layer.
            stream: an MLX stream or device to run on; the default one if not given.
            given: `mask`, `lengths`, `ends`, `starts`, `return_states` or `record`, as `RNN` takes them; for
                every layer. What stands where there is no sample reaches no layer, and no statistics of a
                `BatchNorm`.

        Returns:
            The last layer's outputs and the tuple of last states; the outputs alone if `return_state` is off.
            Tuples of all states and of recordings, one for each layer with a state, come behind if they were
            asked for.

        Raises:
            ValueError: another number of states than there are layers with one, or no time spans for layers
                with different time scales.
        """
        networks = [layer for layer in self.layers if _recurrent(layer)]
        values: Any = mlx_array("the input", x)
        leading = Leading.of(values)
        if timespans is None:
            span_without(self)  # which refuses layers that would take another one each
        if is_rest(state):
            state = rest_for(self, leading.joined(values))
        if leading.axes:  # masks are of a batch
            given = {name: leading.joined(value) for name, value in given.items()}
            spans, states = leading.joined_spans(timespans), leading.joined_state(state)
            return leading.parted(self(leading.joined(values), states, spans, stream=stream, **given))
        before, after = iter(states_of(state, len(networks))), []
        others = []
        padding = Padding(values, given.get("mask"), given.get("lengths"))
        values = padding.held(values)
        with running_on(stream):
            for k, layer in enumerate(self.layers):
                if k and self.dropout is not None:
                    values = self.dropout(values)
                if _recurrent(layer):
                    values, last, more = outputs_and_state(layer, values, next(before), timespans, given)
                    after.append(last)
                    padding.read_by(layer)
                    others.append(more)
                else:
                    values = padding.map(layer, values)
        self.built, self._features = True, np.shape(x)[-1]
        results = (values, *([tuple(after)] if self.return_state else []), *zip(*others, strict=True))
        return results if len(results) > 1 else values

    def resting(self, x: mx.array, span: float | None) -> tuple[mx.array, Any]:
        states = []
        for layer in self.layers:
            if _recurrent(layer):
                x, state = layer.resting(x, span)
                states.append(state)
            else:
                x = layer(x[:, None])[:, 0]  # a sequence of one sample
        return x, tuple(states)

    @property
    def input_size(self) -> int | None:
        return _input_size(self.layers[0]) or self._features

    @property
    def sensors(self) -> tuple[str, ...]:
        """The names of the input features; none if the first layer has no names for them."""
        return tuple(getattr(self.layers[0], "sensors", ()))

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        self._features = input_shape[-1]
        for layer in self.layers:
            if isinstance(layer, NCPLayer):
                layer.ensure_built(input_shape)
            input_shape = _output_shape(layer, input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        super().compute_output_shape(input_shape)
        return reduce(lambda shape, layer: _output_shape(layer, shape), self.layers, tuple(input_shape))

    def get_initial_state(self, inputs: mx.array | None = None, batch_size: int | None = None) -> Any:
        """A tuple with one state of zeros per layer that has one."""
        batch = batch_of(inputs, batch_size)
        return tuple(layer.get_initial_state(None, batch) for layer in self.layers if _recurrent(layer))

    def explain(self) -> str:
        """Which engine and layout run each layer, and why."""
        lines = []
        for k, layer in enumerate(self.layers):
            told = layer.explain() if _recurrent(layer) else "no state, so it runs in plain MLX operations."
            lines.append(f"Layer {k}, {type(layer).__name__}: {told}")
        return "\n".join(lines)

    def describe(self) -> str:
        """What each layer says of itself, a layer without neurons its name."""
        told = (getattr(layer, "describe", lambda: "no neurons")() for layer in self.layers)
        layers = zip(self.layers, told, strict=True)
        return "\n".join(
            f"Layer {k}, {type(layer).__name__}: {said}" for k, (layer, said) in enumerate(layers)
        )

    def stream(self, batch_size: int | None = None) -> Stream:
        """An object that is fed one sample at a time and keeps the states of all layers; see `Stream`.

        Args:
            batch_size: B, how many sequences run side by side; None for one without a batch axis.

        Raises:
            ValueError: a layer that needs the whole sequence, or more than one sample; the message names it.
        """
        return Stream(self, batch_size)

    def _stepped(self, batch: int) -> Steps:
        if not self.built or self.input_size is None:
            raise ValueError(
                "this Stack learns its inputs when it is built: call build((..., features)) first"
            )
        parts: list[Steps | Map] = []
        shape: Shape = (1, 3, self.input_size)
        for k, layer in enumerate(self.layers):
            if k and self.dropout is not None:
                parts.append(self.dropout)
            try:
                parts.append(layer._stepped(batch) if _recurrent(layer) else _one_by_one(layer, shape))
            except ValueError as error:
                raise ValueError(f"layer {k} ({type(layer).__name__}): {error}") from None
            shape = (1, 3, _output_shape(layer, shape)[-1])
        return ChainSteps(parts, self.input_size, batch)

    def memory(self, batch: int, steps: int) -> Memory:
        """The bytes that a batch of `batch` sequences of `steps` samples needs; see `Memory`."""
        return predict_memory(self, batch, steps)

    def apply_constraints(self) -> None:
        """Put parameters that left their range back into it; call it after each optimizer step."""
        for part in constrained_in(self.layers):
            part.apply_constraints()

    def _check(self) -> None:
        """Refuse layers that do not fit together, as far as their sizes are known."""
        shape: Shape | None = None
        for k, layer in enumerate(self.layers):
            name, size = type(layer).__name__, _input_size(layer)
            if shape is not None:
                behind = f"layer {k} ({name})"
                ahead = f"layer {k - 1} ({type(self.layers[k - 1]).__name__})"
                if size not in (None, shape[-1]):
                    raise ValueError(
                        f"{behind} reads {counted(size, 'feature')}, but {ahead} gives {shape[-1]}"
                    )
                if _recurrent(layer) and len(shape) < 3:
                    raise ValueError(f"{behind} reads sequences, but {ahead} returns only its last output")
            shape = shape or (None if size is None else (1, 2, size))
            if shape is not None or isinstance(layer, NCPLayer):
                shape = _output_shape(layer, shape or (1, 2, 1))


def _recurrent(layer: nn.Module) -> bool:
    return isinstance(layer, NCPLayer) and layer.recurrent


def _input_size(layer: nn.Module) -> int | None:
    """How many features a layer reads; None if that is not known."""
    if isinstance(layer, nn.Linear):
        return int(layer.weight.shape[-1])
    size: int | None = getattr(layer, "input_size", None)
    return size


def _one_by_one(layer: Any, shape: Shape) -> Map:
    """A layer without state, after a look at whether an output depends on one sample only."""
    x = mx.random.normal(shape, key=mx.random.key(0))
    gradient = _untouched(layer, lambda: mx.grad(lambda x: mx.square(layer(x)[:, 1]).sum())(x))
    if mx.any(gradient[:, ::2] != 0.0):
        raise ValueError(
            "its outputs depend on samples before or after, so it cannot be fed one at a time; if that is so "
            "in training only, call eval() first"
        )
    checked: Map = layer
    return checked


def _output_shape(layer: nn.Module, shape: Shape) -> Shape:
    """The shape that a layer gives; a plain module is asked with zeros, which MLX does not compute."""
    if isinstance(layer, NCPLayer):
        return layer.compute_output_shape(shape)
    return tuple(_untouched(layer, lambda: layer(mx.zeros(shape))).shape)


def _untouched(layer: Any, look: Callable[[], mx.array]) -> mx.array:
    """What a look at a layer gives; a BatchNorm in training must not learn from it."""
    if not isinstance(layer, nn.Module):
        return look()
    before = layer.parameters()
    seen = look()
    layer.update(before)
    return seen
