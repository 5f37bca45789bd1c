"""Numbers as messages hold them: four digits, and null for what JSON does not have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def four(value: float) -> float | None:
    """A number with four significant digits; None for nan and infinity."""
    return float(f"{value:.4g}") if math.isfinite(value) else None


def rows(array: ArrayLike) -> list[Any]:
    """An array as nested lists of such numbers."""
    values = np.asarray(array, np.float64)
    if values.ndim > 1:
        return [rows(part) for part in values]
    return [four(value) for value in values.tolist()]
