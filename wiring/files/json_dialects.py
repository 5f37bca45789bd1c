"""JSON of other programs: networkx (node-link, adjacency), Cytoscape.js, graphology, d3 and vis.js."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from ...arguments import counted
from ...errors import CircuitError
from ..roles import label
from .raw import Attributes, Edge, Node, RawGraph

_EXPECTED = (
    'not a circuit: expected an object with "format": "ganglion-circuit", or with "nodes" and "links", '
    '"edges" or "adjacency" (networkx), or with "elements" (Cytoscape.js)'
)
_PRE, _POST = ("source", "from", "pre"), ("target", "to", "post")


def read_dialect(document: Any, error: Callable[..., CircuitError]) -> RawGraph:
    """The raw graph in a document of another program.

    Raises:
        CircuitError: it is no graph, and what was expected.
    """
    try:
        if isinstance(document, list):
            return _elements(document, {})
        if isinstance(document, dict):
            if "elements" in document:
                return _elements(document["elements"], document)
            if isinstance(document.get("nodes"), list):
                if isinstance(document.get("adjacency"), list):
                    return _adjacency(document)
                for key in ("links", "edges"):
                    if isinstance(document.get(key), list):
                        return _node_link(document, key)
    except _Fault as fault:
        raise error(fault.problem, fault.where) from None
    raise error(_EXPECTED)


class _Fault(Exception):
    def __init__(self, where: str, problem: str) -> None:
        super().__init__(problem)
        self.where, self.problem = where, problem


def _node_link(document: dict[str, Any], key: str) -> RawGraph:
    """networkx's node-link data; d3, whose links count the nodes; graphology; vis.js."""
    raw = _whole(document, f"node-link JSON ({key!r})")
    records = [_record(record, f"nodes[{k}]") for k, record in enumerate(document["nodes"])]
    links = [_record(record, f"edges[{k}]") for k, record in enumerate(document[key])]
    identifier = next(
        (name for name in ("id", "key", "name") if any(name in record for record in records)), None
    )
    for k, record in enumerate(records):
        if identifier is not None and identifier not in record:
            raise _Fault(f"nodes[{k}]", f'there is no "{identifier}" in {label(record, 60)}')
        name = k if identifier is None else _name(record.pop(identifier), f"nodes[{k}]")
        raw.nodes.append(Node(name, record, k))
    ids = {node.id for node in raw.nodes}
    for k, link in enumerate(links):
        pre, post = (_end(link, names, f"edges[{k}]") for names in (_PRE, _POST))
        if identifier != "id":  # d3 counts
            pre, post = (_counted(end, ids, raw.nodes) for end in (pre, post))
        raw.edges.append(Edge(pre, post, link, k))
    return raw


def _counted(end: Hashable, ids: set[Hashable], nodes: list[Node]) -> Hashable:
    if type(end) is int and end not in ids and 0 <= end < len(nodes):
        return nodes[end].id
    return end


def _adjacency(document: dict[str, Any]) -> RawGraph:
    raw = _whole(document, "adjacency JSON of networkx")
    for k, given in enumerate(document["nodes"]):
        record = _record(given, f"nodes[{k}]")
        raw.nodes.append(Node(_end(record, ("id",), f"nodes[{k}]"), record, k))
    rows = document["adjacency"]
    if len(rows) != len(raw.nodes) or not all(isinstance(row, list) for row in rows):
        raise _Fault(
            "adjacency",
            f"expected one list for each of {counted(len(raw.nodes), 'node')}, got {label(rows, 60)}",
        )
    for k, row in enumerate(rows):
        for given in row:
            record = _record(given, f"adjacency[{k}]")
            raw.edges.append(
                Edge(raw.nodes[k].id, _end(record, ("id",), f"adjacency[{k}]"), record, len(raw.edges))
            )
    if not raw.directed:  # each edge stands in the rows of both its ends
        place = {node.id: k for k, node in enumerate(raw.nodes)}
        raw.edges = [edge for edge in raw.edges if place[edge.pre] <= place.get(edge.post, len(place))]
    return raw


def _elements(elements: Any, document: dict[str, Any]) -> RawGraph:
    """Cytoscape.js: two lists, or one in which edges are the elements with a source."""
    if isinstance(elements, dict):
        nodes, edges = elements.get("nodes", []), elements.get("edges", [])
    else:
        listed = elements if isinstance(elements, list) else []
        found = [_record(element, f"elements[{k}]") for k, element in enumerate(listed)]
        if not found or not all(isinstance(element.get("data"), dict) for element in found):
            raise _Fault("", _EXPECTED)
        edges = [element for element in found if "source" in element["data"]]
        nodes = [element for element in found if "source" not in element["data"]]
    if not isinstance(nodes, list) or not isinstance(edges, list):
        raise _Fault("elements", f"expected lists of nodes and edges, got {label(elements, 60)}")
    raw = RawGraph("Cytoscape.js JSON", directed=document.get("directed") is not False)
    raw.names = ("name", "label", "shared_name")
    raw.graph = _pairs(document.get("data"))
    for k, given in enumerate(nodes):
        record = _record(_record(given, f"nodes[{k}]").get("data"), f"nodes[{k}]")
        name = _end(record, ("id",), f"nodes[{k}]")
        if record.get("value") == name:
            del record["value"]  # networkx writes the name once more
        raw.nodes.append(Node(name, {**record, **_position(given)}, k))
    for k, given in enumerate(edges):
        record = _record(_record(given, f"edges[{k}]").get("data"), f"edges[{k}]")
        pre, post = (_end(record, names, f"edges[{k}]") for names in (_PRE, _POST))
        raw.edges.append(Edge(pre, post, record, k))
    return raw


def _position(element: dict[str, Any]) -> Attributes:
    position = element.get("position")
    if not isinstance(position, dict):
        return {}
    return {key: position[key] for key in ("x", "y") if isinstance(position.get(key), int | float)}


def _whole(document: dict[str, Any], form: str) -> RawGraph:
    directed = document.get("directed", document.get("options", {}).get("type") != "undirected"
                            if isinstance(document.get("options"), dict) else True)  # fmt: skip
    graph = _pairs(document.get("graph", document.get("attributes")))
    return RawGraph(form, graph=graph, directed=directed is not False)


def _pairs(given: Any) -> Attributes:
    """The attributes of the whole, an object or a list of pairs."""
    if isinstance(given, dict):
        return dict(given)
    if isinstance(given, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in given):
        return {str(key): value for key, value in given}
    return {}


def _record(given: Any, where: str) -> Attributes:
    if not isinstance(given, dict):
        raise _Fault(where, f"expected an object, got {label(given, 60)}")
    record = dict(given)
    inner = record.pop("attributes", None)
    if isinstance(inner, dict):
        record.update(inner)
    elif inner is not None:
        record["attributes"] = inner
    return record


def _end(record: Attributes, names: tuple[str, ...], where: str) -> Hashable:
    for name in names:
        if name in record:
            return _name(record.pop(name), where)
    raise _Fault(where, f'there is no "{names[0]}" in {label(record, 60)}')


def _name(value: Any, where: str) -> Hashable:
    if isinstance(value, list):
        return tuple(_name(part, where) for part in value)
    if isinstance(value, dict) and "id" in value:  # d3 puts the node itself
        return _name(value["id"], where)
    if isinstance(value, str | int | float):
        return value
    raise _Fault(where, f"a name is a text, a number or a list of these, got {label(value, 60)}")
