"""The space of an experiment: what may vary, and which values each trial has, as functions of its number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from ..arguments import label, mapping_of, real, whole

PLAIN = (str, int, float, bool, type(None))


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


@dataclass(frozen=True)
class Range:
    """A number between two, both included; whole if both are."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def drawn(self, rng: np.random.Generator) -> Any:
        """A number at random, uniform in itself or in its logarithm."""
        if self.whole and not self.log:
            return int(rng.integers(int(self.low), int(self.high) + 1))
        low, high = np.log([self.low, self.high]) if self.log else (self.low, self.high)
        found = float(rng.uniform(low, high))
        found = float(np.clip(np.exp(found), self.low, self.high)) if self.log else found
        return round(found) if self.whole else found

    def value(self, told: Any) -> Any:
        """The number itself."""
        return told

    def distribution(self, optuna: Any) -> Any:
        """The same for Optuna."""
        if self.whole:
            return optuna.distributions.IntDistribution(int(self.low), int(self.high), log=self.log)
        return optuna.distributions.FloatDistribution(self.low, self.high, log=self.log)


Factor = Choice | Range


def space_of(given: Any) -> dict[str, Factor]:
    """The factors by name.

    Each is a list of values; a mapping from labels to values, for values that are no numbers or texts, such
    as circuits; or a range (low, high), of whole numbers if both are, or (low, high, "log").

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
    if isinstance(values, Mapping):
        if not values or not all(isinstance(key, PLAIN) for key in values):
            raise ValueError(f"{name} must be a mapping from labels to values, got {label(values)}")
        return Choice(dict(values))
    if isinstance(values, tuple):
        log = values[2:] == ("log",)
        if len(values) != 2 + log:
            raise ValueError(f"{name} is {label(values)}: expected (low, high), (low, high, 'log') or a list")
        low, high = (real(f"the limits of {name}", limit) for limit in values[:2])
        if not low < high or (log and low <= 0):
            raise ValueError(f"{name} is {label(values)}: expected {'0 < ' if log else ''}low < high")
        return Range(low, high, log, all(isinstance(limit, int) for limit in values[:2]))
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
        ValueError: a grid over a range, or a random search without a number of trials.
    """
    if search == "grid":
        ranges = [name for name, factor in space.items() if isinstance(factor, Range)]
        if ranges:
            raise ValueError(
                f"a grid needs lists of values, and {ranges[0]} is a range: search='random' draws"
            )
        values = [list(factor.values) for factor in space.values() if isinstance(factor, Choice)]
        found = [dict(zip(space, each, strict=True)) for each in product(*values)]
        return found if trials is None else found[: whole("trials", trials)]
    if trials is None:
        raise ValueError(f"search={search!r} needs trials=, how many settings are tried")
    return [
        {name: factor.drawn(rng) for name, factor in space.items()}
        for rng in (np.random.default_rng([seed, k, 1]) for k in range(whole("trials", trials)))
    ]


def seed_of(seed: int, number: int) -> int:
    """The seed of a trial: of the experiment's seed and the trial's number alone."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
