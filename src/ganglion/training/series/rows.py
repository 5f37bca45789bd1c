"""The rows of a table, as they come in and as they are afterwards."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rows:
    """The rows of a CSV file, or of one group in it, in the order of the file.

    Attributes:
        values: (T, K) float64, the numbers of the columns asked for; NaN where one is missing.
        times: (T,) float64 seconds or whatever unit the file has; None without a time column.
        spans: (T,) float64 time since the row before, exact also where the times are nanoseconds since 1970;
            NaN for the first one; None without a time column.
        stamps: the times as the file writes them; empty without a time column.
        lines: (T,) the line of each row in the file.
        group: the text in the group column; None without one.
    """

    values: NDArray[np.float64]
    times: NDArray[np.float64] | None
    spans: NDArray[np.float64] | None
    stamps: tuple[str, ...]
    lines: NDArray[np.int64]
    group: str | None


@dataclass
class Draft:
    """The rows of one group while they come in."""

    values: array[float] = field(default_factory=lambda: array("d"))
    times: array[float] = field(default_factory=lambda: array("d"))
    spans: array[float] = field(default_factory=lambda: array("d"))
    last: Decimal | None = None
    stamps: list[str] = field(default_factory=list)
    lines: array[int] = field(default_factory=lambda: array("q"))
    sums: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def add(self, numbers: list[float], line: int, ties: str | None) -> None:
        """Add a row, or one of the same time as the row before, with which it becomes one sample."""
        there = [not math.isnan(number) for number in numbers]
        if ties is None:
            self.values.extend(numbers)
            self.lines.append(line)
            self.sums = [n if known else 0.0 for n, known in zip(numbers, there, strict=True)]
            self.counts = [int(known) for known in there]
            return
        self.lines[-1] = line
        for k, (number, known) in enumerate(zip(numbers, there, strict=True)):
            if known:
                self.sums[k], self.counts[k] = self.sums[k] + number, self.counts[k] + 1
                merged = self.sums[k] / self.counts[k] if ties == "mean" else number
                self.values[len(self.values) - len(numbers) + k] = merged

    def rows(self, group: str | None, columns: int, descending: bool) -> Rows:
        values, lines = np.array(self.values).reshape(len(self.lines), columns), np.array(self.lines)
        times, spans = (np.array(a) if a else None for a in (self.times, self.spans))
        stamps = tuple(self.stamps)
        if descending:
            values, lines, stamps = values[::-1], lines[::-1], stamps[::-1]
            times = None if times is None else times[::-1]
            spans = None if spans is None else np.concatenate([spans[:1], spans[:0:-1]])
        return Rows(values, times, spans, stamps, lines, group)
