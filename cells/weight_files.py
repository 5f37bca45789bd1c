"""Files of weights that say which circuits they belong to."""

from __future__ import annotations

import json
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

KEY = "ganglion.circuits"
ENDING = ".safetensors"  # which holds texts beside the arrays; .npz does not


def circuits_in(module: nn.Module) -> dict[str, str]:
    """The digests of the plans of all cells in a module, by path."""
    found = {}
    for path, part in module.named_modules():
        compiled = getattr(part, "compiled", None)
        if compiled is not None and hasattr(compiled, "plan"):
            found[path] = compiled.plan.digest
    return found


def write_weights(module: nn.Module, file: str) -> None:
    """Write the parameters of a module, and its circuits, to a safetensors file."""
    arrays: dict[str, mx.array] = dict(tree_flatten(module.parameters()))
    mx.save_safetensors(file, arrays, metadata={KEY: json.dumps(circuits_in(module))})


def refuse_other_circuits(module: nn.Module, file: str) -> None:
    """Raise ValueError if the weights in a file belong to other circuits than those of a module.

    A file that says nothing of circuits, as one of MLX's own, is taken.
    """
    loaded: Any = mx.load(file, return_metadata=True)
    theirs, ours = json.loads(loaded[1].get(KEY, "{}")), circuits_in(module)
    for path in theirs.keys() & ours.keys():
        if theirs[path] != ours[path]:
            raise ValueError(
                f"{file}: the weights of {path or 'the network'} were trained on another circuit, of digest "
                f"{theirs[path][:12]}, than this network's, {ours[path][:12]}; gl.carried(network, circuit) "
                "takes a network over to another circuit"
            )
