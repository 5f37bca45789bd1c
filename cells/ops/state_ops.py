"""What is done to states: made, blended, reset, detached. A state is one array or a tuple of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import mlx.core as mx
import numpy as np

# The state of one batch: (B, N), or several such arrays for a cell with more than one kind of memory.
State: TypeAlias = "mx.array | tuple[mx.array, ...]"


def zeros(shapes: Sequence[tuple[int, ...]], batch: int) -> State:
    """A state of zeros: one array ``(batch, *shape)`` per shape, alone if there is only one.

    Example:
        >>> zeros([(64,)], batch=8).shape                                  # (8, 64)
    """
    # With values at once: to have MLX make them takes longer than a short call of a kernel.
    arrays = tuple(mx.array(np.zeros((batch, *shape), np.float32)) for shape in shapes)
    return arrays[0] if len(arrays) == 1 else arrays


def each(function: Callable[..., mx.array], *states: State) -> State:
    """`function` of the corresponding arrays of states that are made alike."""
    if isinstance(states[0], tuple):
        return tuple(function(*arrays) for arrays in zip(*states, strict=True))
    return function(*states)


def blend(chosen: mx.array, new: State, old: State) -> State:
    """The new state in the rows where (B,) `chosen` is true, the old one in the others."""
    return each(lambda a, b: mx.where(_rows_of(chosen, a), a, b), new, old)


def reset(state: State, ended: mx.array, start: State | None = None) -> State:
    """The state with the rows where (B,) `ended` is true set back to zero, or to those of `start`."""
    fresh = each(mx.zeros_like, state) if start is None else start
    return blend(ended, fresh, state)


def detach(state: State) -> State:
    """The state as a constant: no gradient flows back through it (truncated backpropagation in time)."""
    return each(mx.stop_gradient, state)


def rows(state: State, index: int | slice | mx.array) -> State:
    """Some rows of a batch of states; a whole number takes the batch axis away."""
    return each(lambda a: a[index], state)


def _rows_of(chosen: mx.array, array: mx.array) -> mx.array:
    return chosen.reshape(-1, *(1,) * (array.ndim - 1))
