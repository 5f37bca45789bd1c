"""A network as one MLX function, for Python, C++ and Swift programs that need no Ganglion."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

from ..arguments import instance
from ..arguments import path as as_path
from ..cells.values import mlx_array
from ..storage import replacing
from .plain import plainly

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
        with plainly(model):
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
