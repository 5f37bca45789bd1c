"""The time scale of a cell: given, or chosen once for values that the cell began with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mlx.nn as nn

from ..arguments import MOST_UNFOLDS, whole
from .holding import ParameterHolder
from .timing import time_scale_of


class TimedHolder(ParameterHolder):
    """The part of `NCPRNNCell` that has to do with its time.

    Attributes:
        times_given: whether numbers of the class or its options are times of the data already, so that `fit`
            chooses no time scale.
        max_step: the longest time span, in the unit of the data, that is solved in one go; None for any. A
            cell with a solver has it as an option.
        awaits_unfolds: whether `fit` is to choose `ode_unfolds`, which is "auto".
    """

    times_given: bool = False
    max_step: float | None = None
    awaits_unfolds: bool = False
    ode_unfolds: int
    _time_scale: float | None = None

    def __init__(self, time_scale: float | None = None) -> None:
        super().__init__()
        self._time_scale = time_scale_of(time_scale)

    @property
    def time_scale(self) -> float | None:
        """The time of the data that counts as 1; None if nobody has chosen one, which is 1."""
        return self._time_scale

    def _option(self, name: str, default: Any) -> Any:
        return self.time_scale if name == "time_scale" else super()._option(name, default)

    @property
    def awaits_time_scale(self) -> bool:
        """Whether `fit` is to choose one: none is given, the first weights are there, and files keep it."""
        return self.time_scale is None and not self.times_given and self.fresh and self.takes("time_scale")

    def choose_time_scale(self, scale: float) -> None:
        """Let the cell have a time scale where nobody has chosen one; `fit` does that.

        Raises:
            ValueError: it has one.
        """
        if self.time_scale is not None:
            raise ValueError(f"the {type(self).__name__} has the time_scale {self.time_scale!r}")
        self._time_scale = time_scale_of(scale)
        self.keep("time_scale", self._time_scale)

    def choose_unfolds(self, unfolds: int) -> None:
        """Let the cell have a number of steps of its solver where "auto" was asked for; `fit` does that."""
        object.__setattr__(self, "ode_unfolds", whole("ode_unfolds", unfolds, most=MOST_UNFOLDS))
        self.awaits_unfolds = False
        self.keep("ode_unfolds", unfolds)

    @property
    def longest_part(self) -> float | None:
        """The longest time span that is solved in one go, in units of `time_scale`."""
        return None if self.max_step is None else self.max_step / (self.time_scale or 1.0)

    def _timing(self) -> str:
        """What its `repr` says of it."""
        scale = "" if self.time_scale is None else f", time_scale={self.time_scale!r}"
        return scale if self.max_step is None else f"{scale}, max_step={self.max_step!r}"


def usual_span(network: nn.Module) -> float | None:
    """The time that all cells of a network take for 1, of which 1 without any; None where they differ."""
    scales = {part.time_scale or 1.0 for part in network.modules() if isinstance(part, TimedHolder)} or {1.0}
    return scales.pop() if len(scales) == 1 else None


def span_without(network: nn.Module) -> float:
    """How far apart samples are that come without time spans.

    Raises:
        ValueError: layers differ in their time scales.
    """
    found = usual_span(network)
    if found is None:
        raise ValueError("the layers have different time scales: give the time span of every sample")
    return found


@contextmanager
def in_own_time(network: nn.Module) -> Iterator[None]:
    """Let cells take time spans as they are and whole, for who divides them."""
    cells = [part for part in network.modules() if isinstance(part, TimedHolder)]
    before = [(cell._time_scale, cell.max_step) for cell in cells]
    try:
        for cell in cells:
            cell._time_scale = None
            object.__setattr__(cell, "max_step", None)  # which nobody may set
        yield
    finally:
        for cell, (scale, step) in zip(cells, before, strict=True):
            cell._time_scale = scale
            object.__setattr__(cell, "max_step", step)
