"""What a circuit says of its neurons and synapses beyond the plan: attributes in the plan's order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..wiring.columns import Column, Columns, checked_columns, plain_values

Chosen = NDArray[Any]
PARTS = ("neurons", "sensors", "recurrent", "sensory", "electrical")


@dataclass(frozen=True, eq=False)
class Attributes:
    """Columns of texts and numbers, in which None is a value that is missing.

    Attributes:
        neurons: one value per neuron with state.
        sensors: one value per sensory neuron.
        recurrent: one value per recurrent synapse.
        sensory: one value per sensory synapse.
        electrical: one value per electrical synapse.
    """

    neurons: Columns = field(default_factory=dict)
    sensors: Columns = field(default_factory=dict)
    recurrent: Columns = field(default_factory=dict)
    sensory: Columns = field(default_factory=dict)
    electrical: Columns = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(getattr(self, part) for part in PARTS)

    def chosen(self, **places: Chosen) -> Attributes:
        """The values at some places: a mask or an index for each of the parts."""
        return Attributes(
            **{
                part: {name: values[places[part]] for name, values in getattr(self, part).items()}
                for part in PARTS
            }
        )

    def to_plain(self) -> dict[str, dict[str, list[Any]]]:
        """The columns as lists, which JSON can hold."""
        return {part: {name: plain_values(v) for name, v in getattr(self, part).items()} for part in PARTS}

    @classmethod
    def of(cls, given: Mapping[str, Mapping[str, Any]], lengths: Mapping[str, int]) -> Attributes:
        """Columns that somebody gave, one mapping for each part.

        Raises:
            CircuitError: a column of another length than its part.
        """
        return cls(**{part: checked_columns(given.get(part, {}), lengths[part], part) for part in PARTS})


def gathered(parts: Mapping[str, tuple[Columns, Chosen]]) -> Attributes:
    """Columns of a circuit put in the order of a plan: for each part, and where its values stand in them."""
    found: dict[str, dict[str, Column]] = {}
    for part, (columns, places) in parts.items():
        found[part] = {}
        for name, values in columns.items():
            taken = np.asarray(values[places])
            if taken.dtype != object or any(value is not None for value in taken.tolist()):
                found[part][name] = taken
    return Attributes(**found)


def joined(first: Columns, n: int, second: Columns, m: int) -> dict[str, Column]:
    """The columns of two parts, of n and m values, as columns of both."""
    found = {}
    for name in {**first, **second}:
        parts = [columns.get(name) for columns in (first, second)]
        if all(values is not None and values.dtype.kind in "iufb" for values in parts):
            found[name] = np.concatenate([values for values in parts if values is not None])
            continue
        found[name] = np.full(n + m, None, object)
        for values, place in zip(parts, (slice(0, n), slice(n, n + m)), strict=True):
            if values is not None:
                found[name][place] = plain_values(values)
    return found
