"""Chemical and electrical synapses, and edges without a direction."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, TypeAlias

from ...arguments import counted
from ...errors import CircuitError
from ..digest import CHEMICAL, ELECTRICAL
from ..electrical import EXPECTED, KINDS, is_missing, unknown_kind
from ..files.raw import Edge
from ..roles import label, synapse_label
from ..words import is_kind, kind_in, listed, suggestion
from .draft import Draft, rename_key

Kind: TypeAlias = "str | tuple[str, Mapping[Any, str | None]] | None"

COLUMNS = ("kind", "type", "synapse type", "synapse_type", "connection type", "connection_type", "edge type",
           "edge_type", "interaction", "shared interaction")  # fmt: skip
WAYS = ("keep", "drop", "synapses")


def direct_edges(draft: Draft) -> None:
    """Turn each undirected edge into two synapses, one each way."""
    both = [edge for edge in draft.synapses if not (draft.raw.directed and edge.directed)]
    if not both:
        return
    back = [Edge(e.post, e.pre, dict(e.data), e.at) for e in both if e.pre != e.post]
    draft.synapses += back
    text = f"{counted(len(back), 'edge')} without a direction became two synapses, one each way"
    draft.origin.add("undirected", len(back), text)


def sort_kinds(draft: Draft, kind: Kind, electrical: str | None) -> None:
    """Give synapses their kind, and do with electrical ones what the caller wants.

    Raises:
        CircuitError: an attribute or a kind that is not known.
    """
    if electrical not in (None, *WAYS):
        raise ValueError(
            f"electrical takes {' or '.join(map(repr, WAYS))}, got {label(electrical)}"
            f"{suggestion(electrical, WAYS)}"
        )
    key, meaning = _column(draft, kind)
    beside = _parted(draft) if electrical in ("drop", "synapses") else []
    if key is None and not beside:
        return
    kept: list[Edge] = beside
    again = 0
    for edge in draft.synapses:
        if key is not None and is_missing(value := edge.data.get(key)) and value not in (meaning or ()):
            edge.data.pop(key, None)
        elif key is not None:
            found_kind = _kind(draft, edge, key, meaning)
            if found_kind is None:
                again += 1
                continue
            rename_key(edge.data, key, "kind")
            edge.data["kind"] = found_kind
        kept.append(edge)
    draft.origin.add(
        "dropped",
        again,
        f"left out {counted(again, 'edge')}: no synapse, or one that repeats another from its other end",
    )
    found = [edge for edge in kept if edge.data.get("kind") == ELECTRICAL]
    draft.synapses = kept
    if not found or (draft.raw.own and electrical in (None, "keep")):
        return
    draft.synapses = [edge for edge in kept if edge.data.get("kind") != ELECTRICAL]
    if electrical == "drop":
        draft.origin.add(
            "dropped",
            len(found),
            f"dropped {counted(len(found), 'electrical synapse')} (by {key or 'gap'!r})",
            True,
        )
        return
    made = _pairs(draft, found)
    if electrical == "synapses":
        made = [edge for pair in made for edge in _both_ways(pair)]
        excite = counted(len(made), "excitatory synapse")
        text = f"{counted(len(found), 'electrical row')} became {excite}, one each way"
    else:
        text = f"{counted(len(found), 'electrical row')} became {counted(len(made), 'pair')}"
    draft.origin.add("electrical", len(found), text)
    draft.synapses += made


def _parted(draft: Draft) -> list[Edge]:
    """The electrical synapses that are numbers on chemical ones, as edges of their own."""
    found = []
    for edge in draft.synapses:
        if "gap" in edge.data:
            strength = edge.data.pop("gap")
            given = {} if strength is None else {"weight": strength}
            found.append(Edge(edge.pre, edge.post, {"kind": ELECTRICAL, "polarity": 1, **given}, edge.at))
    return found


def _column(draft: Draft, kind: Kind) -> tuple[str | None, Mapping[Any, str | None] | None]:
    known = draft.edge_attributes()
    key: str | None
    meaning: Mapping[Any, str | None] | None
    if isinstance(kind, tuple) and len(kind) == 2:
        key, meaning = kind
    elif isinstance(kind, str) or kind is None:
        key, meaning = kind, None
    else:
        raise TypeError(f"kind: expected an attribute or (attribute, {{value: kind}}), got {label(kind)}")
    if key is not None:
        if key not in known:
            raise draft.no_attribute("kind", key, known)
        return key, meaning
    for name in known:
        if str(name).casefold() not in (COLUMNS[:1] if draft.raw.own else COLUMNS):
            continue
        values = {
            label(value): value for edge in draft.synapses if not is_missing(value := edge.data.get(name))
        }
        strange = [value for value in values.values() if not is_kind(value)]
        if not strange:
            return name, None
        if name == "kind":
            _require_kinds(draft)
        elif any(map(_nearly_electrical, values.values())):
            raise CircuitError(
                f"{name!r} tells electrical from chemical synapses, but {listed(strange)} is neither; "
                f"kind=({name!r}, {{{label(strange[0], 40)}: 'chemical', ...}}) says which (None leaves out)"
            )
    return None, None


def _nearly_electrical(value: Any) -> bool:
    return kind_in(value) == ELECTRICAL if is_kind(value) else bool(suggestion(value, (ELECTRICAL,), 0.8))


def _require_kinds(draft: Draft) -> None:
    """Refuse the first value of `kind`, the circuit's own attribute, that is no kind of synapse."""
    for edge in draft.synapses if draft.strict else ():
        value = edge.data.get("kind")
        if not is_kind(value) and (problem := unknown_kind(edge.data, edge.pre, edge.post)) is not None:
            way = f"; kind=('kind', {{{label(value, 40)}: 'chemical', ...}}) says which (None leaves out)"
            raise draft.raw.edge_error(problem + ("" if draft.raw.own else way), edge.at)


def _kind(draft: Draft, edge: Edge, key: str, meaning: Mapping[Any, str | None] | None) -> str | None:
    value = edge.data[key]
    if meaning is not None and value in meaning:
        chosen = meaning[value]
        if chosen in (None, CHEMICAL, ELECTRICAL):
            return chosen
        raise CircuitError(
            f"kind: {label(value)} is called {label(chosen)}; expected {EXPECTED}, or None for what is left "
            f"out{suggestion(chosen, KINDS)}"
        )
    if is_kind(value):
        return kind_in(value)
    problem = (
        f"{synapse_label(edge.pre, edge.post)} is of kind {label(value)}; expected {EXPECTED}"
        f"{suggestion(value, KINDS)}"
    )
    raise draft.raw.edge_error(problem, edge.at)


def _pairs(draft: Draft, electrical: list[Edge]) -> list[Edge]:
    """Each unordered pair once, with the weight of its heavier direction; a neuron with itself is none."""
    pairs: dict[frozenset[Hashable], dict[Hashable, list[Edge]]] = {}
    for edge in electrical:
        pairs.setdefault(frozenset((edge.pre, edge.post)), {}).setdefault(edge.pre, []).append(edge)
    made: list[Edge] = []
    unequal, alone = 0, 0
    for pair, directions in pairs.items():
        weights = [sum(_weight(edge) for edge in rows) for rows in directions.values()]
        unequal += len(weights) == 2 and weights[0] != weights[1]
        first = list(directions.values())[weights.index(max(weights))][0]
        if len(pair) == 1:
            alone += 1
            continue
        data = {**first.data, "polarity": 1}
        if "weight" in data:
            data["weight"] = max(weights)
        made.append(Edge(first.pre, first.post, data, first.at))
    draft.origin.add(
        "dropped", alone, f"dropped {counted(alone, 'electrical synapse')} of a neuron with itself"
    )
    draft.origin.add(
        "mirrors",
        unequal,
        f"of {counted(unequal, 'electrical pair')} that differed from the mirror the larger weight counts",
    )
    return made


def _both_ways(pair: Edge) -> list[Edge]:
    """An excitatory synapse each way, which say what they were made from."""
    data = {**pair.data, "made_from": ELECTRICAL}
    del data["kind"]
    return [Edge(pair.pre, pair.post, data, pair.at), Edge(pair.post, pair.pre, dict(data), pair.at)]


def _weight(edge: Edge) -> float:
    weight: float = edge.data.get("weight", 1)
    return weight
