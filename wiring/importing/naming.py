"""What the neurons are called: an attribute, a mapping or the ids, cleaned where people leave blanks."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, TypeAlias

from ...arguments import counted, function_of, several
from ...errors import CircuitError
from ..files.raw import Edge, Node
from ..roles import label, require_name, synapse_label
from ..words import listed, suggestion
from .draft import Draft

Names: TypeAlias = "str | Mapping[Any, Hashable] | Iterable[Hashable] | Callable[[Any], Hashable] | None"
Cleaning: TypeAlias = "bool | str | Iterable[str] | None"

CLEANERS = ("blanks", "case", "zeros")
_SYNTHETIC = re.compile(r"[a-z]{0,2}\d+(::?[a-z]{0,2}\d+)*")  # ids that a program counted: 7, n7, n3::n7


def name_neurons(draft: Draft, names: Names, clean: Cleaning) -> None:
    """Fill `draft.neurons` and `draft.synapses` from the raw graph.

    Raises:
        CircuitError: two nodes have one name, a name is not legal, or an edge ends on an unknown node.
    """
    raw, origin = draft.raw, draft.origin
    cleaners = _cleaners(clean, raw.own)
    named, by = _named(draft, names)
    name_of: dict[Hashable, Hashable] = {}
    first: dict[Hashable, Hashable] = {}
    spellings: dict[str, Hashable] = {}
    cleaned, merged = 0, []
    for node, given in zip(raw.nodes, named, strict=True):
        name = _clean(given, cleaners, spellings)
        try:
            require_name(name)
            if node.id in name_of:
                raise CircuitError(f"neuron {label(node.id)} is given twice")
            if name in first and given == first[name]:
                raise CircuitError(
                    f"neuron {label(name)} is given twice: two nodes have this {by}; "
                    "names='id' takes their ids"
                )
        except CircuitError as error:
            raise raw.node_error(error, node.at) from None
        cleaned += name != given
        name_of[node.id] = name
        if name in first:
            merged.append(given)
            draft.neurons[name].data.update({**node.data, **draft.neurons[name].data})
            continue
        first[name] = given
        data = dict(node.data)
        if name != node.id and not raw.own and by not in ("id", "index"):
            data.setdefault("id", node.id)
        draft.neurons[name] = Node(name, data, node.at)
    origin.add("names", len(raw.nodes) if by not in ("id", "index") else 0, f"names are those in {by}")
    asked = clean is not None
    origin.add(
        "cleaned",
        cleaned,
        f"the names of {counted(cleaned, 'node')} were cleaned ({', '.join(cleaners)})",
        True,
    )
    if merged:
        text = f"{len(merged)} nodes have the name of another one after cleaning ({listed(merged)})"
        origin.add("merged nodes", len(merged), text, asked)
    ends = {end for edge in raw.edges for end in (edge.pre, edge.post)} if raw.fresh else set()
    if raw.fresh and all(name_of.get(end, name_of) == end for end in ends):
        draft.synapses = raw.edges
    else:
        draft.synapses = [_connect(draft, edge, name_of) for edge in raw.edges]


def _connect(draft: Draft, edge: Edge, name_of: dict[Hashable, Hashable]) -> Edge:
    try:
        return edge._replace(pre=name_of[edge.pre], post=name_of[edge.post], data=dict(edge.data))
    except (KeyError, TypeError):
        lost = next(end for end in (edge.pre, edge.post) if not _known(end, name_of))
        problem = (
            f"{synapse_label(edge.pre, edge.post)}: there is no neuron {label(lost)}"
            f"{suggestion(lost, name_of)}"
        )
        raise draft.raw.edge_error(problem, edge.at) from None


def _known(end: Any, names: Mapping[Any, Any]) -> bool:
    try:
        return end in names
    except TypeError:
        return False


def _named(draft: Draft, names: Names) -> tuple[list[Any], str]:
    """The name of every node, and in words where it comes from."""
    nodes = draft.raw.nodes
    if isinstance(names, Mapping):
        ids = {node.id for node in nodes}
        for key in names:
            if key not in ids:
                raise CircuitError(f"names: there is no node {label(key)}{suggestion(key, ids)}")
        return [names.get(node.id, node.id) for node in nodes], "names="
    if callable(names):
        function_of("names", names, "the id of a node")
        return [names(node.id) for node in nodes], "names="
    if names is not None and not isinstance(names, str):
        given = several("names", names, "names")
        if len(given) != len(nodes):
            raise CircuitError(
                f"names: {counted(len(given), 'name')} were given for {counted(len(nodes), 'node')}"
            )
        return given, "names="
    if names == "id":
        return [node.id for node in nodes], "id"
    if names is not None:
        known = list(dict.fromkeys(key for node in nodes for key in node.data))
        if names not in known:
            raise draft.no_attribute("names", names, ["id", *known])
        return [node.data.get(names, node.id) for node in nodes], f"{names!r}"
    key = _visible(draft)
    if key is None:
        return [node.id for node in nodes], "id"
    result = []
    for node in nodes:
        value = node.data.get(key)
        seen = value is not None and str(value).strip() != ""
        result.append(node.data.pop(key) if seen else node.id)
    return result, f"{key!r}"


def _visible(draft: Draft) -> str | None:
    """The attribute that a person sees as the name, if there is one."""
    raw = draft.raw
    for key in raw.names:
        if any(str(node.data.get(key) or "").strip() for node in raw.nodes):
            return key
    if raw.own or raw.names or not raw.closed or not raw.nodes:
        return None
    if not all(isinstance(node.id, str) and _SYNTHETIC.fullmatch(node.id) for node in raw.nodes):
        return None
    for key in ("label", "name"):
        texts = {str(node.data.get(key) or "").strip() for node in raw.nodes}
        if len(texts) == len(raw.nodes) and "" not in texts:
            return key
    return None


def _cleaners(clean: Cleaning, own: bool) -> tuple[str, ...]:
    if clean is None:
        return () if own else ("blanks",)
    if isinstance(clean, bool):
        return ("blanks",) if clean else ()
    chosen = (clean,) if isinstance(clean, str) else tuple(several("clean_names", clean, "texts"))
    for cleaner in chosen:
        if not isinstance(cleaner, str) or cleaner not in CLEANERS:
            raise ValueError(
                f"clean_names takes True, False or some of {', '.join(CLEANERS)}, got {label(cleaner)}"
                f"{suggestion(cleaner, CLEANERS)}"
            )
    return tuple(dict.fromkeys(("blanks", *chosen)))


def _clean(name: Any, cleaners: tuple[str, ...], spellings: dict[str, Hashable]) -> Any:
    if not isinstance(name, str) or not cleaners:
        return name
    name = " ".join(name.split())
    if "zeros" in cleaners:
        name = re.sub(r"(?<=[^\W\d])0+(?=\d)", "", name)
    return spellings.setdefault(name.casefold(), name) if "case" in cleaners else name
