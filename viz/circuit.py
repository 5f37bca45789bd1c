"""`plot_circuit`: neurons and their synapses."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection, PolyCollection
from numpy.typing import ArrayLike, NDArray

from .captions import add_headings, add_names, outer_names, wanted_names
from .encode import color_neurons, emphasis, strongest, synapse_values
from .key import add_legend, add_scale, legend_entries
from .links import Links, link
from .neurons import draw_neurons, reaches
from .picture import Picture, Place, axes_or_new, clear_canvas
from .scene import Pos, Scene, arrange
from .style import Style, current
from .view import View, view

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_DIM = 0.12  # opacity of what is not highlighted


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
) -> Picture:
    """Draw a circuit: neurons by role, synapses with an arrowhead (excitatory) or a bar (inhibitory).

    Args:
        circuit: a DiGraph with ``role`` and ``polarity``, a Plan or a compiled circuit.
        pos: a layout by name (see `layout`), a mapping node -> (x, y), or an array (K, 2) in the order of the
            graph.
        ax: the axes to draw on; a new figure if not given.
        color_by: ``"role"``, a node attribute, or K values in the order of the graph.
        width_by: an edge attribute, L values in the order of the graph, or a mapping (pre, post) -> value;
            its magnitude becomes the width of the synapse.
        highlight: neurons, or (pre, post) pairs, that stand out; all else is faint.
        top: draw only the strongest synapses by ``width_by``: a number, or a share below 1.
        labels: True for all names, False for none, a mapping node -> text; by default, those that fit.
        legend: whether to explain roles and polarities.
        direction: ``"right"`` or ``"down"``, for layouts with layers.

    Returns:
        A `Picture` with artists ``synapses/…``, ``heads/…`` and ``neurons/…`` by polarity and role.

    Raises:
        CircuitError: the circuit breaks a rule, or lacks a highlighted neuron.
        ValueError: positions, colours or widths that do not match the circuit.

    Example:
        >>> picture = gl.viz.plot_circuit(gl.auto_ncp(24, 4, inputs=6))
        >>> picture.save("circuit.pdf")
    """
    seen = view(circuit)
    strength = None if width_by is None else synapse_values(seen, width_by)
    if top is not None:
        if strength is None:
            raise ValueError("top needs width_by, the strength of the synapses")
        kept = strongest(strength, top)
        seen, strength = seen.keep(kept), strength[kept]
    axes = axes_or_new(ax)
    look = current(axes)
    size = clear_canvas(axes)
    coloring = color_neurons(seen, color_by, look)
    texts = wanted_names(seen, labels)
    entries = (
        legend_entries(seen, coloring, look, roles=not isinstance(pos, str) or pos != "layered")
        if legend
        else []
    )
    scene = arrange(axes, seen, look, size, pos, direction, outer_names(texts), entries)
    bright = emphasis(seen, highlight)
    artists: dict[str, Artist] = {}
    synapses = _draw_synapses(axes, seen, scene, look, strength, bright[1], artists)
    neurons = draw_neurons(axes, seen, scene, look, coloring.colors, bright[0], artists)
    add_headings(axes, scene, look)
    add_names(axes, seen, scene, look, texts, coloring.colors, force=bool(labels))
    if entries:
        artists["legend"] = add_legend(axes, entries, size[0], look)
    if coloring.scale is not None:
        artists["scale"] = add_scale(axes, coloring.scale, coloring.label, look).solids
    return Picture({"circuit": axes}, artists, neurons, synapses)


def _draw_synapses(
    ax: Axes,
    seen: View,
    scene: Scene,
    look: Style,
    strength: NDArray[np.float64] | None,
    bright: NDArray[np.bool_],
    artists: dict[str, Artist],
) -> dict[tuple[str, str], Place]:
    """One collection of curves and one of heads for each polarity."""
    head = min(1.1 * scene.radius, 5.0 * scene.unit)
    curves = _curves(seen, scene, look, head)
    widths, opacity = _widths(seen, look, strength), _opacity(len(seen.pre), bright)
    pairs = seen.synapses
    places: dict[tuple[str, str], Place] = {}
    for sign, name in ((1, "excitatory"), (-1, "inhibitory")):
        chosen = np.flatnonzero(seen.polarity == sign)
        if not len(chosen):
            continue
        chosen = chosen[np.argsort(bright[chosen], kind="stable")]  # what stands out is drawn last
        lines = LineCollection(
            list(curves.curves[chosen]),
            colors=look.polarity(sign),
            linewidths=widths[chosen],
            alpha=opacity[chosen],
            zorder=1,
            capstyle="butt",
        )
        corners = curves.arrows(head, chosen) if sign > 0 else curves.bars(head, chosen)
        heads = PolyCollection(
            list(corners),
            facecolors=look.polarity(sign),
            edgecolors="none",
            zorder=2,
            alpha=np.minimum(1.0, 1.6 * opacity[chosen]),
        )
        for key, artist in ((f"synapses/{name}", lines), (f"heads/{name}", heads)):
            ax.add_collection(artist, autolim=False)
            artists[key] = artist
        places |= {pairs[k]: Place(lines, at) for at, k in enumerate(chosen.tolist())}
    return places


def _curves(seen: View, scene: Scene, look: Style, head: float) -> Links:
    """Forward synapses follow the flow of the layers; those inside a layer, or back, bow out of the way."""
    bend = np.full(len(seen.pre), look.curvature)
    loop_angle = None
    if scene.flow is not None:
        ahead = scene.layer[seen.post] - scene.layer[seen.pre]
        bend = np.where(ahead > 0, 0.0, np.where(ahead < 0, look.curvature, 2.2 * look.curvature))
    else:
        outwards = scene.outwards
        loop_angle = np.arctan2(outwards[:, 1], outwards[:, 0])
    return link(
        scene.pos,
        1.08 * scene.radius * reaches(seen, look),
        seen.pre,
        seen.post,
        bend=bend,
        head=head,
        flow=scene.flow,
        loop_angle=loop_angle,
        points=20 if len(seen.pre) < 5000 else 9,
    )


def _widths(seen: View, look: Style, strength: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """(L,) points: alike and thinner the more synapses there are, or by strength."""
    thin, thick = look.line_width
    if strength is None:
        return np.full(len(seen.pre), np.clip(thick * (250 / max(len(seen.pre), 1)) ** 0.35, thin, thick))
    most = np.nanmax(np.abs(strength), initial=0.0) or 1.0
    return thin + (3 * thick - thin) * np.nan_to_num(np.abs(strength)) / most


def _opacity(count: int, bright: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(L,) crowded synapses let each other shine through; what is not highlighted is faint."""
    shown = max(int(bright.sum()), 1)
    return np.where(bright, np.clip((500 / shown) ** 0.4, 0.2, 0.9), _DIM if count > shown else 1.0)
