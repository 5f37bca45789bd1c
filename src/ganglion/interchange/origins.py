"""Where a saved model comes from: releases, machine, command, circuits, and how it was trained.

It stands beside the description in a file, and changes nothing of the model that is loaded.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from .. import cells
from ..cells import RNN
from ..cells.belonging import circuits_in
from ..compile.kernels.prebuilt import kernel_texts
from ..distribution import __version__

KEY = "ganglion.provenance"
TRAINING = "_trained"
"""Under which name a model holds what `fit` knows of its training."""
AMONG = 20
"""Lines of a store among which its provenance is."""
LONGEST = 2000
"""Characters of a command."""


def provenance_of(model: nn.Module) -> dict[str, Any]:
    """What is known of a model in this process, as JSON."""
    networks = [(path, module) for path, module in model.named_modules() if isinstance(module, RNN)]
    found = {
        **surroundings(),
        "engines": {path: module.engine for path, module in sorted(networks)},
        "circuits": circuits_in(model),
    }
    training = vars(model).get(TRAINING)
    return found if training is None else {**found, "training": training}


def surroundings() -> dict[str, Any]:
    """What is known of this process, as JSON: releases, machine, device and command."""
    return {
        "ganglion": __version__,
        "mlx": version("mlx"),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "device": str(mx.default_device()),
        "kernels": kernels_digest(),
        "command": json.dumps(sys.argv)[:LONGEST],
    }


LINES = (b'{"format"', b'{"op_code"')
"""How files begin that are JSON, line by line: the store of a study, and that of an experiment."""


def provenance_in_lines(data: bytes) -> dict[str, Any]:
    """The provenance in the first lines of a store of a study or an experiment; empty where there is none."""
    for line in data.split(b"\n", AMONG)[:AMONG]:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            break
        for holder in (found, found.get("user_attr")) if isinstance(found, dict) else ():
            if isinstance(holder, dict) and isinstance(holder.get("provenance"), dict):
                said: dict[str, Any] = holder["provenance"]
                return said
    return {}


def remember_training(model: nn.Module, training: Any) -> None:
    """Let a model hold how it was trained, beside its parameters."""
    object.__setattr__(model, TRAINING, training)


@cache
def kernels_digest() -> str:
    """A digest of the text of all kernels, whichever of them a model runs."""
    state = hashlib.sha256()
    for name, text in kernel_texts(Path(cells.__file__).parent, (4,)):
        state.update(f"{name}\n{text}".encode())
    return state.hexdigest()[:24]
