"""How strong a synapse is: the attribute `weight`, a number, whatever its column is called in the source."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from ..roles import label, synapse_label
from .draft import Draft, rename_key

COLUMNS = ("weight", "weights", "synapses", "synapse count", "synapse_count", "syn_count", "nbr", "count",
           "counts", "number", "n", "sections", "connections", "strength", "value")  # fmt: skip


def read_weights(draft: Draft, weight: str | None) -> None:
    """Make `weight` a number on every synapse that has one, and `gap`, the strength of an electrical one.

    Raises:
        CircuitError: an attribute that no edge has, or a weight that is no finite number.
    """
    known = draft.edge_attributes()
    for edge in draft.synapses if "gap" in known else ():
        gap = _number(edge.data.get("gap"))  # a text in formats where all is text
        if gap is not None:
            edge.data["gap"] = gap
    key = weight if weight is not None else _column(draft, known)
    if key is None:
        return
    if not isinstance(key, str):
        raise TypeError(f"weight: expected the name of an attribute, got {label(key)}")
    if key not in known:
        raise draft.no_attribute("weight", key, known)
    found = 0
    for edge in draft.synapses:
        if key not in edge.data:
            continue
        number = _number(edge.data[key])
        if number is None:
            problem = (
                f"{synapse_label(edge.pre, edge.post)} has {key} {label(edge.data[key])}; expected a number, "
                "or weight= the attribute that holds one"
            )
            raise draft.raw.edge_error(problem, edge.at)
        rename_key(edge.data, key, "weight")
        edge.data["weight"] = number
        found += 1
    if key != "weight":
        draft.origin.add("weight", found, f"weights are those in {key!r}")


def _column(draft: Draft, known: list[str]) -> str | None:
    if draft.raw.own:
        return "weight" if "weight" in known else None
    by_text = {str(name).casefold(): name for name in reversed(known)}
    for column in COLUMNS:
        if column in by_text:
            name = by_text[column]
            values = [edge.data[name] for edge in draft.synapses if name in edge.data]
            if column == "weight" or all(_number(value) is not None for value in values):
                return name
    return None


def _number(value: Any) -> int | float | None:
    if isinstance(value, str):
        try:
            value = float(value.strip())
        except ValueError:
            return None
        value = int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    if not math.isfinite(value):
        return None
    number = value.item() if hasattr(value, "item") else value
    return number if isinstance(number, int | float) else float(number)
