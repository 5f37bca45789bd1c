"""GEXF: the XML form of Gephi. Attributes may be texts, numbers and booleans; names are texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

import networkx as nx

from ...errors import CircuitError
from ..roles import synapse_label
from .format import Format, one
from .graphml_format import legal
from .raw import Attributes, Edge, Node, RawGraph
from .source import Source
from .tables import Ends
from .writing import neurons_of, require_texts, synapses_of, text_in_file, texts_of_names, unboxed
from .xml_tree import Element, parse

_TYPES = {str: "string", int: "long", float: "double", bool: "boolean"}
_CREATOR = "Ganglion"


def _boolean(text: str) -> bool:
    return {"true": True, "false": False, "1": True, "0": False}[text.strip().lower()]


_CONVERTERS: dict[str, Callable[[str], Any]] = {
    "boolean": _boolean,
    **dict.fromkeys(("integer", "long", "int", "short", "byte"), int),
    **dict.fromkeys(("double", "float"), float),
}


def decode(sources: Sequence[Source], _: Ends = None) -> RawGraph:
    """The graph in a GEXF file. Of a dynamic graph, all that is there at any time is read.

    Raises:
        CircuitError: what is wrong and at which line.
    """
    (source,) = sources
    root = parse(source)
    raw = RawGraph("GEXF")
    raw.node_error = raw.edge_error = lambda problem, at: source.error(problem, f"line {at}")
    graph = next(root.all("graph"), None)
    if root.tag != "gexf" or graph is None:
        raise source.error(f"expected <gexf> with a <graph>, got <{root.tag}>", "line 1")
    raw.own = any(child.text.strip() == _CREATOR for child in root.all("meta", "creator"))
    raw.names = () if raw.own else ("label",)
    try:
        declared = {scope: _declared(graph, scope) for scope in ("node", "edge")}
        for node in _nested(graph, "node"):
            data = _attributes(node, declared["node"], *raw.names)
            raw.nodes.append(Node(_given(node, "id"), data, node.line))
        default = graph.given.get("defaultedgetype", "undirected")
        for edge in _nested(graph, "edge"):
            data = _attributes(edge, declared["edge"], "label", "weight")
            directed = edge.given.get("type", default) not in ("undirected", "mutual")
            ends = _given(edge, "source"), _given(edge, "target")
            raw.edges.append(Edge(*ends, data, edge.line, directed))
    except _Fault as fault:
        raise source.error(fault.problem, f"line {fault.line}") from None
    return raw


class _Fault(Exception):
    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.problem, self.line = problem, line


def _nested(parent: Element, tag: str) -> Iterable[Element]:
    """All nodes (or edges), those inside of nodes included."""
    for group in parent.all(f"{tag}s"):
        for element in group.all(tag):
            yield element
            yield from _nested(element, tag)
    if tag == "edge":
        for node in parent.all("nodes", "node"):
            yield from _nested(node, tag)


def _given(element: Element, name: str) -> str:
    if name not in element.given:
        raise _Fault(f"this <{element.tag}> has no {name}", element.line)
    return element.given[name]


def _declared(graph: Element, scope: str) -> dict[str, Element]:
    found = {}
    for block in graph.all("attributes"):
        if block.given.get("class", "node") == scope:
            found.update({_given(attribute, "id"): attribute for attribute in block.all("attribute")})
    return found


def _attributes(element: Element, declared: dict[str, Element], *direct: str) -> Attributes:
    data: Attributes = {}
    for key in direct:
        if key in element.given:
            value = element.given[key]
            data[key] = _value(key, "double", value, element.line) if key == "weight" else value
    for given in element.all("attvalues", "attvalue"):
        identifier = given.given.get("for", given.given.get("id", ""))
        attribute = declared.get(identifier)
        if attribute is None:
            raise _Fault(f"this <attvalue> has the undeclared attribute {identifier!r}", given.line)
        name = attribute.given.get("title", identifier)
        data[name] = _value(name, attribute.given.get("type", "string"), _given(given, "value"), given.line)
    for identifier, attribute in declared.items():
        default = next(attribute.all("default"), None)
        name = attribute.given.get("title", identifier)
        if default is not None and name not in data:
            data[name] = _value(name, attribute.given.get("type", "string"), default.text, default.line)
    position = next(element.all("position"), None)
    if position is not None:
        for key in ("x", "y"):
            if key in position.given:
                data.setdefault(key, _value(key, "double", position.given[key], position.line))
    return data


def _value(name: str, kind: str, text: str, line: int) -> Any:
    try:
        return _CONVERTERS.get(kind, str)(text)
    except (KeyError, ValueError):
        raise _Fault(f"attribute {name!r} is of type {kind}, got {text[:60]!r}", line) from None


def encode(circuit: nx.DiGraph[Any], strict: bool = True) -> bytes:
    """The circuit as GEXF 1.3, which Gephi opens with its names.

    Raises:
        CircuitError: an attribute that is no text, number or boolean, or a character that XML does not allow.
    """
    if circuit.graph:
        raise CircuitError(
            f"GEXF has no place for attributes of the circuit itself ({', '.join(map(str, circuit.graph))}); "
            "GraphML and JSON have"
        )
    texts = texts_of_names(circuit)
    keys: dict[str, dict[tuple[str, str], str]] = {"node": {}, "edge": {}}
    nodes, edges = [], []
    for name, data in neurons_of(circuit, strict):
        owner = f"neuron {name!r}"
        quoted = _quoted(owner, texts[name])
        nodes.append(f"<node id={quoted} label={quoted}>{_values(owner, data, keys['node'])}</node>")
    for k, (pre, post, data) in enumerate(synapses_of(circuit, strict)):
        owner = synapse_label(pre, post)
        ends = f"source={_quoted(owner, texts[pre])} target={_quoted(owner, texts[post])}"
        edges.append(f'<edge id="{k}" {ends}>{_values(owner, data, keys["edge"])}</edge>')
    require_texts("the circuit", circuit.graph)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<gexf xmlns="http://gexf.net/1.3" version="1.3">',
        f"<meta><creator>{_CREATOR}</creator></meta>",
        '<graph defaultedgetype="directed">',
        *(_declaration(scope, keys[scope]) for scope in ("node", "edge")),
        "<nodes>", *nodes, "</nodes>", "<edges>", *edges, "</edges>", "</graph>", "</gexf>", "",
    ]  # fmt: skip
    return "\n".join(lines).encode()


def _declaration(scope: str, keys: dict[tuple[str, str], str]) -> str:
    attributes = [
        f'<attribute id="{identifier}" title={quoteattr(name)} type="{kind}"/>'
        for (name, kind), identifier in keys.items()
    ]
    return f'<attributes class="{scope}">{"".join(attributes)}</attributes>'


def _values(owner: str, data: Attributes, keys: dict[tuple[str, str], str]) -> str:
    values = []
    for name, value in data.items():
        what = f"attribute {name!r} of {owner}"
        value = unboxed(value)
        if type(value) not in _TYPES:
            raise CircuitError(
                f"{what} is a {type(value).__name__}; GEXF holds texts, numbers and booleans, JSON more"
            )
        identifier = keys.setdefault((legal(what, name), _TYPES[type(value)]), f"a{len(keys)}")
        values.append(f'<attvalue for="{identifier}" value={_quoted(what, text_in_file(what, value))}/>')
    return f"<attvalues>{''.join(values)}</attvalues>"


def _quoted(owner: str, text: str) -> str:
    return quoteattr(legal(owner, text))


FORMAT = Format("GEXF", (".gexf",), decode, lambda head: "<gexf" in head, one(encode))
