"""Pajek: numbered vertices with labels, and arcs with a weight. Attributes are pairs of texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import networkx as nx

from ...arguments import counted
from ...errors import CircuitError
from ..roles import synapse_label
from .format import Format, one
from .raw import Attributes, Edge, Node, RawGraph, with_signs
from .source import Source
from .tables import Ends, is_number
from .writing import neurons_of, synapses_of, text_in_file, texts_of_names

_MARK = "% ganglion-circuit"
_NAME = "\0"  # no attribute of a file has this name
_TOKEN = re.compile(r'"([^"]*)"|(\S+)')
_SHAPES = ("ellipse", "box", "diamond", "triangle", "cross", "empty", "house", "man", "woman")
_SECTIONS = ("*arcs", "*edges", "*arcslist", "*edgeslist", "*matrix", "*partition", "*vector")


def decode(sources: Sequence[Source], _: Ends = None) -> RawGraph:
    """The graph in a Pajek file: vertices, then arcs, edges, lists of either, or a matrix.

    Raises:
        CircuitError: what is wrong and at which line.
    """
    (source,) = sources
    text = source.text()
    raw = RawGraph("Pajek", names=("label",), own=text.startswith(_MARK))
    raw.node_error = raw.edge_error = lambda problem, at: source.error(problem, f"line {at}")
    section, row = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        tokens = [found[0] or found[1] for found in _TOKEN.findall(line)]
        if not tokens or line.lstrip().startswith("%"):
            continue
        try:
            if tokens[0].startswith("*"):
                section, row = tokens[0].lower(), 0
                if section == "*vertices":
                    _count(tokens, raw)
                elif section not in (*_SECTIONS, "*network"):
                    raise CircuitError(f"unknown section {tokens[0]!r}")
            elif section == "*vertices":
                raw.nodes.append(_vertex(tokens, number, raw.own))
            elif section == "*matrix":
                row += 1
                _row(raw, tokens, row, number)
            elif section in ("*arcslist", "*edgeslist"):
                for target in tokens[1:]:
                    _link(raw, section == "*edgeslist", tokens[0], target, {}, number)
            elif section in ("*arcs", "*edges"):
                if len(tokens) < 2:
                    raise CircuitError(f"expected two vertices, got {line.strip()!r}")
                _link(raw, section == "*edges", tokens[0], tokens[1], _pairs(tokens[2:]), number)
            elif not section:
                raise CircuitError(f"expected *Vertices, got {line.strip()[:60]!r}")
        except CircuitError as error:
            raise source.error(error, f"line {number}") from None
    if not section:
        raise source.error("there is no *Vertices")
    if raw.own:
        names = {node.id: node.data.pop(_NAME) for node in raw.nodes}
        raw.names = ()
        raw.nodes = [node._replace(id=names[node.id]) for node in raw.nodes]
        raw.edges = [
            edge._replace(pre=names.get(edge.pre, edge.pre), post=names.get(edge.post, edge.post))
            for edge in raw.edges
        ]
    return with_signs(raw)


def _count(tokens: list[str], raw: RawGraph) -> None:
    if len(tokens) < 2 or not tokens[1].isdigit():
        raise CircuitError("expected *Vertices and their number")
    if raw.nodes:
        raise CircuitError("a second *Vertices; a file holds one circuit")


def _vertex(tokens: list[str], number: int, own: bool) -> Node:
    """A vertex; what we wrote ourselves is a name and pairs, and nothing else."""
    if own:
        data = dict(zip(tokens[2::2], tokens[3::2], strict=False))
        return Node(tokens[0], {**data, _NAME: "".join(tokens[1:2])}, number)
    found: Attributes = {"label": tokens[1]} if tokens[1:] else {}
    rest = tokens[2:]
    for key in ("x", "y", "z"):  # up to three coordinates
        if rest and is_number(rest[0]):
            found[key] = float(rest.pop(0))
    if rest and rest[0].lower() in _SHAPES:
        found["shape"] = rest.pop(0)
    found.update(zip(rest[::2], rest[1::2], strict=False))
    return Node(tokens[0], found, number)


def _pairs(rest: list[str]) -> Attributes:
    """A weight, and then pairs of a name and a value."""
    data: Attributes = {}
    if rest and is_number(rest[0]):
        data["weight"] = float(rest.pop(0))
    data.update(zip(rest[::2], rest[1::2], strict=False))
    return data


def _row(raw: RawGraph, tokens: list[str], row: int, number: int) -> None:
    if len(tokens) != len(raw.nodes):
        raise CircuitError(
            f"expected {counted(len(raw.nodes), 'number')}, one for each vertex, got {len(tokens)}"
        )
    if row > len(raw.nodes):
        raise CircuitError(f"row {row} of a matrix of {len(raw.nodes)} vertices")
    raw.signed = True
    for node, cell in zip(raw.nodes, tokens, strict=True):
        if not is_number(cell):
            raise CircuitError(f"expected a number, got {cell!r}")
        if float(cell):
            raw.edges.append(Edge(raw.nodes[row - 1].id, node.id, {"weight": float(cell)}, number))


def _link(raw: RawGraph, both: bool, pre: str, post: str, data: Attributes, number: int) -> None:
    raw.edges.append(Edge(pre, post, data, number))
    if both and pre != post:
        raw.edges.append(Edge(post, pre, dict(data), number))


def encode(circuit: nx.DiGraph[Any], strict: bool = True) -> bytes:
    """The circuit as Pajek; what is no weight stands behind it as pairs of a name and a text.

    Raises:
        CircuitError: a text that Pajek cannot hold, with a quotation mark or a line's end.
    """
    if circuit.graph:
        raise CircuitError(
            "Pajek has no place for attributes of the circuit itself "
            f"({', '.join(map(str, circuit.graph))}); "
            "GraphML and JSON have"
        )
    texts = texts_of_names(circuit)
    place = {name: str(k) for k, name in enumerate(circuit, 1)}
    lines = [_MARK, f"*Vertices {len(circuit)}"]
    for name, data in neurons_of(circuit, strict):
        owner = f"neuron {name!r}"
        lines.append(" ".join([place[name], _quoted(owner, texts[name]), *_written(owner, data)]))
    lines.append("*Arcs")
    for pre, post, data in synapses_of(circuit, strict):
        owner = synapse_label(pre, post)
        weight = text_in_file(owner, data.get("weight", 1))
        rest = {key: value for key, value in data.items() if key != "weight"}
        lines.append(" ".join([place[pre], place[post], weight, *_written(owner, rest)]))
    return "\n".join([*lines, ""]).encode()


def _written(owner: str, data: Attributes) -> list[str]:
    return [
        _quoted(f"attribute {key!r} of {owner}", text)
        for key, value in data.items()
        for text in (key, text_in_file(owner, value))
    ]


def _quoted(what: str, text: str) -> str:
    if illegal := re.search('["\ud800-\udfff\x00-\x1f\x7f-\x9f\u2028\u2029]', text):
        raise CircuitError(f"{what} holds the character {illegal[0]!r}, which Pajek cannot hold; write .json")
    return f'"{text}"'


FORMAT = Format(
    "Pajek", (".net", ".paj"), decode, lambda head: re.match(r"(?i)\*(vertices|network)|%", head) is not None,
    one(encode),
)  # fmt: skip
