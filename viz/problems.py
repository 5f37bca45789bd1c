"""Broken circuits as pictures: what `check` finds is marked where it is and said below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import networkx as nx
import numpy as np
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D

from ..wiring import ROLES, Problem, check
from ..wiring.electrical import is_electrical
from ..wiring.roles import is_polarity, is_role
from .labels import points, wrap
from .picture import Picture, Place
from .style import Style
from .view import View, view

if TYPE_CHECKING:
    from matplotlib.artist import Artist

_SAID, _SHARE = 4, 0.4  # problems in words, and how much of the height they may take; of more, the number
_WIDE, _THICK = 1.6, 1.4  # the border of a neuron at fault, and a synapse
_DOTS: Any = (0, (1.5, 1))


def mended(circuit: Any) -> tuple[View, list[Problem]]:
    """A view of a circuit with what it lacks made up, and its errors; of a sound one, as it is.

    A neuron without a role stands among the inter neurons, and a synapse without a polarity is excitatory.

    Raises:
        CircuitError: it is empty.
        TypeError: it is no circuit.
    """
    if not isinstance(circuit, nx.DiGraph) or circuit.is_multigraph() or not len(circuit):
        return view(circuit), []
    errors = [problem for problem in check(circuit) if problem.severity == "error"]
    if errors:
        circuit = nx.DiGraph(circuit)  # a copy
        for name, data in circuit.nodes(data=True):
            if not is_role(data.get("role")):
                circuit.add_node(name, role=ROLES[1])
        for pre, post, data in circuit.edges(data=True):
            if not is_electrical(data) and not is_polarity(data.get("polarity")):
                circuit.add_edge(pre, post, polarity=1)
    return view(circuit), errors


def problem_entries(problems: Sequence[Problem], look: Style, page: tuple[float, float]) -> list[Artist]:
    """The first problems in words, each whole and with its mark, for a legend on a ``page`` of points."""
    size = points(look.small_text)
    most = _SHARE * page[1] / (1.45 * size)
    entries: list[Artist] = []
    lines = 0
    for problem in problems[:_SAID]:
        text = wrap(problem.message, size, 0.85 * page[0])
        lines += 1 + text.count("\n")
        if entries and lines > most:
            break
        entries.append(_entry(problem, text, look))
    if more := len(problems) - len(entries):
        text = f"and {more} more problem{'s' * (more != 1)}: gl.check(circuit)"
        entries.append(Line2D([], [], linestyle="none", label=text))
    return entries


def _entry(problem: Problem, text: str, look: Style) -> Artist:
    """A problem with the mark that `mark` gives it; one of the whole circuit has none."""
    line: dict[str, Any] = {"color": look.accent, "linestyle": "none", "label": text}
    if problem.neuron is not None:
        line |= {"marker": "o", "markersize": 6.0, "markerfacecolor": look.ground, "markeredgewidth": _WIDE}
    elif problem.synapse is not None:
        line |= {"linestyle": _DOTS, "linewidth": _THICK}
    return Line2D([], [], **line)


def mark(seen: View, picture: Picture, problems: Sequence[Problem], look: Style) -> None:
    """Make neurons at fault hollow, with a thick border, and synapses dotted, both in the accent colour."""
    for problem in problems:
        if problem.neuron is not None:
            _outline(picture.neurons[seen.names[seen.find(problem.neuron)]], look)
        elif problem.synapse is not None:
            pre, post = (seen.names[seen.find(name)] for name in problem.synapse)
            _dot(picture.synapses[pre, post], look)


def _outline(place: Place, look: Style) -> None:
    dots = cast(PathCollection, place.artist)
    count = len(np.asarray(dots.get_offsets()))
    faces, edges = (
        np.array(np.broadcast_to(c, (count, 4))) for c in (dots.get_facecolor(), dots.get_edgecolor())
    )
    faces[place.item], edges[place.item] = to_rgba(look.ground), to_rgba(look.accent)
    widths = np.array(np.broadcast_to(dots.get_linewidth(), count), dtype=float)
    widths[place.item] = _WIDE
    dots.set(facecolors=faces, edgecolors=edges, linewidths=widths)


def _dot(place: Place, look: Style) -> None:
    lines = cast(LineCollection, place.artist)
    count = len(lines.get_segments())
    colors = np.array(np.broadcast_to(lines.get_colors(), (count, 4)))
    colors[place.item] = to_rgba(look.accent)
    styles: list[Any] = list(lines.get_linestyle())
    styles = styles * count if len(styles) == 1 else styles
    widths = np.array(np.broadcast_to(lines.get_linewidth(), count), dtype=float)
    widths[place.item] = _THICK
    styles[place.item] = _DOTS
    lines.set(color=colors)
    lines.set_linestyle(styles)
    lines.set_linewidth(widths.tolist())
