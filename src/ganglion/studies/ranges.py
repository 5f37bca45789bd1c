"""A factor that is a number between two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import label, real


def brief(value: Any) -> str:
    """A value in a few words."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


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

    def shown(self, told: Any) -> str:
        """A number in a few words."""
        return brief(told)

    @classmethod
    def of(cls, name: str, values: Any) -> Range:
        """(low, high), of whole numbers if both are, or (low, high, "log").

        Raises:
            TypeError, ValueError: something else, or limits that are none.
        """
        log = isinstance(values, tuple | list) and tuple(values[2:]) == ("log",)
        if not isinstance(values, tuple | list) or len(values) != 2 + log:
            raise ValueError(f"{name} is {label(values)}: expected (low, high), (low, high, 'log') or a list")
        low, high = (real(f"the limits of {name}", limit) for limit in values[:2])
        if not low < high or (log and low <= 0):
            raise ValueError(f"{name} is {label(values)}: expected {'0 < ' if log else ''}low < high")
        return cls(low, high, log, all(isinstance(limit, int) for limit in values[:2]))
