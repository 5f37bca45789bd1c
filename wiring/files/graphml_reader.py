"""A reader of GraphML that stands directly on expat.

Errors need line numbers, and networkx's reader expands the entities of a document type declaration: here such
a declaration is refused as soon as it begins. What editors write in their own way is read as they mean it:
Cytoscape's ids that a node's and an edge's key share, keys without `for`, yEd's labels and groups, the
vectors of graph-tool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from ...errors import CircuitError
from .raw import Attributes, Edge, Node, RawGraph

OWN = "ganglion-circuit"
"""The id of the <graph> in the files that Ganglion writes."""
FORM = "GraphML of Ganglion"

_DEEPEST = 32  # elements inside elements; a circuit needs 4, editors add some of their own in <data>
_LABELS = ("NodeLabel", "EdgeLabel")


@dataclass
class Key:
    """A declared attribute; `name` is None for the private ones of an editor, which are passed over."""

    scope: str
    name: str | None
    kind: str
    default: str | None
    line: int

    def convert(self) -> Callable[[str], Any]:
        """How a text becomes a value; that of a type that nobody knows stays a text."""
        if not self.kind.startswith("vector_"):
            return _CONVERTERS.get(self.kind, str)
        one = _CONVERTERS.get(self.kind.removeprefix("vector_"), str)
        return lambda text: [one(part.strip()) for part in text.split(",") if part.strip()]

    def value(self, text: str) -> Any:
        """The text as the type that is declared."""
        try:
            return self.convert()(text)
        except (KeyError, ValueError):
            raise CircuitError(f"attribute {self.name!r} is of type {self.kind}, got {text[:60]!r}") from None


class _Element:
    """An element while it is open, and what is inside."""

    def __init__(self, tag: str, given: dict[str, str], line: int) -> None:
        self.tag, self.given, self.line = tag, given, line
        self.attributes: Attributes = {}
        self.texts: list[str] = []
        self.label: str | None = None
        self.group: _Element | None = None

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
        self._keys: dict[tuple[str, str], Key] = {}
        self._found: dict[str, list[_Element]] = {"graph": [], "node": [], "edge": []}
        self._yed = False  # whether a key is one of yFiles

    def read(self, data: bytes) -> RawGraph:
        """The graph in the content of a file.

        Raises:
            CircuitError, expat.ExpatError, LookupError, ValueError: the content is no graph, or no XML.
        """
        self._parser.Parse(data, True)
        if not self._found["graph"]:
            raise CircuitError("there is no <graph>")
        whole = self._found["graph"][0]
        raw = RawGraph("GraphML", own=whole.given.get("id") == OWN)
        dialect(raw, self._keys.values(), self._yed)
        raw.graph = {**self._defaults("graph"), **self._kept(whole, raw.own)}
        self._nodes(raw)
        self._edges(raw, whole.given["edgedefault"] == "directed")
        return raw

    def _nodes(self, raw: RawGraph) -> None:
        defaults = self._defaults("node")
        groups = {id(graph.group) for graph in self._found["graph"]}
        ends = {edge.given[end] for edge in self._found["edge"] for end in ("source", "target")}
        passed = 0
        for node in self._found["node"]:
            if id(node) in groups and node.given["id"] not in ends:
                passed += 1
                continue
            data = {**defaults, **self._kept(node, raw.own)}
            if node.label:
                data.setdefault("label", node.label)
            if node.group is not None:
                data.setdefault("group", node.group.label or node.group.given["id"])
            raw.nodes.append(Node(node.given["id"], data, node.line))
        if passed:
            raw.notes.append(f"{passed} groups of nodes are kept as the attribute 'group' of what is in them")

    def _edges(self, raw: RawGraph, directed: bool) -> None:
        defaults = self._defaults("edge")
        for edge in self._found["edge"]:
            pre, post = edge.given["source"], edge.given["target"]
            data = {**defaults, **self._kept(edge, raw.own)}
            if edge.label:
                data.setdefault("label", edge.label)
            way = edge.given.get("directed", str(directed).lower()) == "true"
            raw.edges.append(Edge(pre, post, data, edge.line, way))

    def _kept(self, element: _Element, own: bool) -> Attributes:
        """The attributes that are set; editors write an empty element for one that is not."""
        if own:
            return element.attributes
        given = element.attributes.items()
        return {key: value for key, value in given if not isinstance(value, str) or value.strip()}

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
        if tag in _PARENTS and parent not in _PARENTS[tag]:
            raise CircuitError(f"a <{tag}> inside <{parent}> is no part of a circuit")
        self._open.append(element)
        self._check(element)

    def _check(self, element: _Element) -> None:
        """Refuse what is no circuit as soon as it opens; take note of the rest."""
        if element.tag == "key":
            element.require("id")
            self._yed |= "yfiles.type" in element.given
            if (element.given.get("for", "all"), element.given["id"]) in self._keys:
                raise CircuitError(f"the key {element.given['id']!r} is declared twice")
        elif element.tag == "graph":
            inside = self._open[-2].tag == "node"
            if self._found["graph"] and not inside:
                raise CircuitError("a second <graph>; a file holds one circuit")
            element.group = self._open[-2] if inside else None
            if element.given.get("edgedefault") not in ("directed", "undirected"):
                raise CircuitError(
                    'expected <graph edgedefault="directed"> (or "undirected": a synapse each way), '
                    f"got {element.given.get('edgedefault')!r}"
                )
        elif element.tag == "node":
            element.require("id")
            element.group = self._open[-2].group
        elif element.tag == "edge":
            element.require("source", "target")
        elif element.tag == "data" and self._key(element, self._open[-2]) is None:
            raise CircuitError(f"this <data> has the undeclared key {element.given.get('key')!r}")
        if element.tag in self._found:
            self._found[element.tag].append(element)

    def _key(self, data: _Element, owner: _Element) -> Key | None:
        """The declaration of a <data>, for what it stands in, or for all."""
        identifier = data.given.get("key", "")
        return self._keys.get((owner.tag, identifier)) or self._keys.get(("all", identifier))

    def _characters(self, text: str) -> None:
        if self._open[-1].tag in ("data", "default") or self._open[-1].tag.endswith(_LABELS):
            self._open[-1].texts.append(text)

    def _end(self, _: str) -> None:
        element = self._open.pop()
        text = "".join(element.texts)
        if element.tag == "data":
            self.line = element.line
            key = self._key(element, self._open[-1])
            if key is not None and key.name is not None and (text.strip() or key.kind == "string"):
                self._set(key.name, key.value(text))
        elif element.tag == "default":
            self._set("default", text)
        elif element.tag.endswith(_LABELS):
            owner = next((outer for outer in reversed(self._open) if outer.tag in ("node", "edge")), element)
            owner.label = owner.label or text.strip()
        elif element.tag == "key":
            given = element.given
            self._keys[given.get("for", "all"), given["id"]] = Key(
                given.get("for", "all"),
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


def dialect(raw: RawGraph, keys: Iterable[Key], yed: bool) -> None:
    """Whose dialect it is, by the declared attributes, and so which of them people see as the name."""
    names = {key.name for key in keys}
    if raw.own:
        raw.form = FORM
    elif yed:
        raw.form, raw.names = "GraphML of yEd", ("label",)
    elif "shared name" in names:
        raw.form, raw.names = "GraphML of Cytoscape", ("name", "shared name")
    elif "label" in names and names & {"Edge Label", "Edge Id", "size", "r"}:
        raw.form, raw.names = "GraphML of Gephi", ("label",)


def _boolean(text: str) -> bool:
    return {"true": True, "false": False, "1": True, "0": False}[text.strip().lower()]


# Where elements may stand. Graphs inside nodes are groups; hyperedges, which GraphML has, may not be.
_PARENTS: dict[str, tuple[str, ...]] = {
    "graphml": ("",),
    "key": ("graphml",),
    "default": ("key",),
    "graph": ("graphml", "node"),
    "node": ("graph",),
    "edge": ("graph",),
    "hyperedge": (),
}
_CONVERTERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "boolean": _boolean,
    "bool": _boolean,
    **dict.fromkeys(("int", "integer", "long", "short", "int16_t", "int32_t", "int64_t"), int),
    **dict.fromkeys(("float", "double", "long double"), float),
}
