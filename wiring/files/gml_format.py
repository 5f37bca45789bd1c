"""GML, read by networkx. Attributes may be texts and numbers, and booleans become 0 and 1; names are
texts."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Hashable, Sequence
from typing import Any

import networkx as nx

from ...errors import CircuitError
from ..roles import label, synapse_label
from .format import Format, one
from .raw import Attributes, Edge, Node, RawGraph
from .source import Source
from .tables import Ends
from .writing import neurons_of, synapses_of, texts_of_names, unboxed

_CREATOR = "Ganglion"
_KEY = re.compile(r"[A-Za-z][0-9A-Za-z_]*")
_TAKEN = ("id", "label", "source", "target", "directed", "multigraph", "node", "edge")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DEEPEST = 50  # lists inside lists; networkx's parser calls itself for each


def decode(sources: Sequence[Source], _: Ends = None) -> RawGraph:
    """The graph in a GML file; parallel edges are read whether or not it says that it has them.

    Raises:
        CircuitError: what is wrong.
    """
    (source,) = sources
    text = source.text()
    own = text.startswith(f'Creator "{_CREATOR}"')
    if _deepest(text) > _DEEPEST:
        raise source.error(f"more than {_DEEPEST} lists are inside one another")
    several, found = re.subn(r"(?m)^(\s*graph\s*)\[", r"\1[ multigraph 1 ", text, count=1)
    try:
        graph = nx.parse_gml(several if found else text, label=None)  # type: ignore[call-overload]
    except nx.NetworkXError as error:
        raise source.error(f"this is not GML: {error}") from None
    except Exception as error:  # networkx checks little: a wrong value ends in any kind of error
        raise source.error(f"this is not GML: {type(error).__name__}: {error}") from None
    raw = RawGraph("GML", directed=graph.is_directed(), own=own, names=("label",))
    raw.node_error = lambda problem, at: source.error(problem, f"node {at}")
    raw.edge_error = lambda problem, at: source.error(problem, f"edge {at}")
    raw.graph = {key: value for key, value in graph.graph.items() if key not in ("Creator", "Version")}
    raw.nodes = [Node(name, dict(data), k) for k, (name, data) in enumerate(graph.nodes(data=True))]
    raw.edges = [Edge(u, v, dict(data), k) for k, (u, v, data) in enumerate(graph.edges(data=True))]
    if own:
        raw.names = ()
        for node in raw.nodes:
            if "label" not in node.data:
                raise source.error("this node has no label", f"node {node.at}")
        raw.graph = _unescaped(raw.graph)
        raw.nodes = [Node(node.data.pop("label"), _unescaped(node.data), node.at) for node in raw.nodes]
        place = dict(zip(graph, (node.id for node in raw.nodes), strict=True))
        raw.edges = [
            edge._replace(pre=place[edge.pre], post=place[edge.post], data=_unescaped(edge.data))
            for edge in raw.edges
        ]
    for node in raw.nodes:
        graphics = node.data.get("graphics")
        if isinstance(graphics, dict):  # of Gephi and yEd
            del node.data["graphics"]
            node.data.update({key: graphics[key] for key in ("x", "y") if key in graphics})
    return raw


def _deepest(text: str) -> int:
    depth = most = 0
    for mark in re.findall(r'"[^"]*"|[\[\]]', text):
        depth += (mark == "[") - (mark == "]")
        most = max(most, depth)
    return most


def encode(circuit: nx.DiGraph[Any], strict: bool = True) -> bytes:
    """The circuit as GML.

    Raises:
        CircuitError: an attribute that is no text or number, or whose name is not of letters and digits.
    """
    texts = texts_of_names(circuit)
    place = {name: k for k, name in enumerate(circuit)}
    lines = [f'Creator "{_CREATOR}"', "graph [", "  directed 1"]
    lines += _pairs("the circuit", dict(circuit.graph), "  ")
    for name, data in neurons_of(circuit, strict):
        owner = f"neuron {name!r}"
        lines += ["  node [", f"    id {place[name]}", f"    label {_quoted(owner, texts[name])}"]
        lines += [*_pairs(owner, data, "    "), "  ]"]
    for pre, post, data in synapses_of(circuit, strict):
        lines += ["  edge [", f"    source {place[pre]}", f"    target {place[post]}"]
        lines += [*_pairs(synapse_label(pre, post), data, "    "), "  ]"]
    return "\n".join([*lines, "]", ""]).encode("ascii")


def _pairs(owner: str, data: Attributes, indent: str) -> list[str]:
    return [f"{indent}{_key(owner, key)} {_value(owner, key, value)}" for key, value in data.items()]


def _key(owner: str, key: Hashable) -> str:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise CircuitError(
            f"attribute {label(key, 60)} of {owner} has a name that GML cannot hold: letters and digits; "
            f"write .json"
        )
    return f"{key}_" if key.rstrip("_") in _TAKEN else key


def _unescaped(data: Attributes) -> Attributes:
    return {
        key[:-1] if key.endswith("_") and key.rstrip("_") in _TAKEN else key: value
        for key, value in data.items()
    }


def _value(owner: str, key: Hashable, value: Any) -> str:
    what = f"attribute {label(key, 60)} of {owner}"
    value = unboxed(value)
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int) and -(2**31) <= value < 2**31:
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        text = repr(value)
        return text if "." in text else text.replace("e", ".0e")
    if isinstance(value, str):
        return _quoted(what, value)
    raise CircuitError(
        f"{what} is {label(value, 60)}, a {type(value).__name__}; GML holds texts and numbers (integers of "
        f"32 "
        "bits), JSON more"
    )


def _quoted(what: str, text: str) -> str:
    if _SURROGATE.search(text):
        raise CircuitError(f"{what} holds half of a character, which GML cannot hold; write .json")
    escaped = html.escape(text, quote=True)
    return '"' + re.sub(r"[^ -~]", lambda found: f"&#{ord(found[0])};", escaped) + '"'


FORMAT = Format(
    "GML", (".gml",), decode, lambda head: re.search(r"(?m)^\s*graph\s*\[", head) is not None, one(encode)
)
