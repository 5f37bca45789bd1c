"""Attributes of many neurons or synapses as columns: the form in which plans and files keep them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..arguments import counted, label, mapping_of, several
from ..errors import CircuitError

# One value each: whole numbers, booleans, floats or objects; NaN and None are values that are missing.
Column: TypeAlias = "NDArray[Any]"
Columns: TypeAlias = "Mapping[str, Column]"


def column(values: Iterable[Any]) -> Column | None:
    """Texts, numbers and booleans as a column; None if something else is among them, such as a position.

    Example:
        >>> column([3, None]).tolist()             # [3, None]
    """
    if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "iufb":
        return values
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    kinds = set(map(type, plain))
    if kinds == {float} and not any(map(math.isnan, plain)):
        return np.array(plain, np.float64)
    if kinds == {bool} or (kinds == {int} and max(map(abs, plain)) < 2**53):
        return np.array(plain)
    if not kinds <= {str, int, float, bool, type(None)}:
        return None
    found = np.empty(len(plain), object)
    found[:] = [None if isinstance(value, float) and math.isnan(value) else value for value in plain]
    return found


def columns_of(records: Sequence[Mapping[Any, Any]], without: Iterable[str]) -> dict[str, Column]:
    """The columns of the attributes that any of many records has; those that are no columns are left out."""
    least = set(without)
    keys = dict.fromkeys(chain.from_iterable(records))
    found = {}
    for key in keys:
        if isinstance(key, str) and key not in least:
            values = column([record.get(key) for record in records])
            if values is not None:
                found[key] = values
    return found


def checked_columns(given: Mapping[str, Any], length: int, of_what: str) -> dict[str, Column]:
    """Columns that somebody gave, as arrays that nobody changes.

    Raises:
        CircuitError: a column of another length, or with values that are no texts or numbers.
    """
    found = {}
    for name, values in mapping_of(f"the attributes of {of_what}", given, "names to values").items():
        if not isinstance(values, np.ndarray):  # one stays as it is: there may be millions
            values = several(f"the attribute {label(name)}", values, "values")
        made = column(values)
        if made is None:
            raise CircuitError(f"the attribute {name!r} must hold texts, numbers or booleans")
        if made.ndim != 1 or len(made) != length:
            raise CircuitError(
                f"the attribute {name!r} has {counted(len(made), 'value')} for {length} {of_what}"
            )
        if made.flags.writeable:
            made = made.copy() if made is values else made
            made.flags.writeable = False
        found[name] = made
    return found


def plain_values(values: Column) -> list[Any]:
    """A column as Python values, with None where one is missing."""
    if values.dtype.kind == "f" and np.isnan(values).any():
        return [None if math.isnan(value) else value for value in values.tolist()]
    found: list[Any] = values.tolist()
    return found


def numbers(values: Column) -> NDArray[np.float64]:
    """A column as numbers, with NaN where there is none.

    Raises:
        TypeError: a value that is no finite number.
    """
    if values.dtype.kind in "iuf":
        found = values.astype(np.float64)
        if np.isinf(found).any():
            raise TypeError("infinity is no finite number")
    else:
        for value in values.tolist():
            if value is not None and (isinstance(value, bool | str) or not math.isfinite(value)):
                raise TypeError(f"{value!r} is no finite number")
        found = np.array([math.nan if value is None else value for value in values.tolist()], np.float64)
    return found
