"""A network as one MLX function, for Python, C++ and Swift programs that need no Ganglion."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten, tree_map

from ..arguments import instance
from ..arguments import path as as_path
from ..cells import RNN, NCPRNNCell
from ..cells.values import mlx_array
from ..compile.layouts.segments import plain
from ..storage import replacing
from .describe import build, describe
from .files import load_arrays, parameters_of, take_precision
from .modes import modes_kept
from .randomness import random_state_kept

Example = mx.array | tuple[mx.array, ...]


def export_mlx(model: nn.Module, path: str | os.PathLike[str], example: Example) -> None:
    """Write a network, weights included, as a function that ``mx.import_function`` runs.

    The function takes arrays of the example's shapes and returns the outputs and the arrays of the last
    state. It consists of plain MLX operations (engine "ops"), so any MLX of the same version runs it, on any
    device. The file is replaced whole or, if there is an error, not touched.

    Args:
        model: the network.
        path: the file, by custom ending in ``.mlxfn``.
        example: the inputs (B, T, I) or (T, I), or a tuple (inputs, state, timespans) of the first one, two
            or all three; the function takes as many.

    Raises:
        ValueError: a shape that does not fit the network.
        RuntimeError: MLX exported something else than the network; the file is not kept.
        OSError: the file cannot be written.

    Example:
        >>> gl.export_mlx(rnn, "rnn.mlxfn", mx.zeros((1, 20, 16)))
        >>> outputs, state = mx.import_function("rnn.mlxfn")(x)
    """
    instance("model", model, nn.Module, "a network")
    parts = example if isinstance(example, tuple) else (example,)
    arguments = [mlx_array("the example", part) for part in parts]
    if not 1 <= len(arguments) <= 3:
        raise ValueError(f"{len(arguments)} example arrays: expected inputs, or (inputs, state, timespans)")
    target = as_path("path", path)

    def run(*given: mx.array) -> list[mx.array]:
        return list(dict(tree_flatten(model(*given))).values())

    with replacing(target) as file:
        run(*arguments)  # which builds what is built by its first input
        with _plain(model):
            mx.export_function(str(file), run, *arguments)
            exported: Any = mx.import_function(str(file))
            _require_same(exported(*arguments), run(*arguments))


def _require_same(exported: Sequence[mx.array], ours: Sequence[mx.array]) -> None:
    """Exporting is young in MLX and errs in silence, for example about constants that are broadcast."""
    for theirs, expected in zip(exported, ours, strict=True):
        if not mx.allclose(theirs, expected, rtol=1e-4, atol=1e-5).item():
            raise RuntimeError(
                "the exported function does not compute what the network does: nothing was written"
            )


@contextmanager
def _plain(model: nn.Module) -> Iterator[None]:
    """Let every network inside a model run on operations that can be exported, for a while.

    Gradients of our own cannot, so operations go without; and each network gets a twin in the dense layout,
    whose `prepare` depends on nothing but weights and is computed beforehand.
    """
    networks: list[Any] = [module for _, module in model.named_modules() if isinstance(module, RNN)]
    before = [(network.cell, network.engine) for network in networks]
    mx.disable_compile()  # what is compiled cannot be written down
    # Constants that are strided, such as a transposed matrix, would be written wrongly.
    model.update(tree_map(mx.contiguous, model.parameters()))
    mx.eval(model.parameters())
    try:
        with modes_kept(model), plain(True):
            model.eval()
            for network in networks:
                network.cell, network.engine = _prepared_cell(network), "ops"
            yield
    finally:
        for network, (cell, engine) in zip(networks, before, strict=True):
            network.cell, network.engine = cell, engine
        if "MLX_DISABLE_COMPILE" not in os.environ:
            mx.enable_compile()


def _prepared_cell(network: RNN) -> NCPRNNCell:
    with random_state_kept():
        twin = build(describe(network), largest=2**31, engine="ops", layout="dense")
    take_precision(twin, parameters_of(network))
    load_arrays(twin, parameters_of(network))
    cell: NCPRNNCell = twin.cell
    prepared = cell.prepare()
    mx.eval(list(_arrays_in(prepared)))
    cell.__dict__["prepare"] = lambda: prepared
    return cell


def _arrays_in(value: Any) -> Iterator[mx.array]:
    """All arrays inside dataclasses, dictionaries, lists and tuples."""
    if isinstance(value, mx.array):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _arrays_in(getattr(value, field.name))
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _arrays_in(item)
