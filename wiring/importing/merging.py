"""One synapse from a neuron to another: what becomes of parallel edges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Any

from ...arguments import counted
from ...errors import CircuitError
from ..digest import ELECTRICAL
from ..files.raw import Edge
from ..roles import label, synapse_label
from .draft import Draft
from .polarity import WEIGHT_SIGN

WAYS = ("sum", "majority", "first", "strongest", "refuse")


def merge_parallel(draft: Draft, parallel: str | None, polarity: Any) -> None:
    """Leave one edge per (pre, post).

    "sum" adds the weights (an edge without one counts 1), and refuses different signs unless the weights have
    them; "majority" adds as well, and takes the heavier sign; "first" and "strongest" choose an edge; the
    name of an attribute chooses the edge in which it is largest.

    Raises:
        CircuitError: parallel edges that may not be merged, or not in this way.
    """
    if parallel is not None and parallel not in WAYS:
        known = draft.edge_attributes()
        if parallel not in known:
            raise draft.no_attribute("parallel", parallel, [*WAYS, *known])
    if len({(edge.pre, edge.post) for edge in draft.synapses}) == len(draft.synapses):
        return
    groups: dict[tuple[Hashable, Hashable], list[Edge]] = {}
    for edge in draft.synapses:
        groups.setdefault((edge.pre, edge.post), []).append(edge)
    several = {pair: edges for pair, edges in groups.items() if len(edges) > 1}
    way = parallel or ("refuse" if draft.raw.own else "sum")
    count_weights = way == "sum" and not any("weight" in edge.data for edge in draft.synapses)
    extra = sum(map(len, several.values())) - len(several)
    beside, merged, conflicts = 0, [], 0
    for pair, edges in groups.items():
        chemical = [edge for edge in edges if edge.data.get("kind") != ELECTRICAL]
        if chemical and len(chemical) < len(edges):
            gap = next(edge for edge in edges if edge.data.get("kind") == ELECTRICAL)
            chemical[0].data["gap"] = gap.data.get("weight", 1)
            beside += 1
            edges = chemical
        if count_weights:
            edges[0].data["weight"] = len(edges)
        if len(edges) > 1:
            conflicts += _differ(edges)
            kept = _one(draft, pair, edges, way, count_weights, polarity == WEIGHT_SIGN or draft.raw.signed)
        else:
            kept = edges[0]
        if kept is not None:
            merged.append(kept)
    draft.synapses = merged
    origin = draft.origin
    origin.add(
        "gap", beside, f"kept {counted(beside, 'electrical synapse')} beside a chemical one as its 'gap'"
    )
    extra -= beside
    added = "their weights were added"
    what = {"sum": added, "majority": added, "first": "the first stays", "strongest": "the strongest stays"}
    text = f"{counted(extra, 'parallel edge')} became part of {counted(len(several), 'synapse')} "
    text += f"({what.get(way, f'by {way!r}')}"
    text += ", and the number of edges is the weight)" if count_weights else ")"
    origin.add("merged", extra, text, parallel is not None)
    origin.add(
        "differing",
        conflicts,
        f"in {conflicts} of these synapses the edges had different other attributes, and those of one stay",
    )


def _differ(edges: list[Edge]) -> bool:
    first = {key: value for key, value in edges[0].data.items() if key not in ("weight", "polarity")}
    return any(
        {key: value for key, value in edge.data.items() if key not in ("weight", "polarity")} != first
        for edge in edges[1:]
    )


def _one(
    draft: Draft, pair: tuple[Hashable, Hashable], edges: list[Edge], way: str, counted: bool, signed: bool
) -> Edge | None:
    name = synapse_label(*pair)
    if way == "refuse":
        if draft.raw.own:
            raise draft.raw.edge_error(f"{name} is given twice", edges[1].at)
        raise CircuitError(f"{name} is given {len(edges)} times; parallel={WAYS[0]!r} adds the weights")
    if way == "first":
        return edges[0]
    if way == "strongest":
        return max(edges, key=lambda edge: abs(edge.data.get("weight", 1)))
    if way not in ("sum", "majority"):
        try:
            return max(edges, key=lambda edge: edge.data[way])
        except (KeyError, TypeError):
            raise CircuitError(f"parallel: not all edges of {name} have a number {label(way)}") from None
    signs = {edge.data.get("polarity") for edge in edges}
    if len(signs) > 1 and not signed and way == "sum":
        raise CircuitError(
            f"the {len(edges)} edges of {name} have different polarities; parallel='majority' takes the "
            "heavier sign, 'strongest' or 'first' an edge; polarity='weight sign' adds signed weights"
        )
    if counted and way == "sum":
        return edges[0]
    total = sum(
        edge.data.get("weight", 1) * (edge.data.get("polarity") or 1 if signed else 1) for edge in edges
    )
    data = edges[0].data
    if signed:
        if total == 0:
            draft.origin.add("dropped", 1, f"the weights of {name} add up to 0", False)
            return None
        data["polarity"] = 1 if total > 0 else -1
        total = abs(total)
    if way == "majority":
        votes: Counter[Any] = Counter()
        for edge in edges:
            votes[edge.data.get("polarity")] += edge.data.get("weight", 1)
        data["polarity"] = votes.most_common(1)[0][0]
    data["weight"] = total
    return edges[0]
