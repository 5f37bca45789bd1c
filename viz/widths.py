"""Widths of synapses, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from .style import Style
from .view import View

if TYPE_CHECKING:
    from matplotlib.artist import Artist

# In widths of the line, which is the thinnest: a synapse without effect, and one whose strength is unknown.
_DOTS: Any = (0, (1.6, 2.4))
_DASHES: Any = (0, (8, 4))


class Ranks(list[float]):
    """Strengths of synapses that say only which is better: some have names, and 0 says nothing."""

    def __init__(self, values: Iterable[float], names: Mapping[float, str]) -> None:
        super().__init__(values)
        self.names = names


@dataclass(frozen=True, eq=False)
class Widths:
    """How wide L synapses are.

    Attributes:
        points: (L,) widths.
        styles: (L,) matplotlib line styles, if not all are solid.
        entries: for a legend.
    """

    points: NDArray[np.float64]
    styles: list[Any] | None = None
    entries: list[Artist] = field(default_factory=list)


def synapse_widths(seen: View, look: Style, strength: NDArray[np.float64] | None, by: Any = None) -> Widths:
    """Alike and thinner the more synapses there are, or by strength; a strength of 0 is dotted.

    Args:
        strength: (L,), NaN where it is unknown.
        by: what the strength was taken from: a name, `Ranks` or values.
    """
    thin, thick = look.line_width
    if strength is None:
        each = np.clip(thick * (250 / max(len(seen.pre), 1)) ** 0.35, thin, thick)
        return Widths(np.full(len(seen.pre), each))
    size = np.abs(strength)
    most = float(np.nanmax(size, initial=0.0)) or 1.0
    none, unknown = size == 0, np.isnan(size)
    if not isinstance(by, Ranks) and (none | unknown).any():
        thin = min(2 * thin, thick)  # dots of the thinnest line would not be seen

    def width(value: Any) -> Any:
        return thin + (3 * thick - thin) * np.nan_to_num(value) / most

    def entry(text: str, value: float, style: Any = "-") -> Artist:
        return Line2D([], [], color=look.ink, linewidth=float(width(value)), linestyle=style, label=text)

    points: NDArray[np.float64] = width(size)
    if isinstance(by, Ranks):
        return Widths(points, None, [entry(by.names[value], value) for value in by.names if value in size])
    name = by if isinstance(by, str) else "value"
    shown = f"|{name}|" if (strength < 0).any() else name
    entries = [entry(f"{shown} {value:.3g}", value) for value in _ends(size)]
    if none.any():
        entries.append(entry(f"{shown} 0", 0.0, _DOTS))
    if unknown.any():
        entries.append(entry(f"no {name}", 0.0, _DASHES))
    styles = [
        _DOTS if dotted else _DASHES if dashed else "-"
        for dotted, dashed in zip(none.tolist(), unknown.tolist(), strict=True)
    ]
    return Widths(points, styles if len(set(styles)) > 1 or styles[:1] != ["-"] else None, entries)


def _ends(size: NDArray[np.float64]) -> list[float]:
    """The least and the largest that is not 0; one if they are alike."""
    known = size[size > 0]
    return sorted({float(known.min()), float(known.max())}) if len(known) else []
