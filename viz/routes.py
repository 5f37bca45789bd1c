"""Ways for synapses around neurons that they have nothing to do with.

A line that runs behind a foreign neuron reads as two synapses that do not exist. Only synapses that would are
led elsewhere: between layers through the gaps of the columns on their way, each gap a waypoint (as the dummy
nodes of Sugiyama, Tagawa and Toda, 1981), else by another bow, else around one neuron after the other. Of the
ways that are free, the one that crosses fewest other synapses is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .links import Ids, Links, Points
from .streets import AIR, FINE, Streets, lengths, resampled

POINTS = 48  # of a curve that is led around neurons
FEW = 400  # synapses, up to which crossings are counted to choose a way
MANY = 600  # that run behind neurons: where so many do, no line can be followed anyway
_NEAR = 6  # neurons that are looked at around a piece of a curve
_TRIES = 8  # times that one synapse is pushed further
_TURNS = (0.25, -0.25, 0.5, -0.5, 0.75, -0.75, 1.0)  # of a loop, in half circles
_BOWS = (1.0, -1.0, 1.8, -1.8, 2.6, -2.6, 3.5, -3.5)  # tried in turn, in bows of a plain curve
_COARSE = slice(None, None, 4)  # enough points to count crossings


def touched(curves: Points, pos: Points, reach: Points, pre: Ids, post: Ids) -> Ids:
    """(M, 2) pairs of a curve and a foreign neuron whose marker, a circle of its reach, the curve enters.

    Args:
        curves: (L, P, 2), drawn as straight lines between their points.
        pos, reach: (K, 2) and (K,), of the neurons.
        pre, post: (L,) the neurons that each curve connects.
    """
    from scipy.spatial import cKDTree  # late: half of the time to import this room

    starts, steps = curves[:, :-1].reshape(-1, 2), np.diff(curves, axis=1).reshape(-1, 2)
    owner = np.repeat(np.arange(len(curves)), curves.shape[1] - 1)
    length = np.linalg.norm(steps, axis=1)
    bound = float(length.max(initial=0.0)) / 2 + float(reach.max(initial=0.0))
    near = min(_NEAR, len(pos))
    found = cKDTree(pos).query(starts + steps / 2, near, distance_upper_bound=bound)[1].reshape(-1, near)
    piece, at = np.nonzero(found < len(pos))  # the others are too far away
    neuron = found[piece, at]
    foreign = (neuron != pre[owner[piece]]) & (neuron != post[owner[piece]])
    piece, neuron = piece[foreign], neuron[foreign]
    away = pos[neuron] - starts[piece]
    along = (away * steps[piece]).sum(axis=1) / np.maximum(length[piece] ** 2, 1e-300)
    away -= np.clip(along, 0, 1)[:, None] * steps[piece]
    inside = np.linalg.norm(away, axis=1) < reach[neuron] * (1 - 1e-9)
    return np.unique(np.stack([owner[piece[inside]], neuron[inside]], axis=1), axis=0)


def smooth(corners: Points) -> Points:
    """A smooth line through corners (Catmull and Rom, 1974)."""
    padded = np.concatenate([2 * corners[:1] - corners[1:2], corners, 2 * corners[-1:] - corners[-2:-1]])
    t = np.linspace(0, 1, FINE // (len(corners) - 1) + 2)[:, None]
    parts = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False)
    ]
    return resampled(np.concatenate(parts))


def clipped(ways: Points, start: Points, end: Points, head: Points) -> Links:
    """Ways (L, P, 2) between the middles of neurons as curves from border to border.

    Args:
        start, end: (L,) how far the markers at both ends reach.
        head: (L,) room for heads.
    """
    along = lengths(ways)
    whole = along[:, -1]
    first, tip = _leaves(ways, start), whole - _leaves(ways[:, ::-1], end)
    tip = np.maximum(tip, first)
    foot = np.maximum(whole - _leaves(ways[:, ::-1], end + head), first)
    places = np.column_stack([first[:, None] + (foot - first)[:, None] * np.linspace(0, 1, POINTS), tip])
    drawn = np.empty((*places.shape, 2))
    for k, (way, own) in enumerate(zip(ways, along, strict=True)):
        for axis in (0, 1):
            drawn[k, :, axis] = np.interp(places[k], own, way[:, axis])
    ahead = np.where((tip > foot)[:, None], drawn[:, -1] - drawn[:, -2], ways[:, -1] - drawn[:, -1])
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-12)
    return Links(drawn[:, :-1], drawn[:, -1], ahead)


def _leaves(ways: Points, radius: Points) -> Points:
    """(L,) how far along each way it is when it leaves a circle around its start."""
    apart, along = np.linalg.norm(ways - ways[:, :1], axis=2), lengths(ways)
    out = (apart > radius[:, None]).argmax(axis=1)
    row = np.arange(len(ways))
    before = np.maximum(out - 1, 0)
    share = (radius - apart[row, before]) / np.maximum(apart[row, out] - apart[row, before], 1e-300)
    left = along[row, before] + share * (along[row, out] - along[row, before])
    return np.where(out > 0, left, 0.5 * along[:, -1])  # else neurons lie on each other


def crossed(curves: Points, others: Points) -> Ids:
    """(L,) how often each curve crosses the others, all as straight lines between their points."""
    a, b = others[:, :-1].reshape(-1, 2), others[:, 1:].reshape(-1, 2)
    count = np.zeros(len(curves), dtype=np.intp)
    for k, curve in enumerate(curves):
        p, q = curve[:-1, None], curve[1:, None]
        there = (_side(a, b, p) * _side(a, b, q) < 0) & (_side(p, q, a) * _side(p, q, b) < 0)
        count[k] = there.sum()
    return count


def _side(a: Points, b: Points, c: Points) -> Points:
    turn: Points = (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (
        c[..., 0] - a[..., 0]
    )
    return turn


Plain = Callable[[Points, Points, Ids], Links]
"""(bends, angles of loops, which synapses) -> their curves of POINTS points, without detours."""


@dataclass(frozen=True, eq=False)
class Router:
    """Synapses between neurons, and what it takes to lead them around others.

    Attributes:
        pos, reach: (K, 2) and (K,), of the neurons and the circles around their markers.
        pre, post: (L,) the neurons of each synapse.
        ends: (K,) how far from the middle of a neuron curves end.
        head: (L,) room for heads.
    """

    pos: Points
    reach: Points
    pre: Ids
    post: Ids
    ends: Points
    head: Points

    def lead(
        self, plain: Plain, bend: Points, angle: Points, flow: Points | None, bow: float
    ) -> Links | None:
        """All curves, with those that would run behind foreign neurons led around; None if none would, or
        more than MANY.

        Args:
            bend, angle: (L,) and (K,), as `plain` takes them.
            flow: the direction from layer to layer, if there are layers.
            bow: the bend of a plain curve.
        """
        every = np.arange(len(self.pre))
        links = plain(bend, angle, every)
        wrong = self._wrong(links, every)
        if not 0 < len(wrong) <= MANY:
            return None
        streets = None if flow is None else Streets.of(self.pos, self.reach, flow)
        side = np.where(bend == 0, 1, np.sign(bend))
        bows = [(side * share * bow, angle) for share in _BOWS]
        turned = [(bend, angle + turn * np.pi) for turn in _TURNS]
        if len(every) > FEW:
            for options in bows:
                if len(wrong):
                    wrong = self._take(links, plain(*options, wrong), wrong)
        span = np.linalg.norm(self.pos[self.post[wrong]] - self.pos[self.pre[wrong]], axis=1)
        ordered = wrong[np.argsort(span, kind="stable")]  # short ones first, which have less choice
        rounds = [self._ways(int(k), streets) for k in ordered]
        if len(every) > FEW:
            self._first(links, ordered, rounds)
            return links
        for k, ways in zip(ordered.tolist(), rounds, strict=True):
            some = turned if self.pre[k] == self.post[k] else bows
            found = [plain(*options, np.array([k])) for options in some]
            found += [self._clipped(way[None], np.array([k])) for way in ways]
            if not self._best(links, k, found) and self.pre[k] != self.post[k]:
                self._best(links, k, [self._clipped(way[None], np.array([k])) for way in self._around(k)])
        return links

    def _wrong(self, links: Links, chosen: Ids) -> Ids:
        """Those of some synapses, whose curves are given, that enter a foreign neuron."""
        return chosen[~self._right(links, chosen)]

    def _right(self, links: Links, chosen: Ids) -> NDArray[np.bool_]:
        whole = np.concatenate([links.curves, links.tips[:, None]], axis=1)
        hit = touched(whole, self.pos, self.reach, self.pre[chosen], self.post[chosen])[:, 0]
        return ~np.isin(np.arange(len(chosen)), hit)

    def _take(self, links: Links, found: Links, chosen: Ids) -> Ids:
        """Keep what is right of other curves of some synapses, and return those that are still wrong."""
        right = self._right(found, chosen)
        _put(links, chosen[right], found, right)
        return chosen[~right]

    def _best(self, links: Links, k: int, choices: list[Links]) -> bool:
        """Give a synapse the curve, of those that are right, that crosses fewest others, if there is one."""
        if not choices:
            return False
        found = Links(*(np.concatenate(part) for part in zip(*map(_parts, choices), strict=True)))
        right = np.flatnonzero(self._right(found, np.full(len(found.tips), k)))
        if not len(right):
            return False
        others = np.delete(links.curves, k, axis=0)[:, _COARSE]
        cost = crossed(found.curves[right][:, _COARSE], others) + 0.5 * _winding(found.curves[right])
        cost += 100 * self._outside(found.curves[right])  # where headings stand
        _put(links, np.array([k]), found, right[[cost.argmin()]])
        return True

    def _outside(self, curves: Points) -> Points:
        """(L,) how far each curve leaves the box around all neurons and their loops, in its heights."""
        low, high = self.pos.min(axis=0), self.pos.max(axis=0)
        room, beyond = 2 * self.reach.max(), np.maximum(low - curves, curves - high).max(axis=(1, 2))
        far: Points = np.maximum(beyond - room, 0) / max(float((high - low).max()), 1e-12)
        return far

    def _first(self, links: Links, wrong: Ids, ways: list[list[Points]]) -> None:
        """Give each synapse the first of its ways that is right, many at a time."""
        for turn in range(max(map(len, ways), default=0)):
            some = np.array([k for k, own in enumerate(ways) if turn < len(own)], dtype=np.intp)
            if not len(some):
                return
            found = self._clipped(np.array([ways[k][turn] for k in some]), wrong[some])
            left = set(self._take(links, found, wrong[some]).tolist())
            done = {int(k) for k in some if wrong[k] not in left}
            ways = [[] if k in done else own for k, own in enumerate(ways)]

    def _clipped(self, ways: Points, chosen: Ids) -> Links:
        start, end = self.ends[self.pre[chosen]], self.ends[self.post[chosen]]
        return clipped(ways, start, end, self.head[chosen])

    def _ways(self, k: int, streets: Streets | None) -> list[Points]:
        """Ways through the gaps of columns, or beside one, if there are columns."""
        if streets is None or self.pre[k] == self.post[k]:
            return []
        return list(streets.ways(self.pos[self.pre[k]], self.pos[self.post[k]]))

    def _around(self, k: int) -> Iterable[Points]:
        """Ways that are pushed out of one neuron after the other.

        To the side on which the chord passes each of them, or all to one side.
        """
        start, end = self.pos[self.pre[k]], self.pos[self.post[k]]
        chord = end - start
        normal = np.array([-chord[1], chord[0]]) / max(float(np.linalg.norm(chord)), 1e-12)
        nearer = np.where((self.pos - start) @ normal > 0, -1.0, 1.0)
        for sides in (nearer, np.ones(len(self.pos)), -np.ones(len(self.pos))):
            corners: dict[int, Points] = {}
            for turn in range(_TRIES):
                order = sorted(corners, key=lambda n: float((self.pos[n] - start) @ chord))
                way = smooth(np.array([start, *(corners[n] for n in order), end]))
                hit = touched(way[None], self.pos, self.reach, self.pre[[k]], self.post[[k]])[:, 1]
                if not len(hit):
                    yield way
                    break
                away = (AIR + 0.2 + 0.25 * turn) * (self.reach * sides)[:, None] * normal
                corners |= {n: self.pos[n] + away[n] for n in hit.tolist()}


def _parts(links: Links) -> tuple[Points, Points, Points]:
    return links.curves, links.tips, links.headings


def _put(links: Links, where: Ids, found: Links, chosen: Any) -> None:
    for mine, theirs in zip(_parts(links), _parts(found), strict=True):
        mine[where] = theirs[chosen]


def _winding(curves: Points) -> Points:
    """(L,) how much longer curves are than the straight line between their ends."""
    straight = np.linalg.norm(curves[:, -1] - curves[:, 0], axis=1)
    ratio: Points = lengths(curves)[:, -1] / np.maximum(straight, 1e-12) - 1
    return np.minimum(ratio, 4.0)
