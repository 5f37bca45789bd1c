"""SONATA: nodes and edges in HDF5, as large models of the brain are exchanged. It needs h5py.

A circuit is two files, `c_nodes.h5` and `c_edges.h5`. SONATA puts nodes of the same attributes into one
group, and so do we: what a neuron does not have is in no column of its group. Names are texts.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from ...errors import CircuitError
from ..roles import synapse_label
from .format import Format
from .raw import Attributes, RawGraph
from .sonata_reader import EDGES, MARK, NAME, NODES, RENAMED, Reader, hdf5
from .source import Source
from .tables import Ends
from .writing import neurons_of, require_texts, synapses_of, texts_of_names, unboxed

_MAGIC, _VERSION = 0x0A7A, (0, 1)
_POPULATION = "neurons"
_TYPES: dict[type, Any] = {bool: np.bool_, int: np.int64, float: np.float64, str: None}
_PARTS = ("nodes", "edges")


def decode(sources: Sequence[Source], _: Ends = None) -> RawGraph:
    """The graph in the files of a SONATA network, or in one file with both parts.

    Raises:
        CircuitError: what is wrong, and where.
        ImportError: h5py is not installed.
    """
    return Reader(sources).graph()


def encode(circuit: nx.DiGraph[Any], strict: bool = True) -> tuple[bytes, bytes]:
    """The nodes and the edges.

    Raises:
        CircuitError: an attribute that is no text, number or boolean, or a name that HDF5 does not hold.
        ImportError: h5py is not installed.
    """
    texts = texts_of_names(circuit)
    place = {name: k for k, name in enumerate(texts)}
    require_texts("the circuit", circuit.graph)
    nodes = []
    for name, data in neurons_of(circuit, strict):
        if NAME in data:
            raise CircuitError(f"neuron {name!r} has an attribute {NAME!r}, which in SONATA is its name")
        nodes.append((f"neuron {name!r}", {NAME: texts[name], **data}))
    edges, pairs = [], []
    for pre, post, data in synapses_of(circuit, strict):
        if taken := data.keys() & RENAMED.keys():
            raise CircuitError(
                f"{synapse_label(pre, post)} has an attribute {min(taken)!r}, which in SONATA is 'weight'"
            )
        pairs.append((place[pre], place[post]))
        names = {ours: theirs for theirs, ours in RENAMED.items()}
        edges.append((synapse_label(pre, post), {names.get(key, key): v for key, v in data.items()}))
    ends = np.array(pairs, np.int64).reshape(-1, 2)
    whole = {key: _plain(f"attribute {key!r} of the circuit", value) for key, value in circuit.graph.items()}
    joined = {"source_node_id": ends[:, 0], "target_node_id": ends[:, 1]}
    return (
        _file(NODES, _POPULATION, nodes, {"node_id": np.arange(len(nodes))}, whole),
        _file(EDGES, f"{_POPULATION}_to_{_POPULATION}", edges, joined, {}),
    )


def _file(
    part: str,
    population: str,
    records: Sequence[tuple[str, Attributes]],
    columns: Mapping[str, Any],
    whole: Mapping[str, Any],
) -> bytes:
    """One file; `whole` are attributes of the circuit, which lie on its population."""
    word = part.removesuffix("s")
    kinds: dict[tuple[tuple[str, type], ...], list[int]] = {}
    plain = []
    for k, (owner, data) in enumerate(records):
        row = {
            _key(owner, name): _plain(f"attribute {name!r} of {owner}", value) for name, value in data.items()
        }
        plain.append(row)
        kinds.setdefault(tuple(sorted((name, type(value)) for name, value in row.items())), []).append(k)
    group, index = np.zeros(len(records), np.uint32), np.zeros(len(records), np.uint64)
    for number, rows in enumerate(kinds.values()):
        group[rows], index[rows] = number, np.arange(len(rows))
    file = io.BytesIO()
    try:
        with hdf5().File(file, "w") as h5:
            h5.attrs["magic"], h5.attrs["version"] = np.uint32(_MAGIC), np.array(_VERSION, np.uint32)
            h5.attrs[MARK] = 1
            made = h5.create_group(f"{part}/{population}")
            for name, value in whole.items():
                made.attrs[name] = value
            for name, values in columns.items():
                made[name] = values.astype(np.uint64)
                if part == EDGES:
                    made[name].attrs["node_population"] = _POPULATION
            made[f"{word}_type_id"] = np.full(len(records), -1, np.int64)
            made[f"{word}_group_id"], made[f"{word}_group_index"] = group, index
            for number, (keys, rows) in enumerate(kinds.items() or [((), [])]):
                own = made.create_group(str(number))
                for name, kind in keys:
                    _column(own, name, kind, [plain[k][name] for k in rows])
    except (ValueError, OverflowError) as error:
        raise CircuitError(f"SONATA cannot hold this circuit: {error}") from None
    return file.getvalue()


def _column(group: Any, name: str, kind: type, values: list[Any]) -> None:
    if kind is str:
        group.create_dataset(name, data=values, dtype=hdf5().string_dtype())
    else:
        group[name] = np.array(values, _TYPES[kind])


def _key(owner: str, name: str) -> str:
    if not name or name == "." or "/" in name or "\0" in name or name.startswith("@"):
        raise CircuitError(f"{owner} has an attribute named {name!r}, which HDF5 cannot call a column")
    return name


def _plain(what: str, value: Any) -> Any:
    value = unboxed(value)
    if type(value) not in _TYPES:
        raise CircuitError(
            f"{what} is a {type(value).__name__}; SONATA holds texts, numbers and booleans, JSON more"
        )
    if type(value) is int and not -(2**63) <= value < 2**63:
        raise CircuitError(f"{what} is a number of more than 64 bits, which HDF5 does not hold; JSON does")
    if isinstance(value, str) and ("\0" in value or (not value.isascii() and not _encodes(value))):
        raise CircuitError(f"{what} holds a character that HDF5 does not; write .json")
    return value


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def files(path: Path) -> list[Path]:
    """The files that a path stands for: naming one of the two will do."""
    ending = "".join(path.suffixes[-2:]) if path.suffix.lower() == ".gz" else path.suffix
    stem = path.name.removesuffix(ending)
    for part in _PARTS:
        stem = stem.removesuffix(f"_{part}")
    return [path.with_name(f"{stem}_{part}{ending}") for part in _PARTS]


def paths(path: Path) -> list[Path]:
    """Both files and the tables of types beside them, if there are any; or one file with all."""
    pair = files(path)
    if path.exists() and path not in pair:
        return [path]
    types = [pair[0].with_name(f"{_stem(each)}_types.csv") for each in pair]
    return [*pair, *(table for table in types if table.exists())]


def _stem(path: Path) -> str:
    """``v1_nodes.h5`` -> ``v1_node``."""
    return path.name.partition(".")[0].removesuffix("s")


FORMAT = Format("SONATA", (".h5", ".hdf5"), decode, lambda _: False, encode, paths, files)
