"""CSV: two tables, for spreadsheets and connectome tools. `c.csv` means these two files beside each other:

    c.neurons.csv    neuron,role           one row per neuron
    c.synapses.csv   pre,post,polarity     one row per synapse

Further columns are attributes: `label` holds texts, `bias:float`, `age:int` and `fixed:bool` hold what they
say, and an empty cell means that the attribute is not set. Names are texts: a neuron called 3 comes back as
"3". Attributes of the circuit itself have no place here; `write` warns about them. A TSV has tabs for commas.
Tables of other programs, and a single one, are read by `foreign_tables`.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, repeat
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx

from ...arguments import counted
from ...errors import CircuitError
from ..bulk import collecting_later, data_of, targets_of
from ..roles import synapse_label
from .at_once import TABLES, Plain, of_tables
from .foreign_tables import decode_pair, decode_single
from .format import Format
from .raw import Attributes, Edge, Node, RawGraph, number_in
from .source import Source
from .tables import Ends
from .writing import neurons_of, synapses_of, text_in_file, texts_of_names, unboxed

_NEURON = ["neuron", "role"]
_SYNAPSE = ["pre", "post", "polarity"]
_ILLEGAL = re.compile("[\0\ud800-\udfff]")  # Python's csv module refuses NUL, and UTF-8 has no surrogates


class _Records(NamedTuple):
    """The rows of a table: what an error calls one, the columns of names, and attributes."""

    owner: Callable[[int], str]
    names: list[list[str]]
    data: list[Attributes]


def tables(path: Path) -> list[Path]:
    """The neuron table and the synapse table that `path` stands for; naming either of the two will do."""
    ending = "".join(path.suffixes[-2:]) if path.suffix.lower() == ".gz" else path.suffix
    stem = path.name.removesuffix(ending)
    for table in (".neurons", ".synapses"):
        stem = stem.removesuffix(table)
    return [path.with_name(f"{stem}.{table}{ending}") for table in ("neurons", "synapses")]


def paths(path: Path) -> list[Path]:
    """The two tables if one of them exists or nothing does, else the one file."""
    pair = tables(path)
    return pair if any(table.exists() for table in pair) or not path.exists() else [path]


def encode(circuit: nx.DiGraph[Any], strict: bool = True, delimiter: str = ",") -> tuple[bytes, bytes]:
    """The neuron table and the synapse table.

    Raises:
        CircuitError: an attribute that a cell cannot hold, or one whose values are of different types.
    """
    if circuit.graph:
        warnings.warn(
            f"CSV has no place for attributes of the circuit itself: {', '.join(map(str, circuit.graph))} "
            "will be missing; JSON keeps them",
            stacklevel=4,
        )
    texts = texts_of_names(circuit)
    with collecting_later():
        neurons = list(neurons_of(circuit, strict))
        of_neurons = _Records(
            lambda k: f"neuron {neurons[k][0]!r}",
            [[texts[name] for name, _ in neurons]],
            [data for _, data in neurons],
        )
        return _table(_NEURON, of_neurons, delimiter), _synapse_table(circuit, strict, texts, delimiter)


def _synapse_table(
    circuit: nx.DiGraph[Any], strict: bool, texts: Mapping[Hashable, str], delimiter: str
) -> bytes:
    targets, data = targets_of(circuit), data_of(circuit)
    signs = [held.get("polarity") for held in data]
    if set(map(type, signs)) <= {int} and set(signs) <= {1, -1}:
        sources = chain.from_iterable(map(repeat, texts.values(), map(len, targets)))
        ends = map(texts.__getitem__, chain.from_iterable(targets))
        plain = _plain_table(_SYNAPSE, [sources, ends], data, delimiter)
        if plain is not None:
            return plain
    synapses = list(synapses_of(circuit, strict))
    records = _Records(
        lambda k: synapse_label(*synapses[k][:2]),
        [[texts[pre] for pre, _, _ in synapses], [texts[post] for _, post, _ in synapses]],
        [data for _, _, data in synapses],
    )
    return _table_by_rows(_SYNAPSE, records, delimiter)


def decode(sources: Sequence[Source], ends: Ends = None) -> RawGraph:
    """The graph in the two tables, or in one table of edges or matrix.

    Raises:
        CircuitError: what is wrong, in which table and at which line.
    """
    if len(sources) == 1:
        return decode_single(sources[0], ends)
    neurons, synapses = sources
    if not (_is_own(neurons, _NEURON) and _is_own(synapses, _SYNAPSE)):
        return decode_pair(neurons, synapses, ends)
    raw = RawGraph(TABLES, own=True, fresh=True)
    raw.node_error = lambda problem, at: neurons.error(problem, f"line {at}")
    raw.edge_error = lambda problem, at: synapses.error(problem, f"line {at}")
    raw.nodes = [Node(name, data, line) for line, (name,), data in _read_table(neurons, _NEURON)]
    raw.edges = [Edge(pre, post, data, line) for line, (pre, post), data in _read_table(synapses, _SYNAPSE)]
    return raw


def at_once(sources: Sequence[Source]) -> Plain | None:
    """What is in two large tables of our own; None to let `decode` look."""
    if len(sources) < 2:
        return None
    marks, columns = [], []
    try:
        for source, fixed in zip(sources, (_NEURON, _SYNAPSE), strict=True):
            if not _is_own(source, fixed):
                return None
            header, mark = source.text().partition("\n")[0].rstrip("\r"), _mark(source.text())
            further = _columns(source, fixed, next(csv.reader([header], delimiter=mark, strict=True)))
            marks.append(mark)
            first = fixed[-1], _SIGN if fixed is _SYNAPSE else str
            columns.append([first, *((key, _KINDS[kind]) for key, kind in further)])
    except (CircuitError, csv.Error):
        return None
    return of_tables(sources, marks, columns)


def _is_own(source: Source, fixed: list[str]) -> bool:
    """Whether the header is one that we write."""
    header = source.text().partition("\n")[0].rstrip("\r")
    return any(
        header == text or header.startswith(f"{text}{mark}") for mark in ",\t" for text in [mark.join(fixed)]
    )


# Writing


def _table(fixed: list[str], records: _Records, delimiter: str) -> bytes:
    """A table: the fixed columns, of which the last is an attribute too, then one per further attribute."""
    long = any(len(name) > csv.field_size_limit() for names in records.names for name in names)
    plain = None if long else _plain_table(fixed, records.names, records.data, delimiter)
    return _table_by_rows(fixed, records, delimiter) if plain is None else plain


def _plain_table(
    fixed: list[str], names: Sequence[Iterable[str]], data: Sequence[Mapping[Any, Any]], delimiter: str
) -> bytes | None:
    """The same by columns, of which no more than the text is kept; None if rows must be looked at."""
    kinds = _plain_kinds(fixed, data)
    if kinds is None:
        return None
    columns = [_cells(data, key, kinds.get(key, "str")) for key in dict.fromkeys([fixed[-1], *kinds])]
    content = io.BytesIO()
    with io.TextIOWrapper(content, "utf-8", newline="", write_through=True) as file:
        try:
            writer = csv.writer(file, delimiter=delimiter)
            writer.writerow(_header(fixed, kinds))
            writer.writerows(zip(*names, *columns, strict=True))
        except UnicodeEncodeError:  # a surrogate
            return None
        text = content.getvalue()
    return None if b"\0" in text else text


def _plain_kinds(fixed: list[str], data: Sequence[Mapping[Any, Any]]) -> dict[str, str] | None:
    """The type of each attribute, if all values have one and the same; None if rows must be looked at."""
    kinds = {}
    for key in dict.fromkeys(chain.from_iterable(data)):
        values = [held[key] for held in data if key in held]
        types = {kind.__name__ for kind in set(map(type, values))}
        if len(types) > 1 or not types <= _KINDS.keys():
            return None
        if type(key) is not str or not key or key in fixed[:-1]:
            return None
        kinds[key] = types.pop()
        if kinds[key] == "int" and not -(2**63) < min(values) <= max(values) < 2**63:
            return None
        lengths = set(map(len, values)) if kinds[key] == "str" else {1}
        if 0 in lengths or max(lengths) > csv.field_size_limit():
            return None
    return kinds


def _cells(data: Sequence[Mapping[Any, Any]], key: str, kind: str) -> Iterator[str]:
    """The cells of a column."""
    if kind == "str":
        return (held.get(key, "") for held in data)
    texts: Iterator[str] = map(str, map(itemgetter(key), data))
    if not all(key in held for held in data):
        texts = (str(held[key]) if key in held else "" for held in data)
    return map(str.lower, texts) if kind == "bool" else texts


def _header(fixed: list[str], kinds: dict[str, str]) -> list[str]:
    return fixed + [_column(key, kind) for key, kind in kinds.items() if key != fixed[-1]]


def _table_by_rows(fixed: list[str], records: _Records, delimiter: str) -> bytes:
    """The same for values of any kind, with errors that say which is at fault."""
    kinds: dict[str, str] = {}
    large: dict[str, tuple[str, int]] = {}  # whose whole number a float may not hold
    for k, attributes in enumerate(records.data):
        for key, value in attributes.items():
            owner = records.owner(k)
            if key in fixed[:-1]:
                raise CircuitError(f"{owner} has an attribute {key!r}, which is a column of names; rename it")
            if not key:
                raise CircuitError(f"{owner} has an attribute without a name, which CSV cannot hold")
            what, value = f"attribute {key!r} of {owner}", unboxed(value)
            kinds[key] = _kind(what, value, kinds.get(key))
            if type(value) is int and abs(value) > 2**53:
                large[key] = what, value
            if kinds[key] == "float" and key in large:
                what, value = large[key]
                raise CircuitError(
                    f"{what} is {value!r}, but another one is of type float; a column has one type"
                )
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter)
    _write_row(writer, "the header", _header(fixed, kinds))
    kinds.pop(fixed[-1], None)
    for k, (attributes, *names) in enumerate(zip(records.data, *records.names, strict=True)):
        values = [attributes.get(fixed[-1], ""), *(attributes.get(key, "") for key in kinds)]
        owner = records.owner(k)
        _write_row(writer, owner, names + [text_in_file(owner, value) for value in values])
    return file.getvalue().encode()


def _write_row(writer: Any, owner: str, cells: list[str]) -> None:
    if illegal := _ILLEGAL.search("".join(cells)):
        raise CircuitError(f"{owner} holds the character {illegal[0]!r}, which CSV cannot hold; write .json")
    most = csv.field_size_limit()
    if max(map(len, cells)) > most:
        raise CircuitError(
            f"{owner} holds over {most} characters in one cell, which CSV cannot hold; use .json"
        )
    writer.writerow(cells)


def _kind(what: str, value: Any, before: str | None) -> str:
    """The type of a column that holds `value`, and values of type `before` so far."""
    kind = type(value).__name__
    if kind not in _KINDS:
        raise CircuitError(f"{what} is a {kind}; CSV holds texts, numbers and booleans, JSON more")
    if value == "":
        raise CircuitError(f"{what} is an empty text, which in CSV means that it is not set")
    if {kind, before} == {"int", "float"}:
        return "float"
    if before not in (None, kind):
        raise CircuitError(f"{what} is {value!r}, but another one is of type {before}; a column has one type")
    return kind


def _column(key: str, kind: str) -> str:
    return key if kind == "str" and ":" not in key else f"{key}:{kind}"


# Reading


def _read_table(source: Source, fixed: list[str]) -> Iterator[tuple[int, list[str], Attributes]]:
    """The line, the names and the attributes of every row that is not empty."""
    rows = _rows(source)
    _, header = next(rows)
    columns = _columns(source, fixed, header)
    for line, cells in rows:
        try:
            if len(cells) != len(header):
                raise CircuitError(
                    f"expected {counted(len(header), 'cell')}, as in the header, got {len(cells)}"
                )
            if not any(cells):
                continue
            *names, attribute = cells[: len(fixed)]
            attributes: Attributes = {}
            if attribute:
                attributes[fixed[-1]] = number_in(attribute) if fixed is _SYNAPSE else attribute
            for (key, kind), cell in zip(columns, cells[len(fixed) :], strict=True):
                if cell:
                    attributes[key] = _value(key, kind, cell)
        except CircuitError as error:
            raise source.error(error, f"line {line}") from None
        yield line, names, attributes


def _rows(source: Source) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line on which it begins."""
    text = source.text()
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_mark(text), strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise source.error(f"this is not CSV: {error}", f"line {line}") from None


def _mark(text: str) -> str:
    """What parts cells: the first mark of the header, as one further on may be in an attribute's name."""
    found = re.search("[,\t]", text.partition("\n")[0])
    return found[0] if found else ","


def _columns(source: Source, fixed: list[str], header: list[str]) -> list[tuple[str, str]]:
    """The name and the type of every column after the fixed ones."""
    columns = []
    for column in header[len(fixed) :]:
        key, _, kind = column.rpartition(":")
        columns.append((key, kind) if key and kind in _KINDS else (column, "str"))
    keys = Counter([*fixed, *(key for key, _ in columns)])
    for key, times in keys.items():
        if not key or times > 1:
            raise source.error(f"column {key!r} is there twice" if key else "a column has no name", "line 1")
    return columns


def _value(key: str, kind: str, cell: str) -> Any:
    try:
        return _KINDS[kind](cell)
    except (KeyError, ValueError):
        raise CircuitError(f"column {key!r} is of type {kind}, got {cell!r}") from None


def _boolean(cell: str) -> bool:
    return {"true": True, "false": False}[cell.strip().lower()]


_KINDS: dict[str, Callable[[str], Any]] = {"str": str, "int": int, "float": float, "bool": _boolean}
_SIGN = {"1": 1, "-1": -1}.__getitem__


def _looks(head: str) -> bool:
    return "\0" not in head and head.isprintable() is False and any(mark in head for mark in ",;\t")


FORMAT = Format("CSV", (".csv",), decode, _looks, encode, paths, tables, at_once)
TSV = Format("TSV", (".tsv", ".tab"), decode, _looks, partial(encode, delimiter="\t"), paths, tables, at_once)
