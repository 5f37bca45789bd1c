"""The space of an experiment: what may vary, and which values each trial has, as functions of its number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import numpy as np

from ..arguments import label, mapping_of, whole
from .evolution import Evolving
from .ranges import Range, brief

PLAIN = (str, int, float, bool, type(None))
MOST_TRIALS = 1_000_000
"""Of one experiment: beyond, the list of them alone fills the memory."""


@dataclass(frozen=True)
class Choice:
    """One of some values, each known by a label."""

    values: Mapping[Any, Any]

    def drawn(self, rng: np.random.Generator) -> Any:
        """The label of a value at random."""
        return list(self.values)[int(rng.integers(len(self.values)))]

    def value(self, told: Any) -> Any:
        """The value of a label."""
        return self.values[told]

    def distribution(self, optuna: Any) -> Any:
        """The same for Optuna."""
        return optuna.distributions.CategoricalDistribution(list(self.values))

    def shown(self, told: Any) -> str:
        """A label in a few words."""
        return brief(told)


Factor = Choice | Range | Evolving


def space_of(given: Any) -> dict[str, Factor]:
    """The factors by name.

    Each is a list of values; a mapping from labels to values, for values that are no numbers or texts, such
    as circuits; a range (low, high), of whole numbers if both are, or (low, high, "log"); or `Evolving`.

    Raises:
        TypeError, ValueError: a factor that is none of these.
    """
    found: dict[str, Factor] = {}
    for name, values in mapping_of("space", given, "names to values").items():
        if not isinstance(name, str):
            raise TypeError(f"a factor's name must be a text, got {label(name)}")
        found[name] = _factor(name, values)
    if not found:
        raise ValueError("space is empty: expected names and values, such as {'units': [16, 32]}")
    return found


def _factor(name: str, values: Any) -> Factor:
    if isinstance(values, Evolving):
        return values
    if isinstance(values, Mapping):
        if not values or not all(isinstance(key, PLAIN) for key in values):
            raise ValueError(f"{name} must be a mapping from labels to values, got {label(values)}")
        return Choice(dict(values))
    if isinstance(values, tuple):
        return Range.of(name, values)
    if not isinstance(values, list) or not values:
        raise TypeError(f"{name} must be a list of values, a mapping or a range, got {label(values)}")
    strange = [value for value in values if not isinstance(value, PLAIN)]
    if strange:
        raise TypeError(
            f"{name} holds {label(strange[0], 60)}: values that are no numbers or texts need labels, as in "
            f"{{{name!r}: {{'small': value}}}}"
        )
    if len(set(map(repr, values))) < len(values):
        raise ValueError(f"{name} holds a value twice: {label(values)}")
    return Choice({value: value for value in values})


def planned(space: Mapping[str, Factor], search: str, trials: int | None, seed: int) -> list[dict[str, Any]]:
    """The labels and numbers of every setting of a grid or of a random search; the same for the same seed.

    Raises:
        ValueError: a grid over a range, a random search without a number of trials, or too many of them.
    """
    if search == "grid":
        drawn = [name for name, factor in space.items() if not isinstance(factor, Choice)]
        if drawn:
            raise ValueError(
                f"a grid needs lists of values, and {drawn[0]} is a range or evolves: search='random' draws"
            )
        values = [list(factor.values) for factor in space.values() if isinstance(factor, Choice)]
        count = math.prod(map(len, values)) if trials is None else whole("trials", trials, most=MOST_TRIALS)
        if count > MOST_TRIALS:
            raise ValueError(f"the grid has {count} settings: expected {MOST_TRIALS} at most, or trials=")
        return [dict(zip(space, each, strict=True)) for each in islice(product(*values), count)]
    if trials is None:
        raise ValueError(f"search={search!r} needs trials=, how many settings are tried")
    return [
        {name: factor.drawn(rng) for name, factor in space.items()}
        for rng in (
            np.random.default_rng([seed, k, 1]) for k in range(whole("trials", trials, most=MOST_TRIALS))
        )
    ]


def seed_of(seed: int, number: int) -> int:
    """The seed of a trial: of the experiment's seed and the trial's number alone."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
