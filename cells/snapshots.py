"""Copies of modules that keep what they have now."""

from __future__ import annotations

import copy
from typing import Any


def snapshot(part: Any) -> Any:
    """A copy of a module, and of those in it, that keeps the parameters and modes that they have now."""
    if isinstance(part, list | tuple):
        return type(part)(snapshot(each) for each in part)
    if not isinstance(part, dict):  # as a module is one
        return part
    twin = copy.copy(part)
    for name, child in part.items():
        twin[name] = snapshot(child)
    return twin
