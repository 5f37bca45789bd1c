"""Which reader a source needs: a file's format, or the kind of the object."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import networkx as nx

from ...arguments import mapping_of
from ...errors import CircuitError
from ..files.formats import File, open_file, read_neurons
from ..files.raw import Node, RawGraph
from ..files.tables import Ends, nodes_of_columns
from ..roles import label
from ..words import suggestion
from . import objects

Source: TypeAlias = Any


def file_in(source: Source, form: str | None) -> File | None:
    """The file that a source is or names; None for any other source."""
    return open_file(source, form) if _is_file(source) else None


def open_source(source: Source, ends: Ends, neurons: Any) -> tuple[RawGraph, str]:
    """The raw graph of any source, of a file once it is open, and what to call the source in the report."""
    if isinstance(source, File):
        raw, called = source.decode(ends), source.called
    else:
        raw, called = _object(source, ends), type(source).__name__
    if neurons is not None:
        _join(raw, _neuron_table(neurons))
    return raw, called


def _is_file(source: Any) -> bool:
    return isinstance(source, str | os.PathLike) or hasattr(source, "read")


def _object(source: Any, ends: Ends) -> RawGraph:
    if isinstance(source, nx.Graph):
        return objects.of_networkx(source)
    if hasattr(source, "vs") and hasattr(source, "es"):
        return objects.of_igraph(source)
    if hasattr(source, "columns"):
        return objects.of_frame(source, ends)
    if hasattr(source, "shape"):
        return objects.of_matrix(source)
    if isinstance(source, Mapping):
        try:
            return objects.of_networkx(nx.DiGraph(source))
        except (nx.NetworkXError, TypeError, ValueError):
            raise TypeError(
                f"a mapping must be of names to lists or mappings of names, got {label(source)}"
            ) from None
    if isinstance(source, Iterable):
        return objects.of_triples(source)
    raise TypeError(
        f"expected a path, an open file, a graph, a matrix, a table or a list of edges, got "
        f"{type(source).__name__}"
    )


def _neuron_table(neurons: Any) -> RawGraph:
    if isinstance(neurons, Mapping):
        return RawGraph("a mapping", [Node(name, _attributes(name, data)) for name, data in neurons.items()])
    if hasattr(neurons, "columns"):
        return nodes_of_columns(RawGraph("a frame"), objects.columns_of(neurons))
    if _is_file(neurons):
        return read_neurons(neurons)
    raise TypeError(f"neurons: expected a path, a frame or a mapping, got {type(neurons).__name__}")


def _attributes(name: Any, given: Any) -> dict[str, Any]:
    return dict(mapping_of(f"neurons: what is given for {label(name)}", given, "attributes to values"))


def _join(raw: RawGraph, table: RawGraph) -> None:
    """The nodes of a second table, with the edges of the first source; names are compared as texts."""
    name_of = {_text(node.id): node.id for node in table.nodes}
    if lost := [node.id for node in raw.nodes if _text(node.id) not in name_of]:
        raise CircuitError(
            f"neurons: {len(lost)} neurons of the edges are not in it, such as {label(lost[0])}"
            f"{suggestion(lost[0], name_of)}"
        )
    found = {name_of[_text(node.id)]: node.data for node in raw.nodes}
    raw.nodes = [Node(node.id, {**found.get(node.id, {}), **node.data}, node.at) for node in table.nodes]
    raw.edges = [e._replace(pre=name_of[_text(e.pre)], post=name_of[_text(e.post)]) for e in raw.edges]
    raw.node_error, raw.closed = table.node_error, True


def _text(name: Any) -> str:
    return " ".join(str(name).split())
