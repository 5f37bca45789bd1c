"""Numbers that users give, checked in one place so that every message reads alike."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import Any


def whole(name: str, value: Any, least: int = 1) -> int:
    """The whole number `value`, or an error that names the argument."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if number < least:
        raise ValueError(f"{name} must be {least} or more, got {number}")
    return number


def seed_number(seed: Any) -> int:
    """The seed, or an error; one limit for both of NumPy's generators, so that seeds can be swapped."""
    number = whole("seed", seed, least=0)
    if number >= 2**32:
        raise ValueError(f"seed must be below 2**32, got {number}")
    return number


def fraction(name: str, value: Any, low: float = 0.0, high: float = 1.0, below: bool = False) -> float:
    """The number `value`, from low to high (or `below` high), or an error that names the argument."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {value!r}")
    number = float(value)
    inside = low <= number < high if below else low <= number <= high
    if math.isnan(number) or not inside:
        limit = f"from {low} to {'below ' if below else ''}{high}"
        raise ValueError(f"{name} must be {limit}, got {value}")
    return number
