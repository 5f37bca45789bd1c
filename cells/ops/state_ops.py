"""What is done to states: made, blended, reset, detached. A state is one array or a tuple of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

# The state of one batch: (B, N), or several such arrays for a cell with more than one kind of memory.
State: TypeAlias = "mx.array | tuple[mx.array, ...]"
# (B,) booleans: which rows of a batch are meant.
Rows: TypeAlias = "mx.array | NDArray[np.bool_] | Sequence[bool]"


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


def blend(chosen: Rows, new: State, old: State) -> State:
    """The new state in the rows where (B,) `chosen` is true, the old one in the others."""
    return each(lambda a, b: mx.where(_rows_of(chosen, a), a, b), new, old)


def reset(state: State, ended: Rows, start: State | None = None) -> State:
    """The state with the rows where (B,) `ended` is true set back to zero, or to those of `start`."""
    fresh = each(mx.zeros_like, state) if start is None else start
    return blend(ended, fresh, state)


def detach(state: State) -> State:
    """The state as a constant: no gradient flows back through it (truncated backpropagation in time)."""
    return each(mx.stop_gradient, state)


def rows(state: State, index: int | slice | mx.array) -> State:
    """Some rows of a batch of states; a whole number takes the batch axis away."""
    return each(lambda a: a[index], state)


def joined(arrays: Sequence[mx.array]) -> State:
    """A state from its arrays."""
    return arrays[0] if len(arrays) == 1 else tuple(arrays)


def parted(state: State) -> tuple[mx.array, ...]:
    """The arrays of a state."""
    return state if isinstance(state, tuple) else (state,)


def _rows_of(chosen: Rows, array: mx.array) -> mx.array:
    """The rows that are chosen, with as many axes as an array that has them first.

    Raises:
        ValueError: not one value for each row.
    """
    flags = chosen if isinstance(chosen, mx.array) else mx.array(np.asarray(chosen, bool))
    if flags.shape != array.shape[:1]:
        raise ValueError(f"rows are chosen by an array of shape {flags.shape}: expected ({len(array)},)")
    return flags.reshape(-1, *(1,) * (array.ndim - 1))
