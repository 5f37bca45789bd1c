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
LONGEST = 2000
"""Characters of a command."""


def provenance_of(model: nn.Module) -> dict[str, Any]:
    """What is known of a model in this process, as JSON."""
    networks = [(path, module) for path, module in model.named_modules() if isinstance(module, RNN)]
    found = {
        "ganglion": __version__,
        "mlx": version("mlx"),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "device": str(mx.default_device()),
        "kernels": kernels_digest(),
        "command": json.dumps(sys.argv)[:LONGEST],
        "engines": {path: module.engine for path, module in sorted(networks)},
        "circuits": circuits_in(model),
    }
    training = vars(model).get(TRAINING)
    return found if training is None else {**found, "training": training}


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
