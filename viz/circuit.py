"""`plot_circuit`: neurons and their synapses."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba_array
from numpy.typing import ArrayLike

from ..arguments import counted, flag, one_of
from ..errors import LayoutError
from .blocks import draw_blocks
from .captions import add_headings, add_names, outer_names, wanted_names
from .encode import color_neurons, emphasis, strongest, synapse_values
from .key import add_legend, add_scale, legend_entries
from .layout import DIRECTIONS
from .masks import plot_masks
from .neurons import draw_neurons
from .picture import Picture, axes_or_new, clear_canvas
from .problems import mark, mended, problem_entries
from .scene import Pos, arrange
from .style import current
from .synapses import draw_synapses, synapse_opacity
from .view import View, view
from .widths import synapse_widths

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

STYLES = ("auto", "links", "matrix", "blocks", "hive")
_MANY_NEURONS, _MANY_SYNAPSES = 400, 6000  # above, "auto" sums up


def plot_circuit(
    circuit: Any,
    *,
    pos: Pos = "layered",
    ax: Axes | None = None,
    color_by: str | ArrayLike = "role",
    width_by: str | ArrayLike | Mapping[tuple[Hashable, Hashable], float] | None = None,
    highlight: Iterable[Any] | None = None,
    top: int | float | None = None,
    labels: bool | Mapping[Hashable, str] | None = None,
    legend: bool = True,
    direction: str = "right",
    style: str = "auto",
) -> Picture:
    """Draw a circuit: neurons by role, synapses with an arrowhead (excitatory), a bar (inhibitory) or, since
    they have no direction, a resistor (electrical).

    A circuit that breaks a rule is drawn as well: what `check` finds is marked in the accent colour and said
    below.

    Args:
        circuit: a DiGraph with ``role`` and ``polarity``, a Plan, a compiled circuit, or a network, whose
            synapses have their trained signs and ``weight``.
        pos: a layout by name (see `layout`), a mapping node -> (x, y), or an array (K, 2) in the order of the
            graph.
        ax: the axes to draw on; a new figure if not given.
        color_by: ``"role"``, a node attribute, or K values in the order of the graph.
        width_by: an edge attribute, L values in the order of the graph, or a mapping (pre, post) -> value;
            its magnitude becomes the width of the synapse, and a synapse of 0 is dotted. The legend has the
            least and the largest.
        highlight: neurons, or (pre, post) pairs, that stand out; all else is faint.
        top: draw only the strongest synapses by ``width_by``: a number, or a share below 1.
        labels: True for all names, False for none, a mapping node -> text; by default, those that fit.
        legend: whether to explain roles, polarities and widths.
        direction: ``"right"`` or ``"down"``, for layouts with layers.
        style: ``"links"`` draws every synapse; ``"blocks"`` sums up roles and pairs of roles; ``"matrix"`` is
            `plot_masks`; ``"hive"`` draws one axis per role. ``"auto"`` is ``"links"`` up to 400 neurons and
            6000 synapses, ``"blocks"`` above, with a warning that says so.

    Returns:
        A `Picture` with the artists ``synapses``, ``heads`` and ``neurons/<role>``.

    Raises:
        CircuitError: the circuit is empty, or lacks a highlighted neuron; as a matrix or as blocks, one that
            breaks a rule.
        ValueError: positions, colours or widths that do not match the circuit.

    Example:
        >>> picture = gl.viz.plot_circuit(gl.auto_ncp(24, 4, inputs=6))
        >>> picture.save("circuit.pdf")
    """
    one_of("style", style, STYLES)
    seen, problems = mended(circuit)
    flag("legend", legend)
    one_of("direction", direction, DIRECTIONS, LayoutError)
    strength = None if width_by is None else synapse_values(seen, width_by)
    if top is not None:
        if strength is None:
            raise ValueError("top needs width_by, the strength of the synapses")
        kept = strongest(strength, top)
        seen, strength = seen.keep(kept), strength[kept]
    if style in ("matrix", "blocks") and problems:
        view(circuit)  # which refuses it by name; only lines can show what is wrong
    if style == "matrix":
        return plot_masks(seen, ax=ax, legend=legend)
    if style == "auto":
        style = _choose_style(seen)
    if style == "hive":
        pos = "hive"
    axes = axes_or_new(ax, height=2.8 if style == "blocks" else 4.2)
    look = current(axes)
    size = clear_canvas(axes)
    if style == "blocks":
        return draw_blocks(axes, seen, look, size, legend)
    coloring = color_neurons(seen, color_by, look)
    texts = wanted_names(seen, labels)
    widths = synapse_widths(seen, look, strength, width_by)
    entries: list[Artist] = []
    if legend:
        roles = not isinstance(pos, str) or pos != "layered"
        entries = legend_entries(seen, coloring, look, roles=roles) + widths.entries
    entries += problem_entries(problems, look, size)
    scaled = None if coloring.scale is None else coloring.label
    scene = arrange(axes, seen, look, size, pos, direction, outer_names(texts), entries, scaled)
    bright = emphasis(seen, highlight)
    artists: dict[str, Artist] = {}
    synapses = draw_synapses(
        axes,
        seen,
        scene,
        look,
        np.argsort(bright[1], kind="stable"),  # in graph order, so that neither polarity covers the other
        artists,
        colors=to_rgba_array([look.polarity(sign) for sign in (0, 1, -1)])[seen.polarity],
        widths=widths.points,
        styles=widths.styles,
        opacity=synapse_opacity(len(seen.pre), bright[1]),
    )
    neurons = draw_neurons(axes, seen, scene, look, coloring.colors, bright[0], artists)
    add_headings(axes, scene, look)
    add_names(
        axes,
        seen,
        scene,
        look,
        texts,
        coloring.colors,
        bright[0],
        cast(LineCollection, artists["synapses"]),
        force=bool(labels),
    )
    if entries:
        artists["legend"] = add_legend(axes, entries, size[0], look)
    if coloring.scale is not None:
        artists["scale"] = add_scale(axes, coloring.scale, coloring.label, look).solids
    picture = Picture({"circuit": axes}, artists, neurons, synapses)
    mark(seen, picture, problems, look)
    return picture


def _choose_style(seen: View) -> str:
    neurons, synapses = len(seen.names), len(seen.pre)
    if neurons <= _MANY_NEURONS and synapses <= _MANY_SYNAPSES:
        return "links"
    warnings.warn(
        f"{neurons} neurons and {counted(synapses, 'synapse')} are summed up by role; style='links' "
        f"draws every one",
        UserWarning,
        stacklevel=3,
    )
    return "blocks"
