"""Text in pictures: how wide it is, how to shorten it, and where it does not overlap."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

from .style import Style, font_family

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text


_EVERY = 5  # the fewest rows that are named: every fifth


def points(size: str | float) -> float:
    """A matplotlib text size, named or in points, in points."""
    return FontProperties(size=size).get_size_in_points()


def text_width(text: str, size: float) -> float:
    """How wide a text is, in points."""
    return 1.05 * _relative_width(text, tuple(font_family())) * size  # outlines, plus what hinting may add


@lru_cache(maxsize=8192)
def _relative_width(text: str, family: tuple[str, ...]) -> float:
    if not text.strip():
        return 0.3 * len(text)
    path = TextPath((0, 0), text.replace("$", r"\$"), size=10, prop=FontProperties(family=list(family)))
    return float(path.get_extents().width) / 10


def shorten(name: str, size: float, room: float) -> str:
    """A name that fits into ``room`` points: cut in the middle, since names often differ at their ends."""
    if text_width(name, size) <= room:
        return name
    for kept in range(len(name) - 1, 1, -1):
        cut = f"{name[: (kept + 1) // 2]}…{name[len(name) - kept // 2 :]}"
        if text_width(cut, size) <= room:
            return cut
    return "…"


def wrap(text: str, size: float, room: float) -> str:
    """A text in lines of at most ``room`` points: whole words, and of a longer word its `shorten`ed form."""
    lines: list[str] = []
    for word in text.split():
        if lines and text_width(longer := f"{lines[-1]} {word}", size) <= room:
            lines[-1] = longer
        else:
            lines.append(shorten(word, size, room))
    return "\n".join(lines)


def short_name(name: str, role: str) -> str:
    """``3`` for the motor neuron ``motor_3``: the role is told by the picture; any other name as it is."""
    match = re.fullmatch(rf"{role}_(\d+)", name)
    return match[1] if match else name


def spread(wanted: NDArray[np.float64], apart: float, low: float, high: float) -> NDArray[np.float64]:
    """Move positions as little as needed so that neighbours are ``apart`` and all lie between ``low`` and
    ``high``.

    Positions that would overlap form a block around their mean (pool adjacent violators).
    """
    if not len(wanted):
        return wanted
    order = np.argsort(wanted, kind="stable")
    blocks: list[list[float]] = []  # sum of (wanted - offset inside the block), members
    for value in wanted[order]:
        blocks.append([float(value), 1])
        while len(blocks) > 1 and _foot(blocks[-2]) + apart * blocks[-2][1] > _foot(blocks[-1]):
            total, count = blocks.pop()
            before = blocks[-1]
            before[0] += total - apart * before[1] * count
            before[1] += count
    placed = np.concatenate([_foot(block) + apart * np.arange(block[1]) for block in blocks])
    steps = apart * np.arange(len(placed))
    placed = np.maximum(placed, low + steps)
    placed = np.minimum(placed, high - steps[::-1])
    result = np.empty(len(wanted))
    result[order] = placed
    return result


def _foot(block: list[float]) -> float:
    return block[0] / block[1]


def fitting_size(texts: Sequence[str], room: Sequence[float], size: float, smallest: float = 4.5) -> float:
    """The text size, at most ``size``, at which every text fits its room."""
    wide = max(
        (text_width(text, 1.0) / max(space, 1e-9) for text, space in zip(texts, room, strict=True)), default=0
    )
    return max(min(size, 1 / wide if wide else size), smallest)


def write(ax: Axes, x: float, y: float, text: str, look: Style, **options: Any) -> Text:
    """Put a name into a picture as it is: no mathtext, in a family that knows many scripts."""
    options = {"color": look.ink, "family": font_family(), "clip_on": False, **options}
    written = ax.text(x, y, text, parse_math=False, **options)
    written.set_in_layout(False)
    return written


def name_step(count: int, length: float, size: float) -> int:
    """Every how many of ``count`` rows along ``length`` points one can be named; 0 where too few would be."""
    step = max(1, math.ceil(1.1 * size * count / max(length, 1e-9)))
    return step if step <= _EVERY else 0


def quiet(ax: Axes, look: Style, x: str, y: str) -> None:
    """Ticks and labels in the small text, without the frame."""
    size = points(look.small_text)
    ax.tick_params(labelsize=size, length=2.5, width=0.6, color=look.ink, labelcolor=look.ink)
    ax.spines[["top", "right"]].set_visible(False)
    for spine in ax.spines.values():
        spine.set(linewidth=0.6, color=look.ink)
    if x:
        ax.set_xlabel(x, fontsize=size, color=look.ink, labelpad=2)
    if y:
        ax.set_ylabel(y, fontsize=size, color=look.ink, labelpad=3)
