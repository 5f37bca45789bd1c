"""Tables that are hard on numbers, and what ``ganglion train`` must say about them, worked out without it.

The reference reads the file by the csv module and fractions, splits and scales as the page on training says,
and runs the LTC of `reference.ltc` in float64. Of Ganglion it takes the trained parameters only.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np

from ..reference.graph import Wires
from ..reference.ltc import LTC

ROWS, SHARE, REACH = 165, 0.2, 0.8  # a fifth of 165 is one window of 32 and a single sample

Rows = list[dict[str, object]]


def stamps(rng: np.random.Generator) -> Rows:
    """Seconds since 1970, irregular, as times and as an input."""
    now, rows = Fraction(1_700_000_000), []
    for _ in range(ROWS):
        now += Fraction(int(rng.integers(100, 2000)), 1000)
        a = math.sin(float(now - 1_700_000_000) / 10)
        rows.append({"t": f"{float(now):.3f}", "stamp": f"{float(now):.3f}", "a": a, "y": a * abs(a)})
    return rows


def offset(rng: np.random.Generator) -> Rows:
    """Targets that are a large number and a little."""
    noise = rng.normal(size=ROWS)
    return [{"b": noise[k], "a": math.cos(k / 5), "y": 1e8 + math.sin(k / 5)} for k in range(ROWS)]


def short(rng: np.random.Generator) -> Rows:
    """Two groups whose last window, of training and of validation, holds a sample or two."""
    rows: Rows = []
    for name, n in (("A", ROWS), ("B ", 41), ("C", 34)):
        state = 0.0
        for k in range(n):
            a, b = rng.normal(size=2)
            state = 0.7 * state + 0.3 * a
            rows.append({"who": name, "a": a, "b": b, "y": 40.0 * state * (5.0 if k == n - 1 else 1.0)})
    return rows


def counters(rng: np.random.Generator) -> Rows:
    """Whole numbers of 64 bits."""
    count, rows = 2**52, []
    for k in range(ROWS):
        step = int(rng.integers(1, 4))
        count += step
        rows.append({"n": count, "a": math.sin(k / 7), "y": 2**40 + 5 * k + step})
    return rows


TABLES: dict[str, tuple[Callable[[np.random.Generator], Rows], dict[str, str]]] = {
    "stamps of 1.7e9": (stamps, {"time": "t", "inputs": "stamp a"}),
    "targets of 1e8 and a little": (offset, {"inputs": "a b"}),
    "single-sample last windows": (short, {"group": "who", "inputs": "a b"}),
    "int64 counters": (counters, {"inputs": "n a"}),
}


def write(path: Path, rows: Rows) -> None:
    """A CSV file of a table."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@dataclass(frozen=True)
class Sequence:
    """Samples in the units of the file, relative to the first row's where a column is large."""

    x: np.ndarray
    y: np.ndarray
    spans: np.ndarray | None


@dataclass(frozen=True)
class Reference:
    """A table as the page on training describes what happens to it."""

    training: list[Sequence]
    held_out: list[Sequence]

    @classmethod
    def of(cls, path: Path, inputs: str, time: str | None = None, group: str | None = None) -> Reference:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        columns = [*inputs.split(), "y"]
        first = {name: Fraction(rows[0][name]) for name in columns}
        groups: dict[str, Rows] = {}
        for row in rows:
            groups.setdefault(row[group].strip() if group else "", []).append(row)
        training, held_out = [], []
        for part in groups.values():
            values = np.array([[float(Fraction(str(r[n])) - first[n]) for n in columns] for r in part])
            spans = None
            if time is not None:
                times = [Fraction(str(row[time])) for row in part]
                spans = np.array([math.nan, *(float(b - a) for a, b in pairwise(times))])
            at = len(part) - max(1, round(SHARE * len(part)))
            for cut, found in ((slice(0, at), training), (slice(at, None), held_out)):
                found.append(
                    Sequence(values[cut, :-1], values[cut, -1:], None if spans is None else spans[cut])
                )
        return cls(training, held_out)

    def errors(self, graph: nx.DiGraph, parameters: dict[str, np.ndarray]) -> tuple[float, float, float]:
        """The error on the held-out sequences, that of the mean, and the former in the network's unit."""
        x = np.concatenate([one.x for one in self.training])
        y = np.concatenate([one.y for one in self.training])
        low, high = y.min(), y.max()
        middle, scale = (low + high) / 2, (high - low) / 2 / REACH
        spans = [one.spans[1:] for one in self.training if one.spans is not None]
        unit = float(np.median(np.concatenate(spans))) if spans else 1.0
        network = LTC(Wires.of(graph), parameters)
        wrong, plain = [], []
        for one in self.held_out:
            steps = np.ones(len(one.x)) if one.spans is None else np.nan_to_num(one.spans, nan=unit) / unit
            said, _ = network.run(((one.x - x.mean(axis=0)) / x.std(axis=0))[None], timespans=steps[None])
            wrong.append(middle + scale * said[0] - one.y)
            plain.append(y.mean() - one.y)
        error, mean = (math.sqrt(np.mean(np.concatenate(parts) ** 2)) for parts in (wrong, plain))
        return error, mean, (error / scale) ** 2
