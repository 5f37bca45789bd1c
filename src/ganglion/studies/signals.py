"""What sensors are given in the course of time: steps, pulses, trains, ramps and noise, as values.

Each knows its integral over time, so that a sample has the mean since the sample before, whatever the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import LARGEST, real, text, whole
from ..cells.equations.noise import table
from ..cells.keys import numbered, random_words, word_of

Floats = NDArray[np.float64]
MOST = 10_000_000
"""Different numbers of a noise."""


def time(name: str, value: float) -> float:
    """A time: a finite number of at least 0."""
    return real(name, value, least=0.0)


@dataclass(frozen=True)
class Signal:
    """What every signal is: it is added to what the sensor is given besides."""

    sensor: str
    kind: ClassVar[str] = "signal"

    def area(self, times: Floats) -> Floats:
        """The integral from 0 up to times."""
        raise NotImplementedError(f"{type(self).__name__} has no area()")

    @property
    def edges(self) -> tuple[float, ...]:
        """The times at which it changes all at once."""
        return ()


@dataclass(frozen=True)
class Step(Signal):
    """`to` from the time `at` on."""

    at: float
    to: float = 1.0
    kind: ClassVar[str] = "step"

    def __post_init__(self) -> None:
        _check(self, times=("at",), levels=("to",))

    def area(self, times: Floats) -> Floats:
        return self.to * np.maximum(times - self.at, 0.0)

    @property
    def edges(self) -> tuple[float, ...]:
        return (self.at,)

    def __str__(self) -> str:
        return f"step of {self.to:g} from {self.at:g} on"


@dataclass(frozen=True)
class Pulse(Signal):
    """`height` for the time `width` from `at` on."""

    at: float
    width: float
    height: float = 1.0
    kind: ClassVar[str] = "pulse"

    def __post_init__(self) -> None:
        _check(self, times=("at",), positive=("width",), levels=("height",))

    def area(self, times: Floats) -> Floats:
        return self.height * np.clip(times - self.at, 0.0, self.width)

    @property
    def edges(self) -> tuple[float, ...]:
        return self.at, self.at + self.width

    def __str__(self) -> str:
        return f"pulse of {self.height:g} from {self.at:g} to {self.at + self.width:g}"


@dataclass(frozen=True)
class Train(Signal):
    """`count` pulses, which begin every `period`."""

    at: float
    width: float
    period: float
    count: int
    height: float = 1.0
    kind: ClassVar[str] = "train"

    def __post_init__(self) -> None:
        _check(self, times=("at",), positive=("width", "period"), levels=("height",))
        whole("count", self.count, most=MOST)
        if self.width > self.period:
            raise ValueError(f"the pulses of a train are {self.width:g} long, and its period {self.period:g}")

    def area(self, times: Floats) -> Floats:
        past = times - self.at
        done = np.clip(np.floor(past / self.period), 0, self.count)
        open_ = np.where(done < self.count, np.clip(past - done * self.period, 0.0, self.width), 0.0)
        return self.height * (done * self.width + open_)

    @property
    def edges(self) -> tuple[float, ...]:
        begins = self.at + self.period * np.arange(self.count)
        return tuple(np.stack([begins, begins + self.width], axis=1).reshape(-1).tolist())

    def __str__(self) -> str:
        return (
            f"{self.count} pulses of {self.height:g}, {self.width:g} long, every {self.period:g} "
            f"from {self.at:g}"
        )


@dataclass(frozen=True)
class Ramp(Signal):
    """From 0 at the time `at` evenly to `to`, over the time `over`; it stays there."""

    at: float
    over: float
    to: float = 1.0
    kind: ClassVar[str] = "ramp"

    def __post_init__(self) -> None:
        _check(self, times=("at",), positive=("over",), levels=("to",))

    def area(self, times: Floats) -> Floats:
        past = np.maximum(times - self.at, 0.0)
        rising = np.minimum(past, self.over)
        return self.to * (0.5 * rising * rising / self.over + np.maximum(past - self.over, 0.0))

    @property
    def edges(self) -> tuple[float, ...]:
        return self.at, self.at + self.over

    def __str__(self) -> str:
        return f"ramp to {self.to:g} from {self.at:g} to {self.at + self.over:g}"


@dataclass(frozen=True)
class NoiseSignal(Signal):
    """Normal numbers, another one every `every`, from the time `at` to `until`.

    A number depends on the seed, the sensor's name and its place in time, and on nothing else.
    """

    at: float
    until: float
    every: float
    spread: float = 1.0
    mean: float = 0.0
    seed: int = 0
    kind: ClassVar[str] = "noise"

    def __post_init__(self) -> None:
        _check(self, times=("at", "until"), positive=("every",), levels=("mean",))
        real("spread", self.spread, least=0.0)
        whole("seed", self.seed, 0, LARGEST)
        if self.until <= self.at:
            raise ValueError(f"a noise from {self.at:g} to {self.until:g}: expected an end behind its begin")
        if (self.until - self.at) / self.every > MOST:
            raise ValueError(f"a noise has at most {MOST} numbers: expected a longer time between them")

    def area(self, times: Floats) -> Floats:
        ends = np.append(np.arange(self.at, self.until, self.every), self.until)
        values = self.mean + self.spread * _normal(self.seed, self.sensor, len(ends) - 1)
        found: Floats = np.interp(times, ends, np.append(0.0, np.cumsum(values * np.diff(ends))))
        return found

    @property
    def edges(self) -> tuple[float, ...]:
        return self.at, self.until

    def __str__(self) -> str:
        return (
            f"noise of {self.mean:g} +- {self.spread:g}, another number every {self.every:g}, "
            f"from {self.at:g} to {self.until:g}"
        )


SIGNALS: dict[str, type[Signal]] = {kind.kind: kind for kind in (Step, Pulse, Train, Ramp, NoiseSignal)}


@lru_cache(maxsize=4)
def _normal(seed: int, sensor: str, count: int) -> Floats:
    word = word_of(sensor) ^ seed
    key = np.array([word >> 32, word & 0xFFFFFFFF], np.uint32)
    words, values = random_words(key, numbered(count)), table().astype(np.float64)
    found: Floats = sum((values[words >> (8 * k) & 255] for k in range(4)), np.zeros(count))
    return found


def _check(
    signal: Signal,
    times: tuple[str, ...] = (),
    positive: tuple[str, ...] = (),
    levels: tuple[str, ...] = (),
) -> None:
    """Keep the numbers of a signal as floats, after a look at them."""
    text("a sensor's name", signal.sensor)
    for name in times:
        object.__setattr__(signal, name, time(f"the {name} of a {signal.kind}", getattr(signal, name)))
    for name in positive:
        value = real(f"the {name} of a {signal.kind}", getattr(signal, name), above=0.0)
        object.__setattr__(signal, name, value)
    for name in levels:
        object.__setattr__(signal, name, real(f"the {name} of a {signal.kind}", getattr(signal, name)))
