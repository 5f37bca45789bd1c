"""DOT of Graphviz, read by pydot (the extra `dot`). Attributes are texts."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import networkx as nx

from ...distribution import how_to_install
from ...errors import CircuitError
from ..roles import synapse_label
from .format import Format, one
from .raw import Attributes, Edge, Node, RawGraph, with_signs
from .source import Source
from .tables import Ends
from .writing import neurons_of, synapses_of, text_in_file, texts_of_names

_MARK = "// ganglion-circuit\n"


def decode(sources: Sequence[Source], _: Ends = None) -> RawGraph:
    """The graph in a DOT file, with the nodes and edges of its subgraphs.

    Raises:
        CircuitError: this is not DOT.
        ImportError: pydot is not installed.
    """
    (source,) = sources
    try:
        import pydot
    except ImportError:
        raise ImportError(
            f"{source.path}: DOT is read with pydot, which is not installed: {how_to_install('dot')}; "
            "GraphML, GEXF and JSON need nothing",
            name="pydot",
        ) from None
    text = source.text()
    try:
        # pydot prints the text and what is wrong in it, besides raising it.
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore", DeprecationWarning)  # pydot's use of its own parser
            graphs = pydot.graph_from_dot_data(text)
    except Exception as error:  # a parser of another library: whatever it raises, the file is no DOT
        raise source.error(f"this is not DOT: {_first_line(error)}") from None
    if not graphs:
        raise source.error("this is not DOT: expected digraph { ... }")
    if len(graphs) > 1:
        raise source.error(f"the file holds {len(graphs)} graphs; a file holds one circuit")
    (graph,) = graphs
    directed = graph.get_type() == "digraph"
    raw = RawGraph("DOT", directed=directed, own=text.startswith(_MARK))
    raw.names = () if raw.own else ("label",)
    raw.node_error = lambda problem, at: source.error(problem, f"node {at}")
    raw.edge_error = lambda problem, at: source.error(problem, f"edge {at}")
    nodes: dict[str, Attributes] = {}
    _collect(graph, nodes, raw, {}, {})
    raw.nodes = [Node(name, data, k) for k, (name, data) in enumerate(nodes.items())]
    return with_signs(raw)


def _collect(
    graph: Any, nodes: dict[str, Attributes], raw: RawGraph, node: Attributes, edge: Attributes
) -> None:
    """The statements of a graph and of its subgraphs, which inherit the defaults."""
    node, edge = dict(node), dict(edge)
    for found in graph.get_nodes():
        name = _plain(found.get_name())
        given = _attributes(found)
        if name in ("node", "edge", "graph") and not found.get_name().startswith('"'):
            {"node": node, "edge": edge, "graph": {}}[name].update(given)
        else:
            nodes.setdefault(name, {}).update({**node, **given})
    for found in graph.get_edges():
        given = {**edge, **_attributes(found)}
        for pre in _ends(found.get_source()):
            for post in _ends(found.get_destination()):
                for end in (pre, post):
                    nodes.setdefault(end, dict(node))
                raw.edges.append(Edge(pre, post, dict(given), len(raw.edges)))
    for inner in graph.get_subgraphs():
        _collect(inner, nodes, raw, node, edge)


def _ends(end: Any) -> Iterator[str]:
    """The node at an end of an edge, without its port; or the nodes of a subgraph."""
    if isinstance(end, str):
        found = re.match(r'"(?:[^"\\]|\\.)*"|[^:]+', end)
        yield _plain(found[0] if found else end)
    else:
        names = end.get_nodes() if hasattr(end, "get_nodes") else end.get("nodes", {})
        for name in names:
            yield _plain(name if isinstance(name, str) else name.get_name())


def _attributes(found: Any) -> Attributes:
    data = {_plain(key): _plain(value) for key, value in found.get_attributes().items() if value is not None}
    if data.get("label") in ("\\N", ""):
        del data["label"]
    return data


def _plain(text: Any) -> str:
    plain = str(text).strip()
    if len(plain) > 1 and plain[0] == plain[-1] == '"':
        plain = re.sub(r"\\(.)", lambda found: found[1] if found[1] in '"\\' else found[0], plain[1:-1])
    return plain


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def encode(circuit: nx.DiGraph[Any], strict: bool = True) -> bytes:
    """The circuit as DOT, for Graphviz to draw.

    Raises:
        CircuitError: a text that DOT cannot hold.
    """
    texts = texts_of_names(circuit)
    lines = [f"{_MARK}digraph {{"]
    lines += [
        f"{_quoted('the circuit', str(key))}={_value('the circuit', value)};"
        for key, value in circuit.graph.items()
    ]
    for name, data in neurons_of(circuit, strict):
        owner = f"neuron {name!r}"
        lines.append(f"{_quoted(owner, texts[name])} [{_list(owner, data)}];")
    for pre, post, data in synapses_of(circuit, strict):
        owner = synapse_label(pre, post)
        lines.append(f"{_quoted(owner, texts[pre])} -> {_quoted(owner, texts[post])} [{_list(owner, data)}];")
    return "\n".join([*lines, "}", ""]).encode()


def _list(owner: str, data: Attributes) -> str:
    return ", ".join(f"{_quoted(owner, key)}={_value(owner, value)}" for key, value in data.items())


def _value(owner: str, value: Any) -> str:
    return _quoted(owner, text_in_file(owner, value))


def _quoted(owner: str, text: str) -> str:
    if illegal := re.search("[\ud800-\udfff\x00-\x1f\x7f-\x9f\\\\\u2028\u2029]", text):
        raise CircuitError(f"{owner} holds the character {illegal[0]!r}, which DOT cannot hold; write .json")
    return '"' + text.replace('"', '\\"') + '"'


FORMAT = Format(
    "DOT",
    (".dot", ".gv"),
    decode,
    lambda head: re.match(r"(?s)(//.*?\n\s*|strict\s+)*(di)?graph\b", head) is not None,
    one(encode),
)
