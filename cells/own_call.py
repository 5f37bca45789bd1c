"""Cells that have their own `__call__(inputs, states)` instead of a `step`, as cells of Keras are written."""

from __future__ import annotations

import inspect
from typing import Any

import mlx.core as mx

from ..arguments import counted
from .ops.state_ops import State, joined, parted


def called(cell: Any, x: mx.array, state: State, timespan: mx.array) -> tuple[mx.array, State]:
    """The outputs and the new state that a cell's own `__call__` gives for (B, I) inputs.

    Raises:
        TypeError: it gives something else than outputs and states.
        ValueError: arrays of other shapes than the cell has.
    """
    name, shapes = type(cell).__name__, cell.state_shapes
    takes_time = len(inspect.signature(type(cell).__call__).parameters) > 3
    span = [mx.broadcast_to(timespan, (len(x), 1))] if takes_time else []

    def call(n: int, listed: bool) -> Any:
        arrays = [array[:n] for array in parted(state)]
        result = cell(x[:n], arrays if listed else joined(arrays), *(each[:n] for each in span))
        if not isinstance(result, tuple | list) or len(result) != 2:
            kind = (
                counted(len(result), "value") if isinstance(result, tuple | list) else type(result).__name__
            )
            raise TypeError(f"{name}.__call__ gives {kind}: expected the outputs and the new states")
        return result

    if cell._listed is None:  # does it work on one array, or on a list of one as cells of Keras do?
        cell._listed = isinstance(call(1, listed=False)[1], list | tuple)
    output, new = call(len(x), listed=cell._listed)
    arrays = tuple(new) if isinstance(new, list | tuple) else (new,)
    given = [tuple(array.shape) for array in (output, *arrays)]
    expected = [(len(x), *shape) for shape in ((cell.n_outputs,), *shapes)]
    if given != expected:
        raise ValueError(
            f"{name}.__call__ gives outputs and states of shapes {given}: expected {expected}; a cell with "
            "other states sets state_size"
        )
    return output, joined(arrays)
