"""The modes of a model's modules, training or evaluation, each of which is the user's to choose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import mlx.nn as nn


@contextmanager
def modes_kept(model: nn.Module) -> Iterator[None]:
    """Give every module inside a model its own mode back at the end, whatever was set meanwhile."""
    before = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, training in before:
            module._training = training
