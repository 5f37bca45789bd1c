"""The mean of a number over several networks, and how far they are apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Spread:
    """A number, or an array of them, over several networks.

    Attributes:
        mean: the mean.
        deviation: the standard deviation, of a sample: over K - 1; 0 for one network.

    Example:
        >>> print(ensemble.spread(lambda rnn: gl.circuit_of(rnn).edges["AVA", "AVB"]["weight"]))
    """

    mean: Any
    deviation: Any

    @classmethod
    def of(cls, values: Any) -> Spread:
        """The spread of (K, ...) values of K networks."""
        found = np.asarray(values, np.float64)
        return cls(found.mean(axis=0), found.std(axis=0, ddof=1 if len(found) > 1 else 0))

    def __str__(self) -> str:
        if np.ndim(self.mean):
            return f"means and deviations of shape {np.shape(self.mean)}"
        return f"{float(self.mean):.4g} +- {float(self.deviation):.2g}"
