"""Graphs that are objects of other libraries, told by what they have and not by their class."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import networkx as nx
import numpy as np

from ...errors import CircuitError
from ..circuit import Circuit
from ..files.raw import Edge, Node, RawGraph
from ..files.tables import Ends, edges_of_columns
from ..roles import label


def of_networkx(graph: nx.Graph[Any]) -> RawGraph:
    """A networkx graph of any class. A Circuit is taken as it is: its signs and roles are no hints."""
    nodes = [Node(name, dict(data), k) for k, (name, data) in enumerate(graph.nodes(data=True))]
    edges = [Edge(u, v, dict(data), k) for k, (u, v, data) in enumerate(graph.edges(data=True))]
    form = f"networkx.{type(graph).__name__}" if not isinstance(graph, Circuit) else "a Circuit"
    directed = graph.is_directed()
    return RawGraph(form, nodes, edges, dict(graph.graph), directed, own=isinstance(graph, Circuit))


def of_igraph(graph: Any) -> RawGraph:
    """A graph of python-igraph; what it calls `name` is the name."""
    nodes = [Node(k, _set(vertex.attributes()), k) for k, vertex in enumerate(graph.vs)]
    edges = [Edge(e.source, e.target, _set(e.attributes()), k) for k, e in enumerate(graph.es)]
    whole = {key: graph[key] for key in graph.attributes()}
    return RawGraph("an igraph graph", nodes, edges, whole, graph.is_directed(), names=("name", "label"))


def _set(attributes: dict[str, Any]) -> dict[str, Any]:
    """igraph gives every vertex every attribute, None where it was not set."""
    return {key: value for key, value in attributes.items() if value is not None}


def of_matrix(matrix: Any, names: list[Any] | None = None) -> RawGraph:
    """A (n, n) matrix of NumPy, SciPy or MLX: entry (i, j) is the synapse i -> j, its sign the polarity."""
    shape = tuple(matrix.shape)
    if len(shape) != 2 or shape[0] != shape[1]:
        raise CircuitError(
            f"a matrix of synapses is square, one row and column per neuron, got shape {shape}; "
            "entry (i, j) is the synapse i -> j"
        )
    if hasattr(matrix, "tocoo"):
        entries = matrix.tocoo()
        pre, post, values = entries.row, entries.col, np.asarray(entries.data)
    else:
        dense = np.asarray(matrix)
        if dense.dtype.kind not in "biuf":
            raise CircuitError(f"a matrix of synapses holds numbers, got {dense.dtype}")
        pre, post = np.nonzero(dense)
        values = dense[pre, post]
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        k = int(np.flatnonzero(~np.isfinite(values))[0])
        raise CircuitError(
            f"entry ({pre[k]}, {post[k]}) of the matrix is {values[k]}; expected a finite number"
        )
    values = values.astype(np.int8) if values.dtype.kind == "b" else values
    ids: list[Any] = list(range(shape[0])) if names is None else names
    edges = [
        Edge(ids[i], ids[j], {"weight": value}, k)
        for k, (i, j, value) in enumerate(zip(pre.tolist(), post.tolist(), values.tolist(), strict=True))
    ]
    nodes = [Node(name, {}, k) for k, name in enumerate(ids)]
    return RawGraph(f"a matrix of shape {shape}", nodes, edges, signed=True)


def columns_of(frame: Any) -> dict[Any, list[Any]]:
    """The columns of a pandas, polars or Arrow table as lists, missing values as None."""
    names = list(getattr(frame, "column_names", frame.columns))
    return {name: [None if _missing(value) else value for value in _listed(frame[name])] for name in names}


def _listed(column: Any) -> list[Any]:
    for method in ("to_list", "tolist", "to_pylist"):
        if hasattr(column, method):
            return list(getattr(column, method)())
    return list(column)


def _missing(value: Any) -> bool:
    return (
        value is None
        or (isinstance(value, float) and value != value)
        or type(value).__name__ in ("NAType", "NaTType")
    )


def of_frame(frame: Any, ends: Ends) -> RawGraph:
    """A table of edges, or a pandas matrix whose index and columns are the same names."""
    columns = list(frame.columns)
    index = getattr(frame, "index", None)
    if ends is None and index is not None and len(index) == len(columns) and list(index) == columns:
        return of_matrix(frame.to_numpy(), columns)
    return edges_of_columns(
        RawGraph(f"a {type(frame).__module__.partition('.')[0]} frame of edges"), columns_of(frame), ends
    )


def of_triples(source: Iterable[Any]) -> RawGraph:
    """Edges as (pre, post), (pre, post, weight) or (pre, post, attributes)."""
    nodes: dict[Hashable, Node] = {}
    edges = []
    signed = False
    for k, edge in enumerate(source):
        if not isinstance(edge, tuple | list) or len(edge) not in (2, 3):
            raise CircuitError(
                f"edge {k}: expected (pre, post), (pre, post, weight) or (pre, post, attributes), got "
                f"{label(edge)}"
            )
        for end in edge[:2]:
            try:
                nodes.setdefault(end, Node(end, {}, k))
            except TypeError:
                raise CircuitError(f"edge {k}: a neuron's name must be hashable, got {label(end)}") from None
        data = edge[2] if len(edge) == 3 else {}
        if not isinstance(data, dict):
            signed, data = True, {"weight": data}
        edges.append(Edge(edge[0], edge[1], dict(data), k))
    raw = RawGraph("a list of edges", list(nodes.values()), edges, closed=False, signed=signed)
    raw.edge_error = lambda problem, at: CircuitError(f"edge {at}: {problem}")
    return raw
