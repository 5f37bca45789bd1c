"""The geometry of synapses: curves, arrowheads and bars as arrays, for all synapses at once.

Every length is in the units of the positions. A curve runs from the border of one neuron to the border of
another; L synapses give (L, P, 2) points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]
Ids = NDArray[np.intp]
LOOP_APART, LOOP_SIZE = 1.25, 0.72  # centre and radius of a loop, in radii of its neuron
LOOP_REACH = 1.08 * (LOOP_APART + LOOP_SIZE)  # how far a loop stands out from the middle of its neuron
_BAR = 0.36  # how thick a bar is, relative to the length of an arrowhead


@dataclass(frozen=True, eq=False)
class Links:
    """Synapses as drawn.

    Attributes:
        curves: (L, P, 2) from the neuron before to the foot of the head.
        tips: (L, 2) where each synapse touches the neuron behind it.
        headings: (L, 2) unit vectors along the synapse at its tip.
    """

    curves: Points
    tips: Points
    headings: Points

    def heads(self, size: ArrayLike, signs: NDArray[np.int8]) -> Points:
        """(L, 4, 2) arrowheads, ``size`` long, where ``signs`` (L,) is positive, bars where negative."""
        along = self.headings * np.broadcast_to(size, len(self.tips))[:, None]
        across = _left(along)
        barb, notch, half = 0.44 * across, 0.82 * along, 0.5 * across
        foot, thick = self.tips - along, self.tips - _BAR * along
        arrows = np.stack([self.tips, foot + barb, self.tips - notch, foot - barb], axis=1)
        bars = np.stack([self.tips + half, self.tips - half, thick - half, thick + half], axis=1)
        none = np.repeat(self.tips[:, None], 4, axis=1)
        return np.where((signs > 0)[:, None, None], arrows, np.where((signs < 0)[:, None, None], bars, none))


def head_room(size: ArrayLike, signs: NDArray[np.int8]) -> Points:
    """(L,) how far in front of the tip a curve ends, so that it meets its head without a gap."""
    return np.asarray(size) * np.where(signs > 0, 0.75, 0.5 * _BAR * (signs < 0))


def resistors(curves: Points, length: float, share: float = 0.5, teeth: int = 4) -> Points:
    """Curves (L, P, 2) with a zigzag, ``length`` long where there is room, at a share of their way.

    P is at least 2 ``teeth`` + 3, so that there are points for it.
    """
    drawn = np.empty_like(curves)
    zigzag = 2 * teeth + 1
    before = (curves.shape[1] - zigzag) // 2
    aside = np.zeros((zigzag, 1))
    aside[1::2, 0] = np.where(np.arange(teeth) % 2, -0.2, 0.2)
    for k, curve in enumerate(curves):
        along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
        room = min(length, 0.5 * along[-1], 2 * min(share, 1 - share) * along[-1])
        start, stop = share * along[-1] + np.array([-0.5, 0.5]) * room
        lead = np.linspace(0, start, before, endpoint=False)
        tail = np.linspace(stop, along[-1], curves.shape[1] - before - zigzag + 1)[1:]
        at = np.concatenate([lead, [start, stop], tail])
        found = np.stack([np.interp(at, along, curve[:, axis]) for axis in (0, 1)], axis=1)
        first, last = found[before : before + 2]
        line = first + np.linspace(0, 1, zigzag)[:, None] * (last - first)
        drawn[k] = np.concatenate([found[:before], line + aside * _left(last - first), found[before + 2 :]])
    return drawn


def link(
    pos: Points,
    radius: Points,
    pre: Ids,
    post: Ids,
    *,
    bend: Points,
    head: ArrayLike,
    flow: Points | None = None,
    loop_angle: Points | None = None,
    points: int = 20,
) -> Links:
    """Curves between neurons at ``pos`` (K, 2) with ``radius`` (K,).

    A curve bows to its left, so the two synapses of a reciprocal pair part; a synapse of a neuron with itself
    is a loop.

    Args:
        bend: (L,) how far the curve bows, as a share of its length; where it is 0 the curve follows ``flow``.
        head: (L,) or one number: room for the head in front of the neuron behind the synapse.
        flow: (2,) unit vector along which unbent curves leave and arrive; they are straight without it.
        loop_angle: (K,) the direction of loops; upwards if not given.
        points: points per curve.
    """
    curves = np.empty((len(pre), points, 2))
    tips, headings = np.empty((len(pre), 2)), np.empty((len(pre), 2))
    loops = pre == post
    angle = np.full(len(pos), np.pi / 2) if loop_angle is None else loop_angle
    heads = np.broadcast_to(np.asarray(head, dtype=float), len(pre))
    handles = _handles(pos[post[~loops]] - pos[pre[~loops]], bend[~loops], flow)
    for chosen, found in (
        (~loops, _bows(pos, radius, pre[~loops], post[~loops], handles, heads[~loops], points)),
        (loops, _loops(pos[pre[loops]], radius[pre[loops]], angle[pre[loops]], heads[loops], points)),
    ):
        curves[chosen], tips[chosen], headings[chosen] = found
    return Links(curves, tips, headings)


def _handles(chord: Points, bend: Points, flow: Points | None) -> tuple[Points, Points]:
    """How the curve leaves and how it arrives: the control points relative to its two ends."""
    bow = _left(chord) * bend[:, None] * 4 / 3
    leave, arrive = chord / 3 + bow, chord / 3 - bow
    if flow is not None:
        ahead = (chord @ flow)[:, None] * flow
        unbent = (bend == 0)[:, None]
        easy = 0.45 * ahead + 0.18 * (chord - ahead)
        leave, arrive = np.where(unbent, easy, leave), np.where(unbent, easy, arrive)
    return leave, arrive


def _bows(
    pos: Points,
    radius: Points,
    pre: Ids,
    post: Ids,
    handles: tuple[Points, Points],
    head: Points,
    points: int,
) -> tuple[Points, Points, Points]:
    """Cubic Bezier curves, cut where they leave and enter the neurons."""
    start, end = pos[pre], pos[post]
    curve = (start, start + handles[0], end - handles[1], end)
    apart = np.linalg.norm(end - start, axis=1)
    # Neurons may touch, or lie on each other: a curve never turns round to make room.
    near, far = np.minimum(radius[pre], 0.4 * apart), np.minimum(radius[post], 0.4 * apart)
    room = np.minimum(head, 0.6 * np.maximum(apart - near - far, 0.15 * apart))
    first = 1 - _cut(curve[::-1], near)
    tip, foot = _cut(curve, far), _cut(curve, far + room)
    t = first[:, None] + (np.maximum(foot, first) - first)[:, None] * np.linspace(0, 1, points)
    curves = _bezier(curve, t)
    tips = _bezier(curve, tip[:, None])[:, 0]
    return curves, tips, _unit(tips - curves[:, -1])


def _cut(curve: tuple[Points, ...], distance: Points) -> Points:
    """The parameter at which a curve comes as near to its end as ``distance``, by fixed-point iteration."""
    end = curve[-1]
    left = np.minimum(distance / np.maximum(3 * np.linalg.norm(end - curve[-2], axis=1), 1e-12), 1.0)
    for _ in range(6):
        here = _bezier(curve, 1 - left[:, None])[:, 0]
        left = np.clip(left * distance / np.maximum(np.linalg.norm(here - end, axis=1), 1e-12), 0, 1)
    cut: Points = 1 - left
    return cut


def _loops(
    centre: Points, radius: Points, angle: Points, head: Points, points: int
) -> tuple[Points, Points, Points]:
    """Arcs of a circle that stands on the border of the neuron, run through clockwise."""
    size, apart = LOOP_SIZE * radius, LOOP_APART * radius
    # Half the opening, seen from the loop, at which loop and neuron meet (law of cosines).
    opening = np.arccos(np.clip((apart**2 + size**2 - radius**2) / (2 * apart * size), -1, 1))
    middle = centre + apart[:, None] * _direction(angle)
    begin, stop = angle + np.pi - opening, angle - np.pi + opening
    foot = stop + np.minimum(head / size, 1.4)
    t = begin[:, None] + (foot - begin)[:, None] * np.linspace(0, 1, points)
    curves = middle[:, None] + size[:, None, None] * _direction(t)
    tips = middle + size[:, None] * _direction(stop)
    return curves, tips, _unit(tips - curves[:, -1])


def _bezier(curve: tuple[Points, ...], t: Points) -> Points:
    """(L, P, 2) points of cubic curves at parameters (L, P)."""
    t = t[..., None]
    a, b, c, d = (corner[:, None] for corner in curve)
    return (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d


def _left(vectors: Points) -> Points:
    return np.stack([-vectors[..., 1], vectors[..., 0]], axis=-1)


def _direction(angle: Points) -> Points:
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _unit(vectors: Points) -> Points:
    unit: Points = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return unit
