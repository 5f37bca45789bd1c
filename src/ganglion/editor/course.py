"""A protocol in the course of the steps of a running network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..studies.perturbations import Perturbation
from ..studies.protocol import Protocol


class Course:
    """Step k of the network is the protocol's sample k; behind its end nothing is done.

    Attributes:
        every: the time between steps.
    """

    def __init__(self, protocol: Protocol) -> None:
        self._protocol, self.every = protocol, protocol.every
        self._times = np.cumsum(protocol.grid())
        self._known: tuple[tuple[str, ...], NDArray[np.float32]] | None = None

    def values(self, sensors: Sequence[str], steps: range) -> NDArray[np.float32]:
        """(T, I) what sensors are given at some steps; signals of sensors that are gone count nothing."""
        names = tuple(sensors)
        if self._known is None or self._known[0] != names:
            wanted = dict.fromkeys(signal.sensor for signal in self._protocol.signals)
            every = [*names, *(name for name in wanted if name not in names)]
            given = self._protocol.sample(every)[:, : len(names)]
            self._known = names, given.astype(np.float32)
        table = self._known[1]
        found: NDArray[np.float32] = np.zeros((len(steps), len(names)), np.float32)
        for row, step in enumerate(steps):
            if step < len(table):
                found[row] = table[step]
        return found

    def acting(self, step: int) -> tuple[Perturbation, ...]:
        """What perturbs the network at a step."""
        if step >= len(self._times):
            return ()
        now = self._times[step : step + 1]
        return tuple(each.perturbation for each in self._protocol.perturbations if each.at(now)[0])
