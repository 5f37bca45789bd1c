"""Steps over arrays that are there before: of dense layers and activations, and of layers in a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from scipy.special import expit

from ...compile.kernels.stepper import Floats
from ..dense import NCPDense
from ..ops import activation_of
from ..running import ALLOCATES, Stage


def _lecun_tanh(values: Floats) -> None:
    np.multiply(values, np.float32(0.666), out=values)
    np.tanh(values, out=values)
    np.multiply(values, np.float32(1.7159), out=values)


IN_PLACE: dict[str, Callable[[Floats], Any]] = {
    "lecun_tanh": _lecun_tanh,
    "relu": lambda values: np.maximum(values, np.float32(0.0), out=values),
    "sigmoid": lambda values: expit(values, out=values),
    "tanh": lambda values: np.tanh(values, out=values),
}


def mapped(layer: Any, before: Stage) -> Stage:
    """A stage with a layer without state behind it.

    Raises:
        ValueError: it is no dense layer without a wiring, and no activation that NumPy has in place.
    """
    if isinstance(layer, nn.Dropout) and not layer.training:
        return before
    if type(layer) is nn.Linear:
        return _dense(layer.weight.T, layer.bias if "bias" in layer else None, None, before)
    if isinstance(layer, NCPDense) and layer.wiring is None:
        bias = layer.bias if layer.use_bias else None
        return _dense(layer.weight, bias, layer.activation, before)
    activate = _in_place(layer)

    def run() -> None:
        before.run()
        activate(before.outputs)

    return before.then(before.outputs, run)


def _dense(weight: mx.array, bias: mx.array | None, activation: Any, before: Stage) -> Stage:
    activate = None if activation is None else _in_place(activation)
    matrix, x = np.array(weight.astype(mx.float32), order="C"), before.outputs
    outputs: Floats = np.zeros((len(x), matrix.shape[1]), np.float32)
    # Of the shape of the outputs, since NumPy allocates where it has to broadcast.
    added = None if bias is None else np.repeat(np.array(bias.astype(mx.float32))[None], len(x), axis=0)

    def run() -> None:
        before.run()
        np.dot(x, matrix, out=outputs)  # which needs less around it than matmul
        if added is not None:
            np.add(outputs, added, out=outputs)
        if activate is not None:
            activate(outputs)

    return before.then(outputs, run)


def _in_place(activation: Any) -> Callable[[Floats], Any]:
    name = activation_of("the activation", activation)
    if not isinstance(name, str) or name not in IN_PLACE:
        shown = name if isinstance(name, str) else getattr(activation, "__name__", type(activation).__name__)
        raise ValueError(f"{shown}: {ALLOCATES}")
    return IN_PLACE[name]


def chained(parts: Sequence[Any], batch: int, n_inputs: int) -> Stage:
    """Layers one behind the other: steps of those with a state, and maps.

    Raises:
        ValueError: a layer makes arrays at every step.
    """
    x, timespan = np.zeros((batch, n_inputs), np.float32), np.ones(batch, np.float32)
    stage = Stage(x, timespan, (), x, lambda: None)
    for part in parts:
        stage = mapped(part, stage) if callable(part) else _behind(stage, part.staged())
    return stage


def _behind(first: Stage, second: Stage) -> Stage:
    def run() -> None:
        first.run()
        np.copyto(second.x, first.outputs)
        np.copyto(second.timespan, first.timespan)
        second.run()

    return first.then(second.outputs, run, second.states)
