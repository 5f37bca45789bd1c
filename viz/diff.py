"""`plot_diff`: what an edit changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import networkx as nx
import numpy as np
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgba_array
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse

from ..arguments import flag, one_of
from ..errors import LayoutError
from ..wiring.digest import ELECTRICAL
from .captions import add_headings, add_names, outer_names, wanted_names
from .key import POLARITIES, SynapseKey, add_legend
from .layout import DIRECTIONS
from .neurons import draw_neurons
from .picture import Picture, axes_or_new, clear_canvas
from .scene import Pos, arrange
from .style import Style, current
from .synapses import DASHES, draw_synapses
from .view import View, view

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_CHANGES = ("unchanged", "removed", "added", "changed")  # the later ones are drawn last
_THICK = {"unchanged": 0.5, "removed": 1.0, "added": 1.7, "changed": 1.7}  # relative to a thick synapse
_FAINT = 0.35  # opacity of synapses without change
_HOLLOW: Any = (0, (2, 1.5))  # border of a removed neuron


@dataclass(frozen=True, eq=False, repr=False)
class DiffPicture(Picture):
    """A `Picture` of an edit.

    Attributes:
        neuron_changes: name -> ``unchanged``, ``removed``, ``added`` or ``changed`` (another role).
        synapse_changes: (name before, name behind) -> the same; ``changed`` means another polarity or kind.
    """

    neuron_changes: Mapping[str, str] = field(default_factory=dict)
    synapse_changes: Mapping[tuple[str, str], str] = field(default_factory=dict)


def plot_diff(
    before: Any,
    after: Any,
    *,
    pos: Pos = "layered",
    ax: Axes | None = None,
    direction: str = "right",
    legend: bool = True,
) -> DiffPicture:
    """Draw what turns one circuit into another; neurons are the same if their names are.

    What is new stands out in the colours of its polarity, what is gone is dashed, what changed its role or
    its polarity has the accent colour, and all else is faint.

    Args:
        before, after: DiGraphs, Plans or compiled circuits.
        pos: as in `plot_circuit`, for the neurons of both.
        ax: the axes to draw on; a new figure if not given.
        direction: ``"right"`` or ``"down"``.
        legend: whether to say how many neurons and synapses changed.

    Example:
        >>> edited = circuit.copy()
        >>> edited.flip("command_0", "motor_0")
        >>> gl.viz.plot_diff(circuit, edited).synapse_changes["command_0", "motor_0"]
        'changed'
    """
    old, new = view(before), view(after)
    flag("legend", legend)
    one_of("direction", direction, DIRECTIONS, LayoutError)
    neurons = _compare(
        dict(zip(old.names, old.roles, strict=True)), dict(zip(new.names, new.roles, strict=True))
    )
    was, now = _kinds(old), _kinds(new)
    for pair in [pair for pair, (sign, _) in was.items() if not sign and pair not in now]:
        if (turned := pair[::-1]) in now:  # an electrical synapse has no direction
            was[turned] = was.pop(pair)
    synapses = _compare(was, now)
    both = view(_union(old, new, was | now))
    axes = axes_or_new(ax)
    look = current(axes)
    size = clear_canvas(axes)
    entries = _entries(both, neurons, synapses, look) if legend else []
    texts = wanted_names(both, None)
    scene = arrange(axes, both, look, size, pos, direction, outer_names(texts), entries)
    artists: dict[str, Artist] = {}
    places = _draw_synapses(axes, both, scene, look, [synapses[pair] for pair in both.synapses], artists)
    colors = to_rgba_array([look.colors[role] for role in both.roles])
    kinds = [neurons[name] for name in both.names]
    bright = np.array([kind in ("added", "changed") for kind in kinds])
    drawn = draw_neurons(axes, both, scene, look, colors, bright, artists)
    _outline(both, kinds, look, artists)
    add_headings(axes, scene, look)
    add_names(
        axes, both, scene, look, texts, colors, bright, cast(LineCollection, artists["synapses"]), force=False
    )
    if entries:
        artists["legend"] = add_legend(axes, entries, size[0], look)
    return DiffPicture({"circuit": axes}, artists, drawn, places, neurons, synapses)


_Kinds = dict[tuple[str, str], tuple[int, bool]]


def _kinds(seen: View) -> _Kinds:
    """Of each pair, the polarity (0: only electrical) and whether an electrical synapse lies beside it."""
    found: _Kinds = {}
    for pair, sign in zip(seen.synapses, seen.polarity.tolist(), strict=True):
        found[pair] = (found[pair][0], True) if pair in found else (sign, False)
    return found


def _compare(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> dict[Any, str]:
    def kind(key: Any) -> str:
        if key not in before:
            return "added"
        if key not in after:
            return "removed"
        return "unchanged" if before[key] == after[key] else "changed"

    return {key: kind(key) for key in {**before, **after}}


def _union(old: View, new: View, kinds: _Kinds) -> nx.DiGraph[str]:
    """All neurons and synapses of both, as the newer one has them."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    for seen in (old, new):
        for name, role in zip(seen.names, seen.roles, strict=True):
            graph.add_node(name, role=role)
    for (pre, post), (sign, gap) in kinds.items():
        kind = {"polarity": sign} if sign else {"kind": ELECTRICAL}
        graph.add_edge(pre, post, **kind, **({"gap": 1} if gap else {}))
    return graph


def _draw_synapses(
    ax: Axes, seen: View, scene: Any, look: Style, kinds: Sequence[str], artists: dict[str, Artist]
) -> Any:
    plain = {"unchanged": look.muted, "removed": look.ink, "changed": look.accent}
    colors = [
        plain.get(kind, look.polarity(sign)) for kind, sign in zip(kinds, seen.polarity.tolist(), strict=True)
    ]
    rank = np.array([_CHANGES.index(kind) for kind in kinds], dtype=int)
    return draw_synapses(
        ax,
        seen,
        scene,
        look,
        np.argsort(rank, kind="stable"),
        artists,
        colors=to_rgba_array(colors),
        widths=look.line_width[1] * np.array([_THICK[kind] for kind in kinds], dtype=float),
        opacity=np.where(rank == 0, _FAINT, 1.0),
        styles=[DASHES if kind == "removed" else "-" for kind in kinds],
    )


def _outline(seen: View, kinds: Sequence[str], look: Style, artists: dict[str, Artist]) -> None:
    """Removed neurons are hollow and dashed, changed ones have an accent border."""
    for role in seen.drawn_roles:
        dots = cast(PathCollection, artists[f"neurons/{role}"])
        own = [kinds[k] for k in seen.of_role(role).tolist()]
        fills, edges = np.array(dots.get_facecolor()), np.array(dots.get_edgecolor())
        plain = float(np.ravel(dots.get_linewidth())[0])
        for at, kind in enumerate(own):
            if kind == "removed":
                fills[at], edges[at] = to_rgba_array(look.ground)[0], to_rgba_array(look.ink)[0]
            elif kind == "changed":
                edges[at] = to_rgba_array(look.accent)[0]
        dots.set(facecolor=fills, edgecolor=edges)
        dots.set_linewidth([1.6 if kind in ("added", "changed") else plain for kind in own])
        dots.set_linestyle([_HOLLOW if kind == "removed" else "-" for kind in own])


def _entries(
    seen: View, neurons: Mapping[str, str], synapses: Mapping[Any, str], look: Style
) -> list[Artist]:
    """Of each change the neurons and the synapses, drawn as in the picture, and how many there are."""
    entries: list[Artist] = []
    signs = dict(zip(seen.synapses[::-1], seen.polarity.tolist()[::-1], strict=True))  # the first of a pair
    for kind in ("added", "removed", "changed", "unchanged"):
        if count := list(neurons.values()).count(kind):
            entries.append(_ring(kind, f"{kind}: {_amount(count, 'neuron')}", look))
        own = [signs[pair] for pair, change in synapses.items() if change == kind]
        width = _THICK[kind] * look.line_width[1]
        if kind == "added":  # the only ones in the colours of their polarity
            entries += [
                SynapseKey(
                    look.polarity(sign), sign, f"{kind}: {_amount(own.count(sign), f'{word} synapse')}", width
                )
                for sign, word in POLARITIES
                if sign in own
            ]
        elif own:
            label = f"{kind}: {_amount(len(own), 'synapse')}"
            dash: Any = DASHES if kind == "removed" else "-"
            color = {"unchanged": look.muted, "removed": look.ink, "changed": look.accent}[kind]
            alpha = _FAINT if kind == "unchanged" else None
            entries.append(
                Line2D([], [], color=color, linewidth=width, linestyle=dash, alpha=alpha, label=label)
            )
    return entries


def _ring(kind: str, label: str, look: Style) -> Artist:
    """A neuron of any role, as `_outline` draws it."""
    faint = look.faint(look.muted, 0.8 if kind == "unchanged" else 0.4)
    return Ellipse(
        (0, 0),
        1,
        1,
        facecolor=look.ground if kind == "removed" else faint,
        edgecolor={"changed": look.accent, "unchanged": look.faint(look.ink, 0.8)}.get(kind, look.ink),
        linewidth=1.6 if kind in ("added", "changed") else 0.7,
        linestyle=_HOLLOW if kind == "removed" else "-",
        label=label,
    )


def _amount(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
