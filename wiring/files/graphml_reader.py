"""A reader of GraphML that stands directly on expat.

Errors need line numbers, and networkx's reader expands the entities of a document type declaration: here such
a declaration is refused as soon as it begins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from ...errors import CircuitError
from ..circuit import Circuit
from .draft import Attributes, Draft

_DEEPEST = 32  # elements inside elements; a circuit needs 4, editors add some of their own in <data>


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


class Reader:
    """Collects what expat meets; `line` is where an error is."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse_declaration
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self.line = 1
        self._space = ""
        self._open: list[_Element] = []
        self._keys: dict[str, _Key] = {}
        self._found: dict[str, list[_Element]] = {"graph": [], "node": [], "edge": []}

    def circuit(self, data: bytes) -> Circuit:
        """The circuit in the content of a file.

        Raises:
            CircuitError, expat.ExpatError, LookupError, ValueError: the content is no circuit, or no XML.
        """
        self._parser.Parse(data, True)
        if not self._found["graph"]:
            raise CircuitError("there is no <graph>")
        draft = Draft()  # only now, because an edge may stand before its nodes
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
        self.line = self._parser.CurrentLineNumber
        raise CircuitError("a document type declaration (<!DOCTYPE) is refused: it could define entities")

    def _start(self, name: str, given: dict[str, str]) -> None:
        self.line = self._parser.CurrentLineNumber
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
            if element.given["id"] in self._keys:
                raise CircuitError(f"the key {element.given['id']!r} is declared twice")
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
                self._set(key.name, key.value(text))
        elif element.tag == "default":
            self._set("default", text)
        elif element.tag == "key":
            given = element.given
            self._keys[given["id"]] = _Key(
                given["for"],
                given.get("attr.name"),
                given.get("attr.type", "string"),
                element.attributes.get("default"),
                element.line,
            )

    def _set(self, name: str, value: Any) -> None:
        attributes = self._open[-1].attributes
        if name in attributes:
            raise CircuitError(f"attribute {name!r} is given twice")
        attributes[name] = value


def _boolean(text: str) -> bool:
    return {"true": True, "false": False, "1": True, "0": False}[text.strip().lower()]


# Where elements may stand. Nested graphs and hyperedges, which GraphML has, may not.
_PARENTS = {
    "graphml": "",
    "key": "graphml",
    "default": "key",
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
