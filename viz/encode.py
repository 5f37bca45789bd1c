"""What colours, widths and emphasis say: from the arguments of `plot_circuit` to arrays."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgba_array
from numpy.typing import ArrayLike, NDArray

from ..arguments import counted, label, numbers, real, several
from ..wiring.roles import synapse_label
from .style import Style
from .view import View


@dataclass(frozen=True, eq=False)
class Coloring:
    """Colours of neurons, and what they mean.

    Attributes:
        colors: (K, 4) RGBA.
        scale: the scale of a numeric quantity, for a colour bar.
        categories: category -> colour, for a legend.
        label: the name of the quantity.
    """

    colors: NDArray[np.float64]
    scale: ScalarMappable | None = None
    categories: Mapping[str, Any] | None = None
    label: str = ""


def color_neurons(seen: View, color_by: str | ArrayLike, look: Style) -> Coloring:
    """Colour by role, by a node attribute (numeric or not), or by K values in the order of the graph.

    Raises:
        ValueError: no neuron has that attribute, or the array has another length.
    """
    if isinstance(color_by, str) and color_by == "role":
        return Coloring(to_rgba_array([look.colors[role] for role in seen.roles]))
    label = color_by if isinstance(color_by, str) else ""
    values = _neuron_values(seen, color_by)
    if all(isinstance(value, (int, float, np.number)) or value is None for value in values):
        known = np.array([np.nan if value is None else float(value) for value in values])
        limits = (
            (float(np.nanmin(known)), float(np.nanmax(known))) if np.isfinite(known).any() else (0.0, 1.0)
        )
        scale = ScalarMappable(Normalize(*limits), look.magnitudes())
        return Coloring(np.asarray(scale.to_rgba(np.ma.masked_invalid(known))), scale=scale, label=label)
    kinds = sorted({str(value) for value in values})
    palette = {kind: look.fill(k) for k, kind in enumerate(kinds)}
    return Coloring(to_rgba_array([palette[str(value)] for value in values]), categories=palette, label=label)


def _neuron_values(seen: View, values: str | ArrayLike) -> list[Any]:
    if isinstance(values, str):
        attributes = {} if seen.graph is None else dict(seen.graph.nodes(data=values))
        if all(value is None for value in attributes.values()):
            raise ValueError(f"no neuron has an attribute {label(values)} to colour by")
        return [attributes[node] for node in seen.nodes]
    several("color_by", values, "values")  # type: ignore[arg-type]
    with suppress(TypeError):  # numbers; whatever else is taken as kinds
        values = numbers("color_by", values)
    array = np.asarray(values, object)
    if array.shape != (len(seen.names),):
        raise ValueError(
            f"color_by has shape {array.shape}; expected ({len(seen.names)},), one value per neuron"
        )
    return list(array.tolist())


def synapse_values(
    seen: View, values: str | ArrayLike | Mapping[tuple[Hashable, Hashable], float]
) -> NDArray[Any]:
    """(L,) a number per synapse, from an edge attribute, L numbers in graph order, or a mapping by pair.

    Raises:
        ValueError: a synapse without a number, or an array of another length.
    """
    pairs = [
        (seen.nodes[i], seen.nodes[j]) for i, j in zip(seen.pre.tolist(), seen.post.tolist(), strict=True)
    ]
    found: Sequence[Any]
    edges = len(pairs) - seen.beside
    own: list[Any] = [np.nan] * seen.beside  # what has no value is thin
    if isinstance(values, str):
        found = [None if seen.graph is None else seen.graph.edges[pair].get(values) for pair in pairs[:edges]]
        if values == "weight" and seen.graph is not None:
            own = [seen.graph.edges[pair].get("gap") for pair in pairs[edges:]]
        what = f"attribute {label(values)}"
    elif isinstance(values, Mapping):
        found = [values.get(pair) for pair in pairs[:edges]]
        what = "value"
    else:
        found = numbers("width_by", values).tolist()
        what = "value"
        if np.shape(found) != (edges,):
            raise ValueError(
                f"got {np.shape(found)} values for {counted(edges, 'synapse')}; expected one per synapse"
            )
    for pair, value in zip(pairs, [*found, *own], strict=True):
        if value is None:
            raise ValueError(f"synapse {pair[0]!r} -> {pair[1]!r} has no {what}")
    return np.asarray(numbers("the strengths of synapses", [*found, *own]), dtype=float)


def strongest(strength: NDArray[np.float64], top: int | float) -> NDArray[np.bool_]:
    """The ``top`` strongest synapses: a number of them, or a share below 1."""
    real("top", top)
    count = round(top * len(strength)) if isinstance(top, float) and top < 1 else int(top)
    if count < 0:
        raise ValueError(f"top is {top!r}; expected a number of synapses or a share below 1")
    keep = np.zeros(len(strength), dtype=bool)
    keep[np.argsort(-np.abs(strength), kind="stable")[:count]] = True
    return keep


def emphasis(seen: View, highlight: Iterable[Any] | None) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(K,) neurons and (L,) synapses that stand out: all if nothing is highlighted.

    A highlighted neuron brings nothing but itself; a highlighted pair brings its two neurons. If neurons
    alone are named, the synapses among them stand out too.

    Raises:
        CircuitError: a neuron that the circuit lacks.
        ValueError: a synapse that the circuit lacks.
    """
    neurons, synapses = np.zeros(len(seen.names), dtype=bool), np.zeros(len(seen.pre), dtype=bool)
    if highlight is None:
        return ~neurons, ~synapses
    named_pair = False
    for item in several("highlight", highlight, "neurons and (pre, post) pairs"):
        known = isinstance(item, Hashable) and item in seen.index
        if not known and isinstance(item, tuple) and len(item) == 2:
            i, j = seen.find(item[0]), seen.find(item[1])
            chosen = (seen.pre == i) & (seen.post == j) | (seen.pre == j) & (seen.post == i) & ~seen.chemical
            if not chosen.any():
                raise ValueError(f"no {synapse_label(*item)} to highlight in this circuit")
            synapses |= chosen
            neurons[[i, j]] = named_pair = True
        else:
            neurons[seen.find(item)] = True
    return neurons, synapses if named_pair else neurons[seen.pre] & neurons[seen.post]
