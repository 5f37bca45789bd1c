"""Which modules keep their parameters in range themselves."""

from __future__ import annotations

from typing import Any

import mlx.nn as nn
from mlx.utils import tree_flatten


def constrained(module: nn.Module) -> list[Any]:
    """The outermost modules with `apply_constraints`, which does it for what is inside them."""
    if hasattr(module, "apply_constraints"):
        return [module]
    return constrained_in(module.children())


def constrained_in(modules: Any) -> list[Any]:
    """The same of modules in lists and dictionaries."""
    found: Any = tree_flatten(modules, is_leaf=nn.Module.is_module)
    return [part for _, child in found for part in constrained(child)]
