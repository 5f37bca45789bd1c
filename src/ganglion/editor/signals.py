"""What the sensory neurons of a running network are given: one small signal each."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import CircuitError
from ..wiring.roles import label

Signal = dict[str, Any]
SILENT: Signal = {"kind": "constant", "value": 0.0}
FIELDS: dict[str, dict[str, float]] = {
    "constant": {"value": 0.0},
    "step": {"at": 10, "low": 0.0, "high": 1.0},
    "sine": {"amplitude": 1.0, "period": 40, "phase": 0.0, "offset": 0.0},
    "noise": {"mean": 0.0, "deviation": 1.0, "seed": 0},
}
"""The numbers of each kind, with what they are if not given; times are in steps."""


def read_signal(data: Any) -> Signal:
    """A signal from an object of JSON, with all its numbers.

    Raises:
        CircuitError: an unknown kind or field, or a number that is none.
    """
    kind = data.get("kind") if isinstance(data, Mapping) else None
    if kind == "recording" and len(data) == 1:
        return {"kind": kind}
    if kind == "table":
        values = data.get("values")
        if not isinstance(values, Sequence) or isinstance(values, str) or not values or len(data) != 2:
            raise CircuitError("a signal from a table needs a list of values")
        return {"kind": kind, "values": [_number("a value of the table", value) for value in values]}
    if not isinstance(kind, str) or kind not in FIELDS:
        known = ", ".join([*FIELDS, "table", "recording"])
        raise CircuitError(f"a signal is an object whose kind is one of {known}; got {label(data, 60)}")
    unknown = set(data) - {"kind", *FIELDS[kind]}
    if unknown:
        raise CircuitError(f"a signal of kind {kind!r} has no {label(min(map(str, unknown)), 60)}")
    numbers = {key: _number(key, data.get(key, start)) for key, start in FIELDS[kind].items()}
    if kind == "sine" and numbers["period"] <= 0:
        raise CircuitError(f"period must be above 0, got {numbers['period']}")
    return {"kind": kind, **numbers}


def value_at(signal: Signal, step: int, recorded: Callable[[int], float] = lambda step: 0.0) -> float:
    """The value of a signal at a step, counted from 0."""
    match signal["kind"]:
        case "constant":
            return float(signal["value"])
        case "step":
            return float(signal["high"] if step >= signal["at"] else signal["low"])
        case "sine":
            turns = step / signal["period"]
            return float(
                signal["offset"] + signal["amplitude"] * math.sin(2 * math.pi * turns + signal["phase"])
            )
        case "noise":
            draw = np.random.default_rng([int(abs(signal["seed"])), step])  # the same whenever it is asked
            return float(signal["mean"] + signal["deviation"] * draw.standard_normal())
        case "table":
            return float(signal["values"][step % len(signal["values"])])
        case _:
            return recorded(step)


def read_table(text: str, sensors: Sequence[str]) -> dict[str, Signal]:
    """The columns of a CSV file that are named like sensory neurons, as signals.

    Raises:
        CircuitError: no column is, or a value is no number; the message has the line.
    """
    rows = list(csv.DictReader(io.StringIO(text)))
    header = list(rows[0]) if rows else []
    found = [name for name in header if name in sensors]
    if not found:
        raise CircuitError(
            f"no column is named like a sensory neuron: expected some of {', '.join(sensors) or 'none'}; "
            f"the columns are {', '.join(map(str, header)) or 'none'}"
        )
    return {
        name: {"kind": "table", "values": [_cell(row[name], name, line) for line, row in enumerate(rows, 2)]}
        for name in found
    }


def _cell(text: str | None, name: str, line: int) -> float:
    try:
        return _number(name, float(text or ""))
    except (ValueError, CircuitError):
        raise CircuitError(f"line {line}, column {name}: {label(text, 60)} is no number") from None


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CircuitError(f"{name} must be a finite number, got {label(value, 60)}")
    return float(value)
