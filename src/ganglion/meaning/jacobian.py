"""How the outputs of a model move with its trained numbers, row by row, through its kernels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_unflatten
from numpy.typing import NDArray

from ..cells.strengths import Floats
from ..cells.values import Values, boolean_array, mlx_array
from ..interchange.modes import modes_kept
from ..training import outputs_of
from .vector import Vector

AT_ONCE = 64
"""Rows that are computed before they are waited for."""


class Seen:
    """What is seen of a model: its outputs over a batch, and which of them count.

    Attributes:
        model: the model.
        x: (B, T, I) inputs.
        timespans: (B, T) or what the model takes; None for 1.
        mask: the outputs that count, of their shape; None for all.
        noise: (M,) the standard deviations in which derivatives are counted; None for 1.
    """

    noise: Floats | None = None

    def __init__(self, model: nn.Module, x: Values, timespans: Values | None, mask: Any) -> None:
        self.model = model
        inputs = mlx_array("x", x)
        if inputs.ndim not in (2, 3):
            raise ValueError(f"x has shape {tuple(inputs.shape)}: expected (B, T, I) or (T, I)")
        self.x = inputs if inputs.ndim == 3 else inputs[None]
        self.timespans = None if timespans is None else mlx_array("timespans", timespans)
        self.shape = tuple(self.outputs().shape)  # which refuses what does not fit
        if self.timespans is not None:
            spans = self.timespans[..., 0] if self.timespans.ndim == 3 else self.timespans
            self.timespans = mx.broadcast_to(spans, self.x.shape[:2])
        self.mask: NDArray[np.bool_] | None = None
        if mask is not None:
            given = boolean_array("the mask", mask)
            if given.shape == self.shape[1:] and inputs.ndim == 2:
                given = given[None]
            if given.shape == self.shape[:-1]:
                given = given[..., None]
            if given.ndim != len(self.shape) or given.shape[:-1] != self.shape[:-1]:
                raise ValueError(
                    f"the mask has shape {given.shape}: expected that of the outputs, {self.shape}, or "
                    f"{self.shape[:-1]}"
                )
            self.mask = np.broadcast_to(given, self.shape)

    def outputs(self) -> mx.array:
        """The outputs, with the model in evaluation mode."""
        with modes_kept(self.model):
            self.model.eval()
            return outputs_of(self.model, self.x, self.timespans)

    @property
    def count(self) -> int:
        """How many outputs count."""
        return int(np.prod(self.shape)) if self.mask is None else int(self.mask.sum())

    def rows(self, vector: Vector) -> Iterator[Floats]:
        """(rows, P) blocks of the derivatives of outputs that count by numbers of the equations.

        Sequences do not see each other, so that each row is the gradient of a sequence alone.
        """
        paths = [part.path for part in vector.parts]
        begun, slopes = vector.arrays(), vector.slopes()  # before they are traced
        with modes_kept(self.model):
            self.model.eval()
            try:
                for row in range(len(self.x)):
                    x = self.x[row : row + 1]
                    spans = None if self.timespans is None else self.timespans[row : row + 1]

                    def run(*arrays: mx.array, x: mx.array = x, spans: Any = spans) -> mx.array:
                        self.model.update(tree_unflatten(list(zip(paths, arrays, strict=True))))
                        return outputs_of(self.model, x, spans)

                    for rows in self._of_row(run, begun, row):
                        yield rows[:, vector.free] / slopes
            finally:
                self.model.update(tree_unflatten(list(zip(paths, begun, strict=True))))

    def _of_row(self, run: Any, begun: list[mx.array], row: int) -> Iterator[Floats]:
        size = int(np.prod(self.shape[1:]))
        wanted = np.arange(size) if self.mask is None else np.flatnonzero(self.mask[row].reshape(-1))
        for first in range(0, len(wanted), AT_ONCE):
            chosen = wanted[first : first + AT_ONCE]
            ones = np.zeros((len(chosen), size), np.float32)
            ones[np.arange(len(chosen)), chosen] = 1.0
            gradients = _gradients(run, begun, mx.array(ones.reshape(-1, 1, *self.shape[1:])))
            flat = [g.astype(mx.float32).reshape(len(chosen), -1) for g in gradients]
            found = np.array(mx.concatenate(flat, axis=1)).astype(np.float64)
            if self.noise is not None:
                found /= np.broadcast_to(self.noise, self.shape[1:]).reshape(-1)[chosen, None]
            yield found


def _gradients(run: Any, at: list[mx.array], cotangents: mx.array) -> list[mx.array]:
    """(K, ...) the gradients of K sums of outputs, in one launch: of K copies that do not see each other."""
    copies = [mx.broadcast_to(array, (len(cotangents), *array.shape)) for array in at]
    try:
        _, found = mx.vjp(mx.vmap(run), copies, [cotangents])
        mx.eval(found)
    except (RuntimeError, TypeError, ValueError):  # a module of one's own that knows no copies of itself
        each = [mx.vjp(run, at, [cotangents[k]])[1] for k in range(len(cotangents))]
        found = [mx.stack(list(parts)) for parts in zip(*each, strict=True)]
    return found


def factor(seen: Seen, vector: Vector, scales: Floats) -> Floats:
    """(at most P, P) upper R with R'R = J'J, of which no more is held than a block of J and R itself."""
    held: Floats = np.zeros((0, len(vector)))
    for block in seen.rows(vector):
        held = np.asarray(np.linalg.qr(np.vstack([held, block * scales]), mode="r"))
    return held
