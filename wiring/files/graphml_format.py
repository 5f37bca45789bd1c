"""GraphML: the XML form that networkx, Gephi, yEd and Cytoscape exchange.

Attributes may be texts, numbers and booleans. Names are texts: a neuron called 3 comes back as "3". The id of
our own <graph> says that names are ids, whatever else is called a label.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

import networkx as nx

from ...errors import CircuitError
from ..roles import synapse_label
from .at_once import of_graphml
from .format import Format, one
from .graphml_quick import plain_graph
from .graphml_reader import OWN, Reader
from .raw import Attributes, RawGraph
from .source import Source
from .tables import Ends
from .writing import neurons_of, require_texts, synapses_of, text_in_file, texts_of_names, unboxed

_NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_TYPES = {str: "string", int: "long", float: "double", bool: "boolean"}
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def encode(circuit: nx.DiGraph[Any], strict: bool = True) -> bytes:
    """The circuit as GraphML.

    Raises:
        CircuitError: an attribute that is no text, number or boolean, or a character that XML does not allow.
    """
    keys: dict[tuple[str, str, str], str] = {}
    texts = texts_of_names(circuit)
    require_texts("the circuit", circuit.graph)
    lines = _data("graph", "the circuit", circuit.graph, keys)
    for name, attributes in neurons_of(circuit, strict):
        owner = f"neuron {name!r}"
        data = _data("node", owner, attributes, keys)
        lines.append(f"<node id={_quoted(owner, texts[name])}>{''.join(data)}</node>")
    written: dict[Any, str] = {}  # most edges hold the same few numbers
    quoted = {name: quoteattr(text) for name, text in texts.items()}
    for pre, post, attributes in synapses_of(circuit, strict):
        plain = tuple(attributes.items()) if set(map(type, attributes.values())) == {int} else None
        held = written.get(plain) if plain else None
        if held is None:
            held = "".join(_data("edge", synapse_label(pre, post), attributes, keys))
            if plain:
                written[plain] = held
        lines.append(f"<edge source={quoted[pre]} target={quoted[post]}>{held}</edge>")
    declarations = [
        f'<key id="{identifier}" for="{scope}" attr.name={name} attr.type="{kind}"/>'
        for (scope, name, kind), identifier in keys.items()
    ]
    head = ['<?xml version="1.0" encoding="utf-8"?>', f'<graphml xmlns="{_NAMESPACE}">']
    body = [f'<graph id="{OWN}" edgedefault="directed">', *lines, "</graph>", "</graphml>", ""]
    return "\n".join(head + declarations + body).encode()


def decode(sources: Sequence[Source], _: Ends = None) -> RawGraph:
    """The graph in a GraphML file.

    Raises:
        CircuitError: what is wrong and at which line.
    """
    (source,) = sources
    if not source.data.strip():
        raise source.error("the file is empty")
    if (quick := plain_graph(source.data)) is not None:
        quick.node_error = lambda problem, k: source.error(problem, f"line {_again(source).nodes[k].at}")
        quick.edge_error = lambda problem, k: source.error(problem, f"line {_again(source).edges[k].at}")
        return quick
    raw = _again(source)
    raw.node_error = raw.edge_error = lambda problem, at: source.error(problem, f"line {at}")
    return raw


def _again(source: Source) -> RawGraph:
    """The graph by the reader that knows lines."""
    reader = Reader()
    try:
        return reader.read(source.data)
    except expat.ExpatError as error:
        problem = f"this is not XML: {expat.ErrorString(error.code)}"
        raise source.error(problem, f"line {error.lineno}, column {error.offset + 1}") from None
    except CircuitError as error:
        raise source.error(error, f"line {reader.line}") from None
    except (LookupError, ValueError) as error:  # an encoding that Python does not know
        raise source.error(f"this is not XML: {error}", f"line {reader.line}") from None


def _data(scope: str, owner: str, attributes: Attributes, keys: dict[tuple[str, str, str], str]) -> list[str]:
    """One <data> element per attribute; `keys` collects what has to be declared."""
    elements = []
    for name, value in attributes.items():
        value = unboxed(value)
        what = f"attribute {name!r} of {owner}"
        if type(value) not in _TYPES:
            raise CircuitError(
                f"{what} is a {type(value).__name__}; GraphML holds texts, numbers and booleans, JSON more"
            )
        key = (scope, _quoted(what, name), _TYPES[type(value)])
        identifier = keys.setdefault(key, f"d{len(keys)}")
        # XML reads a bare carriage return as a line feed.
        content = escape(legal(what, text_in_file(what, value)), {"\r": "&#13;"})
        elements.append(f'<data key="{identifier}">{content}</data>')
    return elements


def legal(what: str, text: str) -> str:
    """The text, or a `CircuitError` if XML has no place for one of its characters."""
    if illegal := _ILLEGAL.search(text):
        raise CircuitError(f"{what} holds the character {illegal[0]!r}, which XML forbids; write .json")
    return text


def _quoted(what: str, text: str) -> str:
    return quoteattr(legal(what, text))


FORMAT = Format(
    "GraphML", (".graphml",), decode, lambda head: "<graphml" in head, one(encode), at_once=of_graphml
)
