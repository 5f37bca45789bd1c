"""Names and attributes in terms of JSON: what files, edits and journals hold."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import numpy as np

from ...errors import CircuitError
from ..roles import label
from .writing import unboxed


def plain(value: Any) -> Any:
    """The value in terms of JSON: NumPy scalars become numbers, tuples and arrays become lists."""
    try:
        return _plain(value)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _plain(value: Any) -> Any:
    value = value.tolist() if isinstance(value, np.ndarray) else unboxed(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"it holds {value}, which JSON does not have")
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"it holds a dict with the key {key!r}, and JSON has only texts as keys")
        return {key: _plain(item) for key, item in value.items()}
    raise TypeError(f"it holds a {type(value).__name__}")


def plain_name(name: Hashable) -> Any:
    """A neuron's name: a text, a number, or a tuple of these, which JSON holds as a list."""
    if isinstance(name, tuple):
        return [plain_name(part) for part in name]
    name = unboxed(name)
    if isinstance(name, (str, int)) or (isinstance(name, float) and math.isfinite(name)):
        return name
    raise CircuitError(
        f"the name {name!r} is a {type(name).__name__}; JSON holds texts, numbers and tuples of these"
    )


def name_from(value: Any) -> Hashable:
    """The neuron's name that a value of JSON stands for; a list stands for a tuple."""
    if isinstance(value, list):
        try:
            return tuple(name_from(part) for part in value)
        except RecursionError:
            raise CircuitError("a name is nested too deeply") from None
    if isinstance(value, (str, int, float)):
        return value
    raise CircuitError(f"a name is a text, a number or a list of these, got {label(value, 60)}")
