"""GraphML: the XML form that networkx, Gephi, yEd and Cytoscape exchange.

Attributes may be texts, numbers and booleans. Names are texts: a neuron called 3 comes back as "3".

The reader stands directly on expat, because errors need line numbers, and because networkx's reader expands
the entities of a document type declaration: here such a declaration is refused as soon as it begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

import networkx as nx

from ...errors import CircuitError
from ..circuit import Circuit
from ..roles import synapse_label
from .draft import Attributes, Draft, neurons_of, synapses_of, texts_of_names, unboxed
from .source import Source

_NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_TYPES = {str: "string", int: "long", float: "double", bool: "boolean"}
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DEEPEST = 32  # elements inside elements; a circuit needs 4, editors add some of their own in <data>


def encode(circuit: nx.DiGraph[Any]) -> bytes:
    """The circuit as GraphML.

    Raises:
        CircuitError: an attribute that is no text, number or boolean, or a character that XML does not allow.
    """
    keys: dict[tuple[str, str, str], str] = {}
    texts = texts_of_names(circuit)
    lines = _data("graph", "the circuit", dict(circuit.graph), keys)
    for name, attributes in neurons_of(circuit):
        owner = f"neuron {name!r}"
        data = _data("node", owner, attributes, keys)
        lines.append(f"<node id={_quoted(owner, texts[name])}>{''.join(data)}</node>")
    quoted = {name: quoteattr(text) for name, text in texts.items()}
    for pre, post, attributes in synapses_of(circuit):
        data = _data("edge", synapse_label(pre, post), attributes, keys)
        lines.append(f"<edge source={quoted[pre]} target={quoted[post]}>{''.join(data)}</edge>")
    declarations = [
        f'<key id="{identifier}" for="{scope}" attr.name={name} attr.type="{kind}"/>'
        for (scope, name, kind), identifier in keys.items()
    ]
    head = ['<?xml version="1.0" encoding="utf-8"?>', f'<graphml xmlns="{_NAMESPACE}">']
    body = ['<graph edgedefault="directed">', *lines, "</graph>", "</graphml>", ""]
    return "\n".join(head + declarations + body).encode()


def decode(source: Source) -> Circuit:
    """The circuit in a GraphML file.

    Raises:
        CircuitError: what is wrong and at which line.
    """
    if not source.data.strip():
        raise source.error("the file is empty")
    reader = _Reader()
    try:
        reader.parser.Parse(source.data, True)
        return reader.circuit()
    except expat.ExpatError as error:
        problem = f"this is not XML: {expat.ErrorString(error.code)}"
        raise source.error(problem, f"line {error.lineno}, column {error.offset + 1}") from None
    except CircuitError as error:
        raise source.error(error, f"line {reader.line}") from None
    except (LookupError, ValueError) as error:  # an encoding that Python does not know
        raise source.error(f"this is not XML: {error}", f"line {reader.line}") from None


# Writing


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
        key = (scope, _quoted(what, str(name)), _TYPES[type(value)])
        identifier = keys.setdefault(key, f"d{len(keys)}")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        # XML reads a bare carriage return as a line feed.
        content = escape(_legal(what, text), {"\r": "&#13;"})
        elements.append(f'<data key="{identifier}">{content}</data>')
    return elements


def _legal(what: str, text: str) -> str:
    if illegal := _ILLEGAL.search(text):
        raise CircuitError(f"{what} holds the character {illegal[0]!r}, which XML forbids; write .json")
    return text


def _quoted(what: str, text: str) -> str:
    return quoteattr(_legal(what, text))


# Reading


@dataclass
class _Key:
    """A declared attribute; `name` is None for the private ones of an editor, which are passed over."""

    scope: str
    name: str | None
    kind: str
    default: str | None
    line: int

    def value(self, text: str) -> Any:
        try:
            return _CONVERTERS[self.kind](text)
        except (KeyError, ValueError):
            raise CircuitError(f"attribute {self.name!r} is of type {self.kind}, got {text[:60]!r}") from None


class _Element:
    """An element while it is open, and what is inside."""

    def __init__(self, tag: str, given: dict[str, str], line: int) -> None:
        self.tag, self.given, self.line = tag, given, line
        self.attributes: Attributes = {}
        self.texts: list[str] = []

    def require(self, *names: str) -> None:
        for name in names:
            if name not in self.given:
                raise CircuitError(f"this <{self.tag}> has no {name}")


class _Reader:
    """Collects what expat meets; `line` is where an error is."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse_declaration
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.line = 1
        self._space = ""
        self._open: list[_Element] = []
        self._keys: dict[str, _Key] = {}
        self._found: dict[str, list[_Element]] = {"graph": [], "node": [], "edge": []}

    def circuit(self) -> Circuit:
        """The circuit, once the file is read: an edge may stand before its nodes."""
        if not self._found["graph"]:
            raise CircuitError("there is no <graph>")
        draft = Draft()
        defaults = self._defaults("node")
        for node in self._found["node"]:
            self.line = node.line
            draft.add_neuron(node.given["id"], {**defaults, **node.attributes})
        defaults = self._defaults("edge")
        for edge in self._found["edge"]:
            self.line = edge.line
            draft.add_synapse(edge.given["source"], edge.given["target"], {**defaults, **edge.attributes})
        return draft.circuit({**self._defaults("graph"), **self._found["graph"][0].attributes})

    def _defaults(self, scope: str) -> Attributes:
        defaults = {}
        for key in self._keys.values():
            if key.scope in (scope, "all") and key.name is not None and key.default is not None:
                self.line = key.line
                defaults[key.name] = key.value(key.default)
        return defaults

    def _refuse_declaration(self, *_: object) -> None:
        self.line = self.parser.CurrentLineNumber
        raise CircuitError("a document type declaration (<!DOCTYPE) is refused: it could define entities")

    def _start(self, name: str, given: dict[str, str]) -> None:
        self.line = self.parser.CurrentLineNumber
        space, _, tag = name.rpartition(" ")
        parent = self._open[-1].tag if self._open else ""
        if not parent:
            self._space = space
        elif space != self._space:
            tag = name  # an editor's own element
        element = _Element(tag, given, self.line)
        if not parent and tag != "graphml":
            raise CircuitError(f"the outermost element is <{tag}>; expected <graphml>")
        if len(self._open) == _DEEPEST:
            raise CircuitError(f"more than {_DEEPEST} elements are inside one another")
        if tag in _PARENTS and parent != _PARENTS[tag]:
            raise CircuitError(f"a <{tag}> inside <{parent}> is no part of a circuit")
        self._open.append(element)
        self._check(element)

    def _check(self, element: _Element) -> None:
        """Refuse what is no circuit as soon as it opens; take note of the rest."""
        if element.tag == "key":
            element.require("id", "for")
        elif element.tag == "graph":
            if self._found["graph"]:
                raise CircuitError("a second <graph>; a file holds one circuit")
            if element.given.get("edgedefault") != "directed":
                raise CircuitError('synapses have a direction: expected <graph edgedefault="directed">')
        elif element.tag == "node":
            element.require("id")
        elif element.tag == "edge":
            element.require("source", "target")
            if element.given.get("directed") == "false":
                raise CircuitError('synapses have a direction, but this <edge> is directed="false"')
        elif element.tag == "data" and element.given.get("key") not in self._keys:
            raise CircuitError(f"this <data> has the undeclared key {element.given.get('key')!r}")
        if element.tag in self._found:
            self._found[element.tag].append(element)

    def _characters(self, text: str) -> None:
        if self._open[-1].tag in ("data", "default"):
            self._open[-1].texts.append(text)

    def _end(self, _: str) -> None:
        element = self._open.pop()
        text = "".join(element.texts)
        if element.tag == "data":
            self.line = element.line
            key = self._keys[element.given["key"]]
            if key.name is not None:
                self._open[-1].attributes[key.name] = key.value(text)
        elif element.tag == "default":
            self._open[-1].attributes["default"] = text
        elif element.tag == "key":
            given = element.given
            self._keys[given["id"]] = _Key(
                given["for"],
                given.get("attr.name"),
                given.get("attr.type", "string"),
                element.attributes.get("default"),
                element.line,
            )


def _boolean(text: str) -> bool:
    return {"true": True, "false": False, "1": True, "0": False}[text.strip().lower()]


# Where elements may stand. Nested graphs and hyperedges, which GraphML has, may not.
_PARENTS = {
    "graphml": "",
    "key": "graphml",
    "graph": "graphml",
    "node": "graph",
    "edge": "graph",
    "hyperedge": "",
}
_CONVERTERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "boolean": _boolean,
    **dict.fromkeys(("int", "integer", "long"), int),
    **dict.fromkeys(("float", "double"), float),
}
