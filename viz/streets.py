"""The gaps of columns, through which synapses pass layers that they skip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .links import Points

AIR = 1.25  # distance of a way from a foreign neuron, in reaches of its marker
_TRACK = 0.45  # between ways through one gap, in reaches
FINE = 160  # points of a way
_SHIFTS = (0.0, 3.0, -3.0, 7.0, -7.0)  # of the straight line that a way follows, in reaches


def lengths(curves: Points) -> Points:
    """(L, P) how far along its curve each point (L, P, 2) is."""
    steps = np.linalg.norm(np.diff(curves, axis=1), axis=2)
    return np.concatenate([np.zeros((len(curves), 1)), np.cumsum(steps, axis=1)], axis=1)


def resampled(way: Points) -> Points:
    """The same way by FINE points, alike far apart."""
    along = lengths(way[None])[0]
    places = np.linspace(0, along[-1], FINE)
    return np.stack([np.interp(places, along, way[:, axis]) for axis in (0, 1)], axis=1)


@dataclass(frozen=True, eq=False)
class Streets:
    """The columns of a drawing in layers, and who has passed through their gaps.

    Attributes:
        basis: (2, 2) rows: along the flow, and across it.
        columns: for each column from the first: where it stands along the flow, how far its markers reach,
            and where its neurons stand across it, in ascending order.
    """

    basis: Points
    columns: list[tuple[float, float, Points]]
    used: Counter[tuple[int, int]]

    @classmethod
    def of(cls, pos: Points, reach: Points, flow: Points) -> Streets:
        """The columns: neurons at one place along the flow."""
        basis = np.array([flow, [-flow[1], flow[0]]])
        u, v = (pos @ basis.T).T
        order = np.argsort(u, kind="stable")
        apart = np.flatnonzero(np.diff(u[order]) > 0.25 * reach.max(initial=0.0)) + 1
        columns = [
            (float(u[part].mean()), float(reach[part].max()), np.sort(v[part]))
            for part in np.split(order, apart)
        ]
        return cls(basis, columns, Counter())

    def ways(self, start: Points, end: Points) -> Iterator[Points]:
        """Ways between two neurons through gaps of the columns between them, if there are any: the shortest,
        and some to both sides of it. Of two in one column, ways out to a side of it and back.
        """
        (u0, v0), (u1, v1) = self.basis @ start, self.basis @ end
        if abs(u1 - u0) < 0.25 * max(wide for _, wide, _ in self.columns):
            yield from self._beside(start, end)
            return
        ahead = 1.0 if u1 > u0 else -1.0
        between = [
            k for k, (u, wide, _) in enumerate(self.columns) if min(u0, u1) + wide < u < max(u0, u1) - wide
        ]
        if not between:
            return
        between = between[:: int(ahead)]
        ends = ((u0, np.array([v0]), np.zeros(1)), (u1, np.array([v1]), np.zeros(1)))
        for shift in _SHIFTS:
            stops, gaps = [ends[0]], []
            for k in between:
                u, wide, _ = self.columns[k]
                wish = v0 + (v1 - v0) * (u - u0) / (u1 - u0) + shift * wide
                places, own = self._gaps(k, wish)
                gaps.append(own)
                # A gap that many take is as far as one that nobody takes and that lies a little off.
                price = np.array([0.3 * wide * self.used[k, gap] for gap in own])
                stops.append((u, places, price + 2 * bool(shift) * np.abs(places - wish)))
            chosen = _shortest([*stops, ends[1]])
            ports = [(u0, v0)]
            for k, (u, places, _), own, at in zip(between, stops[1:], gaps, chosen, strict=True):
                wide = 0.9 * self.columns[k][1]
                ports += [(u - ahead * wide, places[at]), (u + ahead * wide, places[at])]
                self.used[k, own[at]] += not shift
            ports.append((u1, v1))
            if (ahead * np.diff([u for u, _ in ports]) > 0).all():  # else columns stand too close
                yield resampled(np.concatenate([*_smooth(ports)])) @ self.basis

    def _beside(self, start: Points, end: Points) -> Iterator[Points]:
        t = np.linspace(0, 1, FINE)[:, None]
        u = self.basis[0] @ start
        others = [abs(other - u) for other, _, _ in self.columns if abs(other - u) > 1e-9]
        room = min(others, default=4 * self.columns[0][1])
        for share in (0.3, 0.45, 0.6, 0.8):
            for side in (1.0, -1.0):
                out = side * share * room / 0.75 * self.basis[0]
                yield start + 3 * t * (1 - t) * out + (3 * t**2 - 2 * t**3) * (end - start)

    def _gaps(self, column: int, wish: float) -> tuple[Points, list[int]]:
        """Where a way may pass a column, one place for each gap that is wide enough: nearest to the wish."""
        _, wide, v = self.columns[column]
        air, outer = AIR * wide, np.array([np.inf])
        low, high = np.concatenate([-outer, v]) + air, np.concatenate([v, outer]) - air
        narrow = low > high  # the middle, where a line still fits
        fits = np.flatnonzero((high - low) > 2 * (wide - air))
        low, high = np.where(narrow, (low + high) / 2, low), np.where(narrow, (low + high) / 2, high)
        track = [self.used[column, gap] for gap in fits.tolist()]
        aside = np.array([_TRACK * wide * ((n + 1) // 2) * (-1 if n % 2 else 1) for n in track])
        return np.clip(np.clip(wish, low[fits], high[fits]) + aside, low[fits], high[fits]), fits.tolist()


def _shortest(stops: list[tuple[float, Points, Points]]) -> list[int]:
    """The places between the first and the last, so that the way is shortest (dynamic programming)."""
    total, back = stops[0][2], []
    for (u, here, _), (w, there, price) in pairwise(stops):
        step = np.hypot(w - u, there[:, None] - here[None]) + total
        back.append(step.argmin(axis=1))
        total = step.min(axis=1) + price
    chosen, at = [], 0
    for came in reversed(back[1:]):
        at = int(came[at])
        chosen.append(at)
    return chosen[::-1]


def _smooth(ports: list[tuple[float, float]]) -> Iterator[Points]:
    """Curves from port to port that leave and arrive along the flow."""
    t = np.linspace(0, 1, FINE // max(len(ports) - 1, 1) + 2)[:, None]
    for (u, v), (w, x) in pairwise(ports):
        middle = (u + w) / 2
        a, b, c, d = (np.array(corner) for corner in ((u, v), (middle, v), (middle, x), (w, x)))
        yield (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
