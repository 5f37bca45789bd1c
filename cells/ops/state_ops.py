"""What a network holds: its variables, and states, which are one array or a tuple of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten
from numpy.typing import NDArray

from ...arguments import instance, mapping_of, one_of, whole
from ..axes import flags_of, index_of, shapes_of, state_of
from ..values import Values, Where, any_array, running_on

__all__ = [
    "blend",
    "detach",
    "reset",
    "rows",
    "update",
    "variables",
    "zero_state",
]

# The state of one batch: (B, N), or several such arrays for a cell with more than one kind of memory.
State: TypeAlias = "mx.array | tuple[mx.array, ...]"
# (B,) booleans: which rows of a batch are meant.
Rows: TypeAlias = "mx.array | NDArray[np.bool_] | Sequence[bool]"


def variables(module: nn.Module) -> dict[str, mx.array]:
    """Every parameter of a module by its path, frozen ones too: a copy that later steps do not change.

    Example:
        >>> held = variables(rnn)
        >>> update(rnn, held)                                              # as it was
    """
    held = instance("module", module, nn.Module, "a module of MLX").parameters()
    return dict(tree_flatten(held))


def update(module: nn.Module, values: Mapping[str, Values]) -> None:
    """Give a module other values for some of its `variables`: all of them, or none if one does not fit.

    Raises:
        ValueError: a path that the module does not have, or another shape.
        TypeError: no module, or no numbers.
    """
    held = variables(module)
    given = mapping_of("values", values, "paths to arrays")
    arrays = {path: any_array(path, value) for path, value in given.items()}
    for path, array in arrays.items():
        one_of("variable", path, held)
        if array.shape != held[path].shape:
            expected = tuple(held[path].shape)
            raise ValueError(f"{path} has shape {tuple(array.shape)}: expected {expected}")
    cast = [(path, array.astype(held[path].dtype)) for path, array in arrays.items()]
    module.update(tree_unflatten(cast) if cast else {})


def zero_state(shapes: Sequence[tuple[int, ...]], batch: int) -> State:
    """A state of zeros: one array ``(batch, *shape)`` per shape, alone if there is only one.

    Example:
        >>> zero_state([(64,)], batch=8).shape                                  # (8, 64)
    """
    # With values at once: to have MLX make them takes longer than a short call of a kernel.
    rows = whole("batch", batch, 0)
    arrays = tuple(mx.array(np.zeros((rows, *shape), np.float32)) for shape in shapes_of(shapes))
    return arrays[0] if len(arrays) == 1 else arrays


def each(function: Callable[..., mx.array], *states: State) -> State:
    """`function` of the corresponding arrays of states that are made alike."""
    counts = {len(state) if isinstance(state, tuple) else 0 for state in states}
    if len(counts) > 1:
        raise ValueError("the states are not made alike: expected as many arrays in each")
    if isinstance(states[0], tuple):
        return tuple(function(*arrays) for arrays in zip(*states, strict=True))
    return function(*states)


def blend(chosen: Rows, new: State, old: State, *, stream: Where = None) -> State:
    """The new state in the rows where (B,) `chosen` is true, the old one in the others."""
    new, old = state_of("new", new), state_of("old", old)
    with running_on(stream):
        return each(lambda a, b: mx.where(_rows_of(chosen, b), a, b), new, old)


def reset(state: State, ended: Rows, start: State | None = None, *, stream: Where = None) -> State:
    """The state with the rows where (B,) `ended` is true set back to zero, or to those of `start`."""
    with running_on(stream):
        state = state_of("state", state)
        fresh = each(lambda a: mx.array(0, a.dtype), state) if start is None else start
        return blend(ended, fresh, state)


def restarted(state: State, ended: Rows, lasting: Sequence[int] = ()) -> State:
    """The same, but for arrays that last, by their places among those of the state."""
    zeros = reset(state, ended)
    if not lasting:
        return zeros
    parts = zip(parted(state), parted(zeros), strict=True)
    return joined([old if k in lasting else new for k, (old, new) in enumerate(parts)])


def detach(state: State, *, stream: Where = None) -> State:
    """The state as a constant: no gradient flows back through it (truncated backpropagation in time)."""
    with running_on(stream):
        return each(mx.stop_gradient, state_of("state", state))


def rows(state: State, index: int | np.integer[Any] | slice | mx.array, *, stream: Where = None) -> State:
    """Some rows of a batch of states; a whole number takes the batch axis away.

    Raises:
        IndexError: a row beyond the batch; not told of an array that has no values yet, in `mx.compile`.
    """
    state = state_of("state", state)
    with running_on(stream):
        taken = index_of(index, min(part.shape[0] if part.ndim else 0 for part in parted(state)))
        return each(lambda a: a[taken], state)


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
        TypeError: no booleans.
    """
    flags = flags_of(chosen)
    if flags.shape != array.shape[:1]:
        raise ValueError(f"rows are chosen by an array of shape {flags.shape}: expected ({len(array)},)")
    return flags.reshape(-1, *(1,) * (array.ndim - 1))
