"""Inputs with any number of leading axes, as one batch and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import numpy as np


@dataclass(frozen=True)
class Leading:
    """The axes before time and features of inputs that have more than one of them; none otherwise."""

    axes: tuple[int, ...]

    @classmethod
    def of(cls, x: mx.array) -> Leading:
        """Those of inputs (..., T, I)."""
        shape = x.shape
        return cls(tuple(shape[:-2])) if len(shape) > 3 else NONE

    def joined(self, values: Any) -> Any:
        """Values that have these axes, with one batch axis instead; others as they are."""
        if not self.axes or values is None:
            return values
        shape = shape_of(values)
        if shape[: len(self.axes)] != self.axes:
            return values
        array = values if isinstance(values, mx.array) else np.asarray(values)
        return array.reshape(-1, *shape[len(self.axes) :])

    def joined_spans(self, spans: Any) -> Any:
        """The same for time spans, which have an axis of time: without it, rows would be taken for steps."""
        return spans if not self.axes or shape_of(spans) == self.axes else self.joined(spans)

    def joined_state(self, state: Any) -> Any:
        """The same for a state of one or several arrays, or of several networks."""
        if not self.axes:
            return state
        return tuple(map(self.joined_state, state)) if isinstance(state, tuple | list) else self.joined(state)

    def parted(self, values: Any) -> Any:
        """Arrays with a batch axis, with these axes instead; what else there is, as it is."""
        if not self.axes:
            return values
        if isinstance(values, tuple):
            return tuple(map(self.parted, values))
        return values.reshape(*self.axes, *values.shape[1:]) if isinstance(values, mx.array) else values


NONE = Leading(())


def shape_of(values: Any) -> tuple[int, ...]:
    """The shape of what may be an array; of anything else, which is refused later, that of a number."""
    try:
        return tuple(np.shape(values))
    except Exception:
        return ()
