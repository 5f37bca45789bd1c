"""A circuit summed up by role: one block for each role, one ribbon for each pair of roles and kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from numpy.typing import NDArray

from ..wiring import ROLES
from .frame import Frame, Margins
from .key import add_legend, legend_height, polarity_lines
from .labels import points, text_width, write
from .links import Ids, Links, head_room, link
from .markers import data_scale, marker_shape
from .picture import Picture, Place
from .style import Style
from .view import View

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_THICKEST = 9.0  # points: the ribbon of most synapses


def draw_blocks(ax: Axes, seen: View, look: Style, size: tuple[float, float], legend: bool) -> Picture:
    """Roles in a row as large markers, ribbons as wide as they hold synapses, with their number.

    Excitatory ribbons bow upwards and inhibitory ones downwards, so every pair of roles can be read;
    electrical ones, which have no direction, bow upwards less. The `Place` of a neuron or synapse is the
    block or ribbon it is part of.
    """
    roles = seen.drawn_roles
    entries = polarity_lines(seen, look, 2.0) if legend else []
    counts = np.array([len(seen.of_role(role)) for role in roles])
    titles = [f"{role} · {count}" for role, count in zip(roles, counts.tolist(), strict=True)]
    text, small = points(look.text), points(look.small_text)
    largest = min(0.07 * size[0], 0.11 * size[1])
    side = max(1.4 * largest, 0.5 * max(text_width(title, text) for title in titles)) + 2
    frame = Frame(*size, Margins(side, side, 1.7 * text, legend_height(entries, size[0], small)))
    pos = np.stack([np.arange(len(roles), dtype=float), np.zeros(len(roles))], axis=1)
    unit = frame.fit(ax, pos)
    scene = _Blocks(
        roles, pos, np.maximum(largest * np.sqrt(counts / counts.max()), 0.25 * largest) * unit, unit
    )
    artists: dict[str, Artist] = {}
    synapses = _draw_ribbons(ax, seen, scene, look, artists)
    neurons: dict[str, Place] = {}
    top = ax.get_ylim()[1] - 0.2 * text * unit
    for k, role in enumerate(roles):
        block = artists[f"neurons/{role}"] = _draw_block(ax, scene, look, k)
        neurons |= {seen.names[at]: Place(block, 0) for at in seen.of_role(role).tolist()}
        write(ax, pos[k, 0], top, titles[k], look, ha="center", va="top", fontsize=text, zorder=4)
    if entries:
        artists["legend"] = add_legend(ax, entries, size[0], look)
    return Picture({"circuit": ax}, artists, neurons, synapses)


@dataclass(frozen=True, eq=False)
class _Blocks:
    """Roles as blocks: positions (R, 2) and radii (R,) in data units."""

    roles: list[str]
    pos: NDArray[np.float64]
    radius: NDArray[np.float64]
    unit: float


def _draw_block(ax: Axes, scene: _Blocks, look: Style, k: int) -> PathCollection:
    role = scene.roles[k]
    block = PathCollection(
        [marker_shape(look.markers[role])[0]],
        offsets=scene.pos[k : k + 1],
        offset_transform=ax.transData,
        facecolors=look.colors[role],
        edgecolors=look.ink,
        linewidths=0.8,
        zorder=3,
    )
    block.set_transform(data_scale(ax, scene.radius[k]))
    ax.add_collection(block, autolim=False)
    return block


def _draw_ribbons(
    ax: Axes, seen: View, scene: _Blocks, look: Style, artists: dict[str, Artist]
) -> dict[tuple[str, str], Place]:
    """One ribbon for each pair of roles and kind, with the number of its synapses."""
    counts = role_counts(seen)
    found = np.argwhere(counts)
    held = counts[tuple(found.T)]
    at = np.array([scene.roles.index(role) if role in scene.roles else -1 for role in ROLES])
    signs = np.array([1, -1, 0], np.int8)[found[:, 0]]
    pre, post = at[found[:, 1]], at[found[:, 2]]
    widths = np.maximum(_THICKEST * held / held.max(initial=1), 0.8)
    size = (4 + 1.1 * widths) * scene.unit
    drawn = _bow(scene, look, pre, post, signs, head_room(size, signs))
    colors = [look.polarity(sign) for sign in signs.tolist()]
    ribbons = LineCollection(
        list(drawn.curves), colors=colors, linewidths=widths, alpha=0.85, zorder=1, capstyle="butt"
    )
    heads = PolyCollection(list(drawn.heads(size, signs)), facecolors=colors, edgecolors="none", zorder=2)
    for key, artist in (("synapses", ribbons), ("heads", heads)):
        ax.add_collection(artist, autolim=False)
        artists[key] = artist
    texts, small = [f"{count:,}" for count in held.tolist()], points(look.small_text)
    card = {"boxstyle": "round,pad=0.2,rounding_size=0.4", "facecolor": look.ground, "edgecolor": "none"}
    options = {"ha": "center", "va": "center_baseline", "fontsize": small, "zorder": 4, "bbox": card}
    boxes = scene.unit * small * np.array([(text_width(text, 1) + 0.5, 1.6) for text in texts]).reshape(-1, 2)
    for (x, y), text in zip(_free_spots(drawn.curves, boxes, pre == post).tolist(), texts, strict=True):
        write(ax, x, y, text, look, **options)
    ribbon = np.zeros(counts.shape, dtype=int)
    ribbon[tuple(found.T)] = np.arange(len(found))
    own = ribbon[_kinds(seen)]
    return {pair: Place(ribbons, k) for pair, k in zip(seen.synapses, own.tolist(), strict=True)}


def _bow(
    scene: _Blocks, look: Style, pre: Ids, post: Ids, signs: NDArray[np.int8], room: NDArray[np.float64]
) -> Links:
    """Ribbons between neighbours bow a little, back ones a little more; those past a block go round it."""
    ahead = post - pre
    apart = np.maximum(np.abs(ahead), 1)
    # How high a ribbon rises, in units of the distance between blocks.
    rise = np.where(ahead > 0, 0.12, 0.28)
    past = 2.3 * scene.radius.max() * (1 + 0.25 * (apart - 2) + 0.15 * (ahead < 0))
    rise = np.where(apart > 1, past, rise)
    bend = np.where(signs == 0, 0.6, signs) * np.sign(ahead) * rise / apart
    reach = 1.04 * scene.radius * [marker_shape(look.markers[role])[1] for role in scene.roles]
    curves = np.empty((len(pre), 40, 2))
    tips, headings = np.empty((len(pre), 2)), np.empty((len(pre), 2))
    for sign, turn in ((1, 0.5), (-1, -0.5), (0, 0.78)):  # loops of each kind stand on a side of their own
        own = signs == sign
        angle = np.full(len(scene.roles), turn * np.pi)
        part = link(
            scene.pos, reach, pre[own], post[own], bend=bend[own], head=room[own], loop_angle=angle, points=40
        )
        curves[own], tips[own], headings[own] = part.curves, part.tips, part.headings
    return Links(curves, tips, headings)


def _free_spots(
    curves: NDArray[np.float64], boxes: NDArray[np.float64], loops: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """(R, 2) where the number of each ribbon stands: near its middle, where no other number does.

    Loops come first, since they have one place only: their far end, or beyond it if they are small.
    """
    spots, taken = np.empty((len(curves), 2)), np.empty((0, 4))
    steps = curves.shape[1]
    along = (np.array([0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74]) * steps).astype(int)
    for k in np.argsort(~loops, kind="stable").tolist():
        curve, half = curves[k], boxes[k] / 2
        choices = curve[along]
        if loops[k]:
            foot, end = (curve[0] + curve[-1]) / 2, curve[steps // 2]
            height = end[1] - foot[1]
            small = abs(height) < 4 * half[1]
            choices = end[None] + [0, np.sign(height) * half[1] if small else 0]
        found = np.concatenate([choices - half, choices + half], axis=1)
        covered = np.all((found[:, None, :2] < taken[:, 2:]) & (taken[:, :2] < found[:, None, 2:]), axis=2)
        free = int(np.argmin(np.any(covered, axis=1)))  # the first that is, or else the middle
        spots[k] = choices[free]
        taken = np.concatenate([taken, found[[free]]])
    return spots


def role_counts(seen: View) -> NDArray[np.intp]:
    """(3, 4, 4) synapses by kind (excitatory, inhibitory, electrical), role before and role behind."""
    counts = np.zeros((3, len(ROLES), len(ROLES)), dtype=np.intp)
    np.add.at(counts, _kinds(seen), 1)
    return counts


def _kinds(seen: View) -> tuple[Ids, Ids, Ids]:
    """(L,) the kind of each synapse and its two roles; those of what has no direction in their order."""
    pre, post = seen.role_ids[seen.pre], seen.role_ids[seen.post]
    swap = ~seen.chemical & (pre > post)
    kind = np.array([2, 0, 1])[seen.polarity]
    return kind, np.where(swap, post, pre), np.where(swap, pre, post)
