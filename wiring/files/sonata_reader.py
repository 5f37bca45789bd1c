"""The graph in SONATA files: populations of nodes, and edges between them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ...arguments import counted
from ...distribution import how_to_install
from ...errors import CircuitError
from ..digest import ELECTRICAL
from .raw import Attributes, Edge, Node, RawGraph
from .source import Source

NODES, EDGES = "nodes", "edges"
MARK, NAME = "ganglion", "neuron"
"""The attribute of a file that a file of ours has, and the column of a neuron's name there."""
RENAMED = {"syn_weight": "weight"}
"""Columns that SONATA has another word for."""
MOST = 100_000_000
"""Numbers in a column: a file of a kilobyte may say that it has any number of zeros."""


def hdf5() -> Any:
    """The library, or an `ImportError` that says what brings it."""
    try:
        import h5py
    except ImportError:
        raise ImportError(
            f"SONATA is read and written with h5py, which is not installed: {how_to_install('sonata')}; "
            "GraphML, GEXF and JSON need nothing",
            name="h5py",
        ) from None
    return h5py


class Reader:
    """The files of one network."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.h5py = hdf5()
        self.tables = [source for source in sources if source.path.suffix == ".csv"]
        self.files = [source for source in sources if source.path.suffix != ".csv"]
        self.raw = RawGraph("SONATA")
        self.raw.node_error = lambda problem, k: self.files[0].error(problem, f"node {k}")
        self.raw.edge_error = lambda problem, k: self.files[-1].error(problem, f"edge {k}")
        self.names: dict[str, list[str]] = {}
        self.places: dict[str, dict[int, int]] = {}

    def graph(self) -> RawGraph:
        """The graph.

        Raises:
            CircuitError: what is wrong, and where.
        """
        types = {source.path.name: _types(source) for source in self.tables}
        seen = set()
        for part, read in ((NODES, self._nodes), (EDGES, self._edges)):
            known = next((t for name, t in types.items() if name.endswith(f"{part[:-1]}_types.csv")), {})
            for source in self.files:
                try:
                    with self.h5py.File(io.BytesIO(source.data), "r") as file:
                        if part in file:
                            seen.add(part)
                            self.raw.own = MARK in file.attrs
                            self._populations(source, _group(file, part), read, known)
                except CircuitError:
                    raise
                except Exception as error:  # of HDF5, which has its own for each kind of damage
                    text = " ".join(str(error).split())[:200]
                    raise source.error(f"this is no SONATA file, or it is damaged: {text}") from None
        for part in {NODES, EDGES} - seen:
            raise self.files[0].error(f"there are no /{part} in it: a SONATA network has nodes and edges")
        return self.raw

    def _populations(self, source: Source, part: Any, read: Any, known: Mapping[str, Attributes]) -> None:
        populations = list(part)
        for name in populations:
            try:
                read(_group(part, name), name, len(populations) > 1, known)
            except CircuitError as error:
                raise source.error(error, f"population {name!r}") from None

    def _nodes(self, population: Any, name: str, several: bool, known: Mapping[str, Attributes]) -> None:
        count = len(_column(population, "node_type_id"))
        records = self._records(population, "node", count, known)
        if self.raw.own:
            self.raw.graph = {key: _plain(value) for key, value in population.attrs.items()}
            if any(NAME not in record for record in records):
                raise CircuitError(f"a node of a circuit of Ganglion has no {NAME!r}")
            names = [str(record.pop(NAME)) for record in records]
        else:
            ids: Sequence[int] = range(count)
            if "node_id" in population:
                ids = _column(population, "node_id").tolist()
                self.places[name] = {node: k for k, node in enumerate(ids)}
                if not len(self.places[name]) == len(ids) == count:
                    raise CircuitError(
                        f"node_id has {counted(len(self.places[name]), 'number')} for "
                        f"{counted(count, 'node')}"
                    )
            names = [f"{name}_{k}" if several else str(k) for k in ids]
        self.names[name] = names
        start = len(self.raw.nodes)
        self.raw.nodes += [
            Node(n, data, start + k) for k, (n, data) in enumerate(zip(names, records, strict=True))
        ]

    def _edges(self, population: Any, name: str, _: bool, known: Mapping[str, Attributes]) -> None:
        ends = []
        for side in ("source_node_id", "target_node_id"):
            ids = _column(population, side)
            of = _plain(population[side].attrs.get("node_population", next(iter(self.names), "")))
            if of not in self.names:
                raise CircuitError(f"{side} is of the population {of!r}, which the nodes do not have")
            if ids.dtype.kind not in "iu":
                raise CircuitError(f"{side} has {ids.dtype} values: expected numbers of nodes")
            names, places = self.names[of], self.places.get(of)
            for k in set(ids.tolist()):
                if not (0 <= k < len(names) if places is None else k in places):
                    raise CircuitError(f"{side} names node {k}, but {of!r} has {counted(len(names), 'node')}")
            ends.append([names[k if places is None else places[k]] for k in ids.tolist()])
        if len(ends[0]) != len(ends[1]):
            raise CircuitError(
                f"there are {counted(len(ends[0]), 'source')}, but {counted(len(ends[1]), 'target')}"
            )
        records = self._records(population, "edge", len(ends[0]), known)
        start = len(self.raw.edges)
        for k, (pre, post, data) in enumerate(zip(*ends, records, strict=True)):
            kept = {RENAMED.get(key, key): value for key, value in data.items()}
            if not self.raw.own and name.casefold().find("gap_junction") >= 0:
                kept.setdefault("kind", ELECTRICAL)
            self.raw.edges.append(Edge(pre, post, kept, start + k))

    def _records(
        self, population: Any, word: str, count: int, known: Mapping[str, Attributes]
    ) -> list[Attributes]:
        """The attributes of each node or edge: those of its type, and those of its group over them."""
        of_type: list[Attributes] = [{} for _ in range(count)]
        if f"{word}_type_id" in population and known:
            types = _column(population, f"{word}_type_id").tolist()
            of_type = [dict(known.get(str(each), {})) for each in types]
        groups = {key: dict(self._columns(_group(population, key))) for key in population if key.isdecimal()}
        if not groups:
            return of_type
        if f"{word}_group_id" in population:
            group = _column(population, f"{word}_group_id").tolist()
            index = _column(population, f"{word}_group_index").tolist()
        elif len(groups) == 1:
            group, index = [int(next(iter(groups)))] * count, list(range(count))
        else:
            raise CircuitError(f"it has {counted(len(groups), 'group')} and no {word}_group_id")
        if not len(of_type) == len(group) == len(index):
            raise CircuitError(
                f"{word}_group_id has {counted(len(group), 'number')}, and there are {count} {word}s"
            )
        for record, number, k in zip(of_type, group, index, strict=True):
            columns = groups.get(str(number))
            if columns is None or any(not 0 <= k < len(values) for values in columns.values()):
                raise CircuitError(
                    f"one {word} is said to be number {k} of group {number}, which is not there"
                )
            record.update({key: values[k] for key, values in columns.items()})
        return of_type

    def _columns(self, group: Any) -> Iterator[tuple[str, list[Any]]]:
        library = _group(group, "@library") if "@library" in group else {}
        for name in group:
            if name == "@library":
                continue
            if not _is_inside(group, name) or not hasattr(group[name], "dtype"):
                self.raw.notes.append(f"{name!r} of {group.name} was left out")
                continue
            if group[name].ndim != 1:
                self.raw.notes.append(
                    f"{name!r} of {group.name} was left out: it has {group[name].ndim} axes"
                )
                continue
            values = _column(group, name).tolist()
            if name in library:
                words = _column(library, name).tolist()
                values = [words[k] for k in values]
            yield name, [_plain(value) for value in values]


def _group(parent: Any, name: str) -> Any:
    """A group of the file itself: a link could lead to any other file."""
    found = parent[name] if _is_inside(parent, name) else None
    if not hasattr(found, "keys"):
        raise CircuitError(f"{parent.name.rstrip('/')}/{name} is no group")
    return found


def _column(parent: Any, name: str) -> Any:
    """The numbers or texts of a dataset with one axis."""
    found: Any = parent[name] if _is_inside(parent, name) else None
    if not hasattr(found, "dtype"):
        raise CircuitError(f"there is no {name}")
    if found.ndim != 1 or found.size > MOST or found.is_virtual or found.external:
        raise CircuitError(
            f"{name} has shape {found.shape}: expected one axis of at most {MOST} values, in this file"
        )
    kind = found.dtype.kind
    if kind == "O":
        return np.array(found.asstr()[:], object)
    if kind not in "iufbS":
        raise CircuitError(f"{name} holds values of type {found.dtype}: expected numbers or texts")
    return found[:]


def _is_inside(parent: Any, name: str) -> bool:
    link = parent.get(name, getlink=True)
    return link is not None and type(link).__name__ == "HardLink"


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if isinstance(value, np.generic) else value


def _types(source: Source) -> dict[str, Attributes]:
    """A table of types: blanks between its cells, and the number of the type in the first."""
    found: dict[str, Attributes] = {}
    text = source.text()
    header, *rows = csv.reader(io.StringIO(text), delimiter=" ", skipinitialspace=True)
    for line, row in enumerate(rows, 2):
        if not any(row):
            continue
        if len(row) < len(header):
            raise source.error(
                f"expected {counted(len(header), 'cell')}, as in the header, got {len(row)}", f"line {line}"
            )
        own, *values = row
        found[own] = {
            key: _number(v) for key, v in zip(header[1:], values, strict=False) if v not in ("", "NULL")
        }
    return found


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
