"""Which synapse excites and which inhibits: an attribute, a transmitter, the weight's sign, or lists."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

from ...arguments import counted, fraction, function_of, seed_number, several
from ...errors import CircuitError
from ..digest import ELECTRICAL
from ..files.raw import Edge
from ..roles import label, require_polarity, synapse_label
from ..rules import balanced_signs
from ..words import sign_in
from .draft import Draft

Polarity: TypeAlias = (
    "str | int | float | Mapping[Any, Any] | tuple[str, Mapping[Any, int]] | Iterable[Hashable] | "
    "Callable[[Any, Any], int] | None"
)

WEIGHT_SIGN = "weight sign"
WAY = (
    "polarity= says where signs come from: an attribute of the edge or of its first neuron, an attribute "
    "with "
    "its meaning such as ('transmitter', {'GABA': -1, 'ACh': 1}), 'weight sign', a list of inhibitory "
    "neurons, "
    "1 for all, or a share such as 0.2 to draw"
)


def assign_polarity(draft: Draft, polarity: Polarity) -> None:
    """Give every synapse its sign, except those that are drawn, which `draw_polarity` does at the end.

    What is electrical, or was made of that, excites, whatever the transmitter of its neuron.

    Raises:
        CircuitError: a synapse is left without one, or a name, attribute or sign is not known.
    """
    if not {"kind", "made_from"} & set(draft.edge_attributes()):
        _assign(draft, polarity)
        return
    place = {id(edge): k for k, edge in enumerate(draft.synapses)}
    electrical = [edge for edge in draft.synapses if ELECTRICAL in _kinds(edge)]
    draft.synapses = [edge for edge in draft.synapses if ELECTRICAL not in _kinds(edge)]
    if draft.synapses or not electrical:
        _assign(draft, polarity)
    for edge in electrical:
        edge.data.setdefault("polarity", 1)
    draft.synapses = sorted([*draft.synapses, *electrical], key=lambda edge: place.get(id(edge), len(place)))


def _kinds(edge: Edge) -> tuple[Any, Any]:
    return edge.data.get("kind"), edge.data.get("made_from")


def _assign(draft: Draft, polarity: Polarity) -> None:
    if _is_share(polarity):
        fraction("polarity", polarity)
        for edge in draft.synapses:
            _take_legal(draft, edge)
        return
    asked = polarity is not None
    if polarity is None:
        polarity = _usual(draft)
    if hasattr(polarity, "shape"):
        given: Any = polarity
        polarity = several("polarity", given, "inhibitory neurons")
    if polarity != WEIGHT_SIGN and not draft.raw.own:
        _take_magnitudes(draft)
    if isinstance(polarity, int) and not isinstance(polarity, bool) and polarity in (1, -1):
        for edge in draft.synapses:
            edge.data["polarity"] = polarity
        text = f"all synapses are {'excitatory' if polarity == 1 else 'inhibitory'}, as asked"
        draft.origin.add("polarity", len(draft.synapses), text)
    elif callable(polarity):
        function_of("polarity", polarity, "the names of two neurons, pre and post", 2)
        for edge in draft.synapses:
            edge.data["polarity"] = require_polarity(polarity(edge.pre, edge.post), edge.pre, edge.post)
    elif polarity == WEIGHT_SIGN:
        _of_weights(draft, asked)
    elif isinstance(polarity, str):
        _of_attribute(draft, polarity, None)
    elif isinstance(polarity, tuple) and len(polarity) == 2 and isinstance(polarity[1], Mapping):
        _of_attribute(draft, polarity[0], _legal(polarity[1]))
    elif isinstance(polarity, Mapping):
        _of_mapping(draft, _legal(polarity))
    elif isinstance(polarity, Iterable):
        _of_inhibitory(draft, list(polarity))
    else:
        raise TypeError(f"polarity: got {label(polarity)}; {WAY}")


def draw_polarity(draft: Draft, polarity: Polarity, seed: Any) -> None:
    """Draw the signs that are missing, if `polarity` is the share of inhibitory ones."""
    if not _is_share(polarity):
        return
    free = [edge for edge in draft.synapses if "polarity" not in edge.data]
    rng = np.random.default_rng(seed_number(seed))
    signs = balanced_signs(len(free), fraction("polarity", polarity), rng).tolist()
    for edge, sign in zip(free, signs, strict=True):
        edge.data["polarity"] = sign
    draft.origin.add(
        "drawn",
        len(free),
        f"the polarity of {counted(len(free), 'synapse')} was drawn at random (seed {seed})",
    )


def _is_share(polarity: Any) -> bool:
    return isinstance(polarity, float) or (
        isinstance(polarity, int) and type(polarity) is int and polarity == 0
    )


def _usual(draft: Draft) -> Any:
    """The attribute `polarity`, else the sign of the weights if they are signed."""
    known = draft.edge_attributes()
    for key in known:
        if str(key).casefold() in ("polarity", "sign") and not (draft.raw.own and key != "polarity"):
            return key
    if not draft.raw.own and (draft.raw.signed or any(map(_is_negative, draft.synapses))):
        return WEIGHT_SIGN
    if draft.strict and draft.synapses:
        edge = draft.synapses[0]
        problem = f"{synapse_label(edge.pre, edge.post)} has no polarity, nor has any other; {WAY}"
        raise draft.raw.edge_error(problem, edge.at)
    return {}


def _take_legal(draft: Draft, edge: Edge) -> None:
    """Keep a sign that is there and legal; without one there is nothing to keep."""
    if "polarity" in edge.data:
        try:
            edge.data["polarity"] = require_polarity(sign_in(edge.data["polarity"]), edge.pre, edge.post)
        except CircuitError as error:
            raise draft.raw.edge_error(error, edge.at) from None


def _take_magnitudes(draft: Draft) -> None:
    """Keep weights without their sign, where it is not what says who inhibits."""
    signed = [edge for edge in draft.synapses if _is_negative(edge)]
    for edge in signed:
        edge.data["weight"] = -edge.data["weight"]
    text = f"kept {counted(len(signed), 'negative weight')} without the sign: polarity= says who inhibits"
    draft.origin.add("weights", len(signed), text, False)


def _is_negative(edge: Edge) -> bool:
    weight = edge.data.get("weight")
    return isinstance(weight, Real) and float(weight) < 0


def _of_weights(draft: Draft, asked: bool) -> None:
    kept = []
    for edge in draft.synapses:
        weight = edge.data.get("weight")
        if weight is None:
            problem = f"{synapse_label(edge.pre, edge.post)} has no weight whose sign could be its polarity"
            raise draft.raw.edge_error(problem, edge.at)
        if weight != 0:
            edge.data["polarity"] = 1 if weight > 0 else -1
            edge.data["weight"] = abs(weight)
            kept.append(edge)
    zeros = len(draft.synapses) - len(kept)
    draft.synapses = kept
    if kept and all(edge.data["polarity"] == 1 for edge in kept):
        text = "no weight is negative, so all synapses are excitatory; polarity= says otherwise"
        draft.origin.add("polarity", len(kept), text, asked)
    else:
        draft.origin.add("polarity", len(kept), "polarities are the signs of the weights")
    draft.origin.add("dropped", zeros, f"{zeros} edges of weight 0 are no synapses")


def _of_attribute(draft: Draft, key: Any, meaning: Mapping[Any, int] | None) -> None:
    on_edges, on_nodes = draft.edge_attributes(), draft.node_attributes()
    if key not in on_edges and key not in on_nodes:
        raise draft.no_attribute("polarity", key, list(dict.fromkeys(["weight sign", *on_edges, *on_nodes])))
    for edge in draft.synapses:
        data = edge.data if key in on_edges else draft.neurons[edge.pre].data
        if key not in data:
            if "polarity" in edge.data and key != "polarity":
                _take_legal(draft, edge)
            elif draft.strict:
                problem = (
                    f"{synapse_label(edge.pre, edge.post)} has no {key if key == 'polarity' else label(key)}"
                )
                raise draft.raw.edge_error(f"{problem}; {WAY}", edge.at)
            continue
        edge.data["polarity"] = _sign(draft, edge, key, data[key], meaning)
    if key != "polarity":
        text = f"polarities are {'those' if key in on_edges else 'that of the first neuron'} in {key!r}"
        draft.origin.add("polarity", len(draft.synapses), text)


def _sign(draft: Draft, edge: Edge, key: str, value: Any, meaning: Mapping[Any, int] | None) -> Any:
    if meaning is not None:
        found = meaning.get(value) if isinstance(value, Hashable) else None
        sign = found if found is not None else meaning.get(None)
    else:
        sign = value if draft.raw.own else sign_in(value)
    try:
        return require_polarity(value if sign is None else sign, edge.pre, edge.post)
    except CircuitError as error:
        if not draft.strict and meaning is None:
            return value
        way = f", or a meaning for it: polarity=({key!r}, {{{label(value, 40)}: -1, ...}})"
        raise draft.raw.edge_error(f"{error}{'' if draft.raw.own else way}", edge.at) from None


def _legal(meaning: Mapping[Any, Any]) -> Mapping[Any, int]:
    signs = {}
    for key, value in meaning.items():
        sign = sign_in(value)
        if sign is None:
            raise CircuitError(f"polarity: {label(key)} is given {label(value)}; expected +1 or -1")
        signs[key] = sign
    return signs


def _of_mapping(draft: Draft, signs: Mapping[Any, int]) -> None:
    """A sign per neuron, for all its synapses, or per (pre, post)."""
    pairs = {(edge.pre, edge.post) for edge in draft.synapses}
    draft.require_known("polarity", (key for key in signs if key not in pairs))
    for edge in draft.synapses:
        sign = signs.get((edge.pre, edge.post), signs.get(edge.pre))
        if sign is not None:
            edge.data["polarity"] = sign
        elif "polarity" in edge.data:
            _take_legal(draft, edge)
        elif draft.strict:
            problem = (
                f"{synapse_label(edge.pre, edge.post)} has no polarity: {label(edge.pre)} is not in polarity="
            )
            raise draft.raw.edge_error(problem, edge.at)
    draft.origin.add("polarity", len(signs), f"{len(signs)} polarities were given")


def _of_inhibitory(draft: Draft, names: list[Hashable]) -> None:
    draft.require_known("polarity", names)
    inhibitory = set(names)
    for edge in draft.synapses:
        edge.data["polarity"] = -1 if edge.pre in inhibitory else 1
    draft.origin.add(
        "polarity", len(inhibitory), f"{len(inhibitory)} neurons inhibit, as given, all others excite"
    )
