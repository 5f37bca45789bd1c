"""Every colour of every picture, once, and what it means: for figures, notebooks, reports and the editor.

| colour | means, and nothing else |
|---|---|
| green, sand, purple, indigo | the role of a neuron, from sensory to motor |
| blue, orange, grey | an excitatory, an inhibitory, an electrical synapse, and a weight of that sign |
| wine over grey to lime | a signed value, such as a state: dark is negative, light is positive |
| viridis | a magnitude, such as a time constant: dark is small, light is large |
| crimson | what is pointed at: a path, a problem, the best epoch |
| `categories` | things that differ in kind: neurons of a plot, runs, data and prediction |

Each group is told apart under the three kinds of colour blindness and, by lightness or a dash, in greyscale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Palette:
    """Colours for one ground.

    Attributes:
        ground, ink, muted: the background; texts and outlines; what stands back.
        roles: fill of each role.
        excitatory, inhibitory, electrical: synapses.
        accent: what is pointed at.
        missing: where there is no value.
        values: colours from the most negative over zero to the most positive value, ever lighter.
        categories: colours of kinds; from the second round on, lines are dashed.
    """

    ground: str
    ink: str
    muted: str
    roles: Mapping[str, str]
    excitatory: str
    inhibitory: str
    electrical: str
    accent: str
    missing: str
    categories: tuple[str, ...]
    values: tuple[str, ...] = ("#45091B", "#8A4A52", "#A09C98", "#CDD07E", "#F6FCA8")
    magnitudes: str = "viridis"


def _roles(sensory: str, inter: str, command: str, motor: str) -> Mapping[str, str]:
    return MappingProxyType({"sensory": sensory, "inter": inter, "command": command, "motor": motor})


LIGHT = Palette(
    ground="#FFFFFF",
    ink="#1A1A1A",
    muted="#9AA0A6",
    roles=_roles("#3BA58F", "#E3D9B8", "#A8418F", "#2A2A52"),
    excitatory="#1F66AD",
    inhibitory="#D9731F",
    electrical="#5F6672",
    accent="#C2185B",
    missing="#D5D8DB",
    categories=("#2B2B2B", "#86161A", "#64850F", "#A9935F"),
)
DARK = Palette(
    ground="#000000",
    ink="#F2F2F2",
    muted="#7A8087",
    roles=_roles("#2F8F7B", "#F2E9CC", "#E29FD2", "#4E56B8"),
    excitatory="#7CBBF0",
    inhibitory="#D9702A",
    electrical="#B4BAC4",
    accent="#FF6FA3",
    missing="#3A3F45",
    categories=("#E8E8E8", "#D64545", "#A9CF4A", "#C09A4E"),
)
EITHER = Palette(
    ground="none",
    ink="currentColor",
    muted="#808080",
    roles=_roles("#2A9D7F", "#B59A4C", "#A3438F", "#5B62C4"),
    excitatory="#2F6FB3",
    inhibitory="#D9772B",
    electrical="#808080",
    accent="#D6336C",
    missing="#808080",
    categories=("#767676", "#C0504D", "#6E8F1E", "#A08A5B"),
)
"""Readable on light and on dark ground: for a notebook, whose ground is not known."""
