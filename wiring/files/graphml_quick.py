"""GraphML in the plain form that programs write, by Python's parser in C: there may be millions of edges.

Whatever is of another form, or wrong, is left to `graphml_reader`, which knows dialects and lines.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, ParseError, iterparse

from ...errors import CircuitError
from .graphml_reader import OWN, Key, dialect
from .raw import Attributes, Edge, Node, RawGraph

_HEAD = 200  # bytes in which the encoding is declared


def plain_graph(data: bytes) -> RawGraph | None:
    """The graph, whose nodes and edges say which they are instead of the line; None to let `Reader` look."""
    head = data[:_HEAD].lower()
    plain = head.lstrip().startswith((b"<?xml", b"<graphml")) and (
        b"encoding" not in head or b"utf-8" in head
    )
    if not plain or b"<!" in data or data.count(b"<?") > 1:  # declarations, comments, instructions
        return None
    try:
        return _Quick().read(data)
    except (_OtherFormError, ParseError, CircuitError, LookupError, ValueError):
        return None


class _OtherFormError(Exception):
    """Something that `Reader` must look at."""


class _Quick:
    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], Key] = {}
        # By scope and id: the name, how to read a value, and whether an empty one counts.
        self._known: dict[str, dict[str, tuple[str | None, Callable[[str], Any], bool]]] = {}
        self._tags: dict[str, str] = {}
        self._default: str | None = None
        self._graph: Element | None = None
        self._read = 0  # data elements that were read

    def read(self, data: bytes) -> RawGraph:
        raw = RawGraph("GraphML", fresh=True)
        nodes, edges, seen = raw.nodes, raw.edges, 0
        for _, element in iterparse(io.BytesIO(data)):
            tag = self._tags.get(element.tag) or self._tag(element.tag)
            if tag == "edge":
                given = element.attrib
                if "directed" in given:
                    raise _OtherFormError
                edges.append(
                    Edge(given["source"], given["target"], self._values("edge", element), len(edges))
                )
                element.clear()
            elif tag == "data":
                seen += 1
            elif tag == "node":
                nodes.append(Node(element.attrib["id"], self._values("node", element), len(nodes)))
                element.clear()
            elif tag == "default":
                self._default = element.text or ""
            elif tag == "key":
                self._declare(element)
            elif tag == "graph":
                if self._graph is not None or element.attrib["edgedefault"] != "directed":
                    raise _OtherFormError
                self._graph = element
        return self._whole(raw, seen)

    def _whole(self, raw: RawGraph, seen: int) -> RawGraph:
        graph = self._graph
        if graph is None:
            raise _OtherFormError
        own = [child for child in graph if child.tag and self._tags[child.tag] == "data"]
        raw.own = graph.attrib.get("id") == OWN
        raw.graph = self._data("graph", own)
        if seen != self._read or len(graph) != len(raw.nodes) + len(raw.edges) + len(own):
            raise _OtherFormError  # something stands where it should not
        dialect(raw, self._keys.values(), yed=False)
        if raw.own:
            return raw
        raw.graph = {**self._defaults("graph"), **_kept(raw.graph)}
        for scope, records in (("node", raw.nodes), ("edge", raw.edges)):
            defaults = self._defaults(scope)
            for record in records:
                held = _kept(record.data)
                record.data.clear()
                record.data.update(defaults)
                record.data.update(held)
        return raw

    def _tag(self, full: str) -> str:
        space, _, tag = full.rpartition("}")
        if tag not in ("graphml", "key", "default", "graph", "node", "edge", "data"):
            raise _OtherFormError
        if self._tags and {known.rpartition("}")[0] for known in self._tags} != {space}:
            raise _OtherFormError
        self._tags[full] = tag
        return tag

    def _declare(self, element: Element) -> None:
        given = element.attrib
        scope, identifier = given.get("for", "all"), given["id"]
        if "yfiles.type" in given or (scope, identifier) in self._keys or len(element) > 1:
            raise _OtherFormError
        default = self._default if len(element) else None
        key = Key(scope, given.get("attr.name"), given.get("attr.type", "string"), default, 0)
        self._keys[scope, identifier] = key
        for known in ("graph", "node", "edge") if scope == "all" else (scope,):
            if scope != "all" or (known, identifier) not in self._keys:
                self._known.setdefault(known, {})[identifier] = (
                    key.name,
                    key.convert(),
                    key.kind == "string",
                )

    def _values(self, scope: str, element: Element) -> Attributes:
        return self._data(scope, list(element)) if len(element) else {}

    def _data(self, scope: str, children: list[Element]) -> Attributes:
        known, found = self._known[scope] if children else {}, {}
        for child in children:
            if self._tags[child.tag] != "data" or len(child):
                raise _OtherFormError
            name, convert, text_counts = known[child.attrib["key"]]
            text = child.text or ""
            if name is not None and (text_counts or text.strip()):
                if name in found:
                    raise _OtherFormError
                found[name] = convert(text)
        self._read += len(children)
        return found

    def _defaults(self, scope: str) -> Attributes:
        keys = [key for key in self._keys.values() if key.scope in (scope, "all")]
        return {key.name: key.value(key.default) for key in keys if key.name and key.default is not None}


def _kept(data: Attributes) -> Attributes:
    """The attributes that are set; editors write an empty element for one that is not."""
    return {key: value for key, value in data.items() if not isinstance(value, str) or value.strip()}
