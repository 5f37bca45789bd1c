"""Gradients of equation cells beside central differences of their reference in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.cells.equations.reference import Reference
from ganglion.cells.strengths import as_floats


def parts(state: Any) -> list[Any]:
    """The arrays of a state."""
    return list(state) if isinstance(state, tuple) else [state]


def agree(cell: Any, x: np.ndarray, spans: np.ndarray, state: Any, engines: Iterable[str] = ("ops",)) -> None:
    """Assert that gradients by every parameter, inputs, spans and states are the slopes of differences."""
    spans = np.maximum(spans, 0.3)
    solver, unfolds = cell.steps_with
    values = {key: as_floats(value) for key, value in cell.effective().items()}

    def expected(
        changed: dict[str, np.ndarray], x: np.ndarray = x, spans: np.ndarray = spans, state: Any = state
    ) -> float:
        reference = Reference(cell.model.declaration, cell.compiled.plan, values | changed, 0, cell._delays)
        given = [part.astype(np.float64) for part in parts(state)]
        whole = np.ones(spans.shape, np.int64)
        y, last = reference.run(x.astype(np.float64), spans.astype(np.float64), given, solver, unfolds, whole)
        return float((y**2).sum() + sum(((part - 0.5) ** 2).sum() for part in last))

    rng = np.random.default_rng(9)
    ways = {key: rng.normal(size=value.shape) for key, value in {**values, "x": x, "spans": spans}.items()}
    slopes = {key: slope(lambda h, key=key: expected({key: values[key] + h * ways[key]})) for key in values}
    slopes["x"] = slope(lambda h: expected({}, x=x + h * ways["x"]))
    slopes["spans"] = slope(lambda h: expected({}, spans=spans + h * ways["spans"]))
    turns = [rng.normal(size=part.shape) for part in parts(state)]

    def turned(h: float) -> Any:
        moved = tuple(part + h * way for part, way in zip(parts(state), turns, strict=True))
        return moved if isinstance(state, tuple) else moved[0]

    slopes["states"] = slope(lambda h: expected({}, state=turned(h)))
    before = tuple(map(mx.array, parts(state))) if isinstance(state, tuple) else mx.array(state)
    trainable = cell.trainable_parameters()
    for engine in engines:
        rnn = gl.RNN(cell, engine=engine)

        def loss(p: Any, x: mx.array, spans: mx.array, state: Any, rnn: gl.RNN = rnn) -> mx.array:
            cell.update(p)
            y, last = rnn(x, state, timespans=spans)
            return mx.square(y).sum() + sum(mx.square(part - 0.5).sum() for part in parts(last))

        by = mx.grad(loss, argnums=(0, 1, 2, 3))(trainable, mx.array(x), mx.array(spans), before)
        gradients = {**dict(tree_flatten(by[0])), "x": by[1], "spans": by[2]}
        along = {key: (as_floats(gradient) * ways[key]).sum() for key, gradient in gradients.items()}
        pairs = zip(parts(by[3]), turns, strict=True)
        along["states"] = sum((as_floats(gradient) * way).sum() for gradient, way in pairs)
        assert along.keys() == slopes.keys()
        for key, found in along.items():
            error = abs(found - slopes[key])
            assert error < 1e-4 * max(1.0, abs(slopes[key])), (engine, key)


def slope(of: Callable[[float], float], h: float = 1e-5) -> float:
    """The central difference of a function at 0."""
    return float(of(h) - of(-h)) / (2 * h)
