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
from .labels import points, shorten
from .picture import Picture, Place
from .style import Style
from .view import View, view

if TYPE_CHECKING:
    from matplotlib.artist import Artist

_SAID = 4  # problems in words; of more, the number


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


def problem_entries(problems: Sequence[Problem], look: Style, width: float) -> list[Artist]:
    """The problems in words, for a legend of ``width`` points."""
    size = points(look.small_text)
    texts = [shorten(problem.message, size, 0.85 * width) for problem in problems[:_SAID]]
    if len(problems) > _SAID:
        texts.append(f"and {len(problems) - _SAID} more problems: gl.check(circuit)")
    line: dict[str, Any] = {"color": look.accent, "linestyle": (0, (1.5, 1)), "linewidth": 1.4}
    return [Line2D([], [], label=text, **line) for text in texts]


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
    widths[place.item] = 1.6
    dots.set(facecolors=faces, edgecolors=edges, linewidths=widths)


def _dot(place: Place, look: Style) -> None:
    lines = cast(LineCollection, place.artist)
    count = len(lines.get_segments())
    colors = np.array(np.broadcast_to(lines.get_colors(), (count, 4)))
    colors[place.item] = to_rgba(look.accent)
    styles: list[Any] = list(lines.get_linestyle())
    styles = styles * count if len(styles) == 1 else styles
    widths = np.array(np.broadcast_to(lines.get_linewidth(), count), dtype=float)
    widths[place.item] = 1.4
    styles[place.item] = (0, (1.5, 1))
    lines.set(color=colors)
    lines.set_linestyle(styles)
    lines.set_linewidth(widths.tolist())
