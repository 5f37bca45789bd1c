"""Shapes and sizes of every picture, and its colours, which `ganglion.palette` declares.

Which of the two palettes is used follows the ground of the axes, so matplotlib style sheets such as
``dark_background`` just work; text takes its colour, family and size from matplotlib's rcParams, which
nothing here ever changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex, to_rgb, to_rgba
from matplotlib.font_manager import fontManager

from ..arguments import instance
from ..palette import DARK as ON_DARK
from ..palette import LIGHT as ON_LIGHT
from ..palette import Palette

# Scripts that matplotlib's own DejaVu lacks; those installed are appended to the family of the labels.
_FALLBACK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans",
    "WenQuanYi Micro Hei",
    "Arial Unicode MS",
    "Noto Sans Devanagari",
    "Noto Emoji",
    "Segoe UI Emoji",
    "Symbola",
)


@dataclass(frozen=True)
class Style:
    """How neurons and synapses look. Lengths are in points, text sizes are matplotlib's.

    Attributes:
        colors: fill of each role.
        markers: matplotlib marker of each role: the shape tells the role without colour.
        excitatory, inhibitory, electrical: colours of synapses.
        ink, ground, muted: text and outlines; the background; role borders, frames and what is not
            highlighted.
        accent: paths and other emphasis.
        missing: cells and ticks where activity is NaN.
        palette: colours of kinds other than roles; from the second round on, lines are dashed.
        values: colours from the most negative over zero to the most positive value, ever lighter.
        sequential: matplotlib colormap of magnitudes.
        radius: (smallest, largest) radius of a neuron.
        line_width: (thinnest, thickest) synapse; crowded circuits get thinner ones.
        curvature: how far a synapse bows, as a share of its length.
        text, small_text: sizes of headings and of labels, relative to ``font.size`` if named.
    """

    colors: Mapping[str, str]
    excitatory: str
    inhibitory: str
    electrical: str
    ink: str
    ground: str
    muted: str
    accent: str
    missing: str
    palette: tuple[str, ...]
    values: tuple[str, ...]
    sequential: str
    markers: Mapping[str, str] = field(
        default_factory=lambda: {"sensory": ">", "inter": "o", "command": "D", "motor": "s"}
    )
    radius: tuple[float, float] = (1.3, 7.0)
    line_width: tuple[float, float] = (0.3, 1.0)
    curvature: float = 0.12
    text: str | float = "small"
    small_text: str | float = "x-small"

    def polarity(self, sign: int) -> str:
        """The colour of an excitatory (+1), inhibitory (-1) or electrical (0) synapse."""
        return (self.electrical, self.excitatory, self.inhibitory)[sign]

    def diverging(self) -> Colormap:
        """From negative to positive values, ever lighter, so that greyscale keeps the sign."""
        signed = LinearSegmentedColormap.from_list("ganglion_signed", list(self.values))
        return signed.with_extremes(bad=self.missing)

    def line(self, kind: int) -> tuple[str, str]:
        """The colour and the matplotlib line style of the k-th kind: eight are told apart."""
        turn, color = divmod(kind, len(self.palette))
        return self.palette[color], ("-", "--", ":")[turn % 3]

    def fill(self, kind: int) -> str:
        """The colour of the k-th kind as an area: paler in the second round, darker in the third."""
        turn, color = divmod(kind, len(self.palette))
        plain = self.palette[color]
        return (plain, _mix(plain, self.ground, 0.6), _mix(plain, self.ink, 0.6))[turn % 3]

    def magnitudes(self) -> Colormap:
        """From small to large values."""
        return mpl.colormaps[self.sequential].with_extremes(bad=self.missing)

    def faint(self, color: str, share: float) -> str:
        """A colour moved towards the ground: share 0 leaves it, 1 gives the ground."""
        return _mix(color, self.ground, share)

    def firm(self, color: str) -> str:
        """A colour that is seen as a thin line: one near the ground moves towards the ink."""
        return _mix(color, self.ink, 0.45) if abs(lightness(color) - lightness(self.ground)) < 35 else color


def _style(palette: Palette) -> Style:
    return Style(
        colors=palette.roles,
        excitatory=palette.excitatory,
        inhibitory=palette.inhibitory,
        electrical=palette.electrical,
        ink=palette.ink,
        ground=palette.ground,
        muted=palette.muted,
        accent=palette.accent,
        missing=palette.missing,
        palette=palette.categories,
        values=palette.values,
        sequential=palette.magnitudes,
    )


LIGHT, DARK = _style(ON_LIGHT), _style(ON_DARK)

_changes: ContextVar[Mapping[str, Any] | None] = ContextVar("ganglion_style", default=None)


@contextmanager
def styled(**changes: Any) -> Iterator[None]:
    """Change fields of `Style` for every picture made inside the block; blocks nest.

    Mappings (``colors``, ``markers``) are merged, so one role may be named alone.

    Raises:
        TypeError: `Style` has no field of that name.

    Example:
        >>> with gl.viz.styled(excitatory="black", markers={"command": "*"}):
        ...     gl.viz.plot_circuit(circuit)
    """
    known = {f.name for f in fields(Style)}
    if unknown := sorted(set(changes) - known):
        raise TypeError(f"no style field {unknown[0]!r}; the fields are {', '.join(sorted(known))}")
    token = _changes.set(_merge(_changes.get() or {}, changes))
    try:
        yield
    finally:
        _changes.reset(token)


def current(ax: Axes | None = None) -> Style:
    """The style in force, for the ground of ``ax`` (or of the axes that matplotlib would make now).

    Example:
        >>> gl.viz.current().excitatory
        '#1F66AD'
    """
    if ax is not None:
        instance("ax", ax, Axes, "axes of matplotlib")
    ground = _ground(ax)
    base = DARK if lightness(ground) < 50 else LIGHT
    ink = to_hex(mpl.rcParams["text.color"])
    if abs(lightness(ink) - lightness(ground)) < 40:  # a text colour meant for another ground
        ink = base.ink
    base = replace(base, ground=to_hex(ground), ink=ink)
    changes = _changes.get() or {}
    merged = _merge({key: getattr(base, key) for key in changes}, changes)
    return replace(base, **merged)


def lightness(color: Any) -> float:
    """CIE L* of a colour, from 0 (black) to 100 (white): what greyscale leaves of it."""
    rgb = np.asarray(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ (0.2126, 0.7152, 0.0722))
    return 116 * luminance ** (1 / 3) - 16 if luminance > 0.008856 else 903.3 * luminance


def font_family() -> list[str]:
    """matplotlib's font family, then whatever is installed for scripts that it may lack."""
    return [*mpl.rcParams["font.family"], *_installed_fallbacks()]


@cache
def _installed_fallbacks() -> tuple[str, ...]:
    installed = {entry.name for entry in fontManager.ttflist}
    return tuple(name for name in _FALLBACK_FONTS if name in installed)


def _ground(ax: Axes | None) -> tuple[float, float, float]:
    """The visible background: a transparent axes shows its figure, a transparent figure shows paper."""
    faces = [mpl.rcParams["axes.facecolor"], mpl.rcParams["figure.facecolor"]]
    if ax is not None:
        faces = [ax.get_facecolor(), ax.figure.get_facecolor()]
    over = np.ones(3)
    for face in reversed(faces):
        rgba = np.asarray(to_rgba(face))
        over = rgba[3] * rgba[:3] + (1 - rgba[3]) * over
    red, green, blue = over.tolist()
    return red, green, blue


def _mix(color: str, other: str, share: float) -> str:
    red, green, blue = ((1 - share) * np.asarray(to_rgb(color)) + share * np.asarray(to_rgb(other))).tolist()
    return to_hex((red, green, blue))


def _merge(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for key, value in new.items():
        merged[key] = {**merged.get(key, {}), **value} if isinstance(value, Mapping) else value
    return merged
