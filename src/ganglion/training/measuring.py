"""The loss of a batch without gradients, compiled by MLX as a step is, and for the same reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import mlx.core as mx
import mlx.nn as nn

from ..interchange.randomness import random_key, set_random_key
from .finite import Loss
from .step import MOST, Options


class Measure:
    """``measure(batch)`` is ``loss(model, *batch)``, to the bit as without MLX's compiler.

    Args:
        model: as it is when it is called, in evaluation mode or not.
        loss: as `fit` takes it.
        worth_compiling: whether a step of the model may be compiled now.
    """

    def __init__(self, model: nn.Module, loss: Loss, worth_compiling: Callable[[], bool]) -> None:
        self._model, self._loss, self._worth_compiling = model, loss, worth_compiling
        self._compiled: dict[Any, Any] = {}
        self._options: Options | None = None
        self._pure = True

    def __call__(self, batch: Sequence[mx.array]) -> mx.array:
        shapes = tuple((*array.shape, array.dtype) for array in batch)
        if not self._pure or len(shapes) != 2 or not self._worth_compiling():
            return self._loss(self._model, *batch)
        if (options := Options(self._model)) != self._options:
            self._options = options
            self._compiled.clear()
        run = self._compiled.get(shapes)
        if run is not None:
            return cast(mx.array, run(self._model.parameters(), *batch))
        return (
            self._loss(self._model, *batch) if len(self._compiled) >= MOST else self._compile(shapes, batch)
        )

    def _compile(self, shapes: Any, batch: Sequence[mx.array]) -> mx.array:
        """The loss, and a function for the next batches of these shapes if it finds the same."""
        parameters, key = self._model.parameters(), random_key()
        value = self._loss(self._model, *batch)
        key_after = random_key()
        run = mx.compile(self._measured)
        try:
            found = run(parameters, *batch)
            mx.eval(value, found)  # where MLX compiles what it has traced
            same = mx.array_equal(value, found, equal_nan=True).item()
            self._pure = bool(same) and key == key_after == random_key()
        except (RuntimeError, TypeError, ValueError):
            self._pure = False
        finally:  # tracing leaves arrays without values
            self._model.update(parameters)
            if random_key() != key_after:
                set_random_key(key_after)
        self._compiled[shapes] = run
        return value

    def _measured(self, parameters: Any, *batch: mx.array) -> mx.array:
        self._model.update(parameters)
        return self._loss(self._model, *batch)
