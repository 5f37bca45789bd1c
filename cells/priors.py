"""What is known of parameters before any data: where they begin, how they are regularised, what is fixed."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, TypeAlias

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..arguments import label, real

Floats: TypeAlias = "NDArray[np.float64]"
ROOT = math.log(2.0 * math.pi) / 2
DEEP = 8.0
"""Deviations below the median at which a log-normal density goes on as a straight line in the logarithm."""


@dataclass(frozen=True)
class Prior:
    """A distribution of a parameter: of its value as the equation uses it.

    Attributes:
        of_size: whether it is of numbers of at least 0: of a parameter that carries signs, of its size.
        kind: its name in files.
    """

    of_size: ClassVar[bool] = False

    @property
    def kind(self) -> str:
        """Its name."""
        return type(self).__name__

    @abstractmethod
    def log_density(self, values: mx.array) -> mx.array:
        """The logarithm of the density at values, one by one."""

    @abstractmethod
    def quantile(self, shares: Floats) -> Floats:
        """The values below which these shares of all are."""

    def precision(self, values: Floats) -> Floats:
        """Minus the second derivative of the logarithm of the density at values; 0 where it is flat.

        That of a log-normal one is by the logarithm of the value, in which it is normal: by the value itself
        it would bend the wrong way far above the median.
        """
        return np.zeros_like(values)

    @property
    def deviation_alone(self) -> float:
        """Its standard deviation."""
        return 0.0

    def to_plain(self) -> dict[str, Any]:
        """Its name and numbers."""
        return {"of": self.kind, **asdict(self)}

    def __str__(self) -> str:
        return f"{self.kind}({', '.join(f'{getattr(self, f.name):g}' for f in fields(self))})"


@dataclass(frozen=True)
class Normal(Prior):
    """A normal distribution.

    Args:
        mean: its mean.
        deviation: its standard deviation.

    Example:
        >>> rnn = gl.LTC(circuit, priors={"vleak": gl.Normal(0.0, 0.2)})
    """

    mean: float
    deviation: float

    def __post_init__(self) -> None:
        real("mean", self.mean)
        real("deviation", self.deviation, above=0)

    def log_density(self, values: mx.array) -> mx.array:
        apart = (values - self.mean) / self.deviation
        return -0.5 * mx.square(apart) - (math.log(self.deviation) + ROOT)

    def quantile(self, shares: Floats) -> Floats:
        return self.mean + self.deviation * _normal(shares)

    def precision(self, values: Floats) -> Floats:
        return np.full_like(values, self.deviation**-2)

    @property
    def deviation_alone(self) -> float:
        return self.deviation


@dataclass(frozen=True)
class LogNormal(Prior):
    """Positive numbers whose logarithm is normal.

    Args:
        median: their median.
        spread: the standard deviation of the logarithm; 0.5 is a factor of 1.65 to either side.

    Example:
        >>> rnn = gl.LTC(circuit, positive="softplus", priors={"w": gl.LogNormal(0.3, 0.5)})
    """

    median: float
    spread: float

    of_size = True

    def __post_init__(self) -> None:
        real("median", self.median, above=0)
        real("spread", self.spread, above=0)

    def log_density(self, values: mx.array) -> mx.array:
        # Beyond the deepest number that counts, a tangent leads back up: an optimizer may step over 0.
        least = self.median * math.exp(-DEEP * self.spread)
        inside = mx.maximum(values, least)
        log = mx.log(inside) + (values - inside) / least
        return (
            -0.5 * mx.square((log - math.log(self.median)) / self.spread)
            - log
            - (math.log(self.spread) + ROOT)
        )

    def quantile(self, shares: Floats) -> Floats:
        return self.median * np.exp(self.spread * _normal(shares))

    def precision(self, values: Floats) -> Floats:
        return (self.spread * np.maximum(values, np.finfo(np.float32).tiny)) ** -2.0

    @property
    def deviation_alone(self) -> float:
        square = self.spread**2
        return self.median * math.sqrt(math.expm1(square) * math.exp(square))


@dataclass(frozen=True)
class HalfNormal(Prior):
    """Numbers of at least 0, as the sizes of normal ones around 0.

    Args:
        deviation: the standard deviation of these normal numbers.

    Example:
        >>> rnn = gl.LTC(circuit, priors={"gap": gl.HalfNormal(0.5)})
    """

    deviation: float

    of_size = True

    def __post_init__(self) -> None:
        real("deviation", self.deviation, above=0)

    def log_density(self, values: mx.array) -> mx.array:
        shift = math.log(2.0) - math.log(self.deviation) - ROOT
        return -0.5 * mx.square(values / self.deviation) + shift

    def quantile(self, shares: Floats) -> Floats:
        return self.deviation * _normal(0.5 + 0.5 * shares)

    def precision(self, values: Floats) -> Floats:
        return np.full_like(values, self.deviation**-2)

    @property
    def deviation_alone(self) -> float:
        return self.deviation * math.sqrt(1.0 - 2.0 / math.pi)


@dataclass(frozen=True)
class Uniform(Prior):
    """Numbers that are equally likely from one to another; where it holds, it regularises nothing.

    Args:
        low, high: its ends; outside, the density is 0, which `fit` answers with a loss that is not finite.

    Example:
        >>> rnn = gl.LTC(circuit, priors={"mu": gl.Uniform(0.2, 0.9)})
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not real("low", self.low) < real("high", self.high):
            raise ValueError(f"a uniform prior from {self.low} to {self.high}: expected low below high")

    def log_density(self, values: mx.array) -> mx.array:
        inside = (values >= self.low) & (values <= self.high)
        return mx.where(inside, -math.log(self.high - self.low), -math.inf)

    def quantile(self, shares: Floats) -> Floats:
        return self.low + (self.high - self.low) * shares

    @property
    def deviation_alone(self) -> float:
        return (self.high - self.low) / math.sqrt(12.0)


@dataclass(frozen=True)
class Fixed(Prior):
    """A number that is known, and not trained.

    Args:
        value: the number; of a parameter that carries signs, with its sign.

    Example:
        >>> rnn = gl.LTC(circuit, priors={"cm": gl.Fixed(0.5)})
    """

    value: float

    def __post_init__(self) -> None:
        real("value", self.value)

    def log_density(self, values: mx.array) -> mx.array:
        return mx.zeros_like(values)

    def quantile(self, shares: Floats) -> Floats:
        return np.full_like(shares, self.value)


KINDS: dict[str, type[Prior]] = {
    kind.__name__: kind for kind in (Normal, LogNormal, HalfNormal, Uniform, Fixed)
}
# A prior of all entries of a parameter, or of some of them by what they lie on, also as pairs.
ByPlace: TypeAlias = "Prior | Mapping[Any, Prior] | Sequence[Any]"
Priors: TypeAlias = "Mapping[str, Any] | None"


def prior_from(plain: Mapping[str, Any]) -> Prior:
    """What `Prior.to_plain` wrote.

    Raises:
        ValueError: an unknown kind.
        TypeError: numbers that it does not have.
    """
    given = dict(plain)
    kind = given.pop("of", None)
    if kind not in KINDS:
        raise ValueError(f"unknown prior {label(kind)}: expected one of {', '.join(KINDS)}")
    return KINDS[kind](**given)


def _normal(shares: Floats) -> Floats:
    """The quantiles of the standard normal distribution, never infinite."""
    from scipy.special import ndtri  # here, because it takes a while to import

    return np.asarray(ndtri(np.clip(shares, 1e-12, 1.0 - 1e-12)))
