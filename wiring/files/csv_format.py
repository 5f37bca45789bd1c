"""CSV: two tables, for spreadsheets and connectome tools. `c.csv` means these two files beside each other:

    c.neurons.csv    neuron,role           one row per neuron
    c.synapses.csv   pre,post,polarity     one row per synapse

Further columns are attributes: `label` holds texts, `bias:float`, `age:int` and `fixed:bool` hold what they
say, and an empty cell means that the attribute is not set. Names are texts: a neuron called 3 comes back as
"3". Attributes of the circuit itself have no place here; `write` warns about them.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import networkx as nx

from ...errors import CircuitError
from ..circuit import Circuit
from ..roles import synapse_label
from .draft import Attributes, Draft, neurons_of, synapses_of, text_in_file, texts_of_names, unboxed
from .source import Source

_NEURON = ["neuron", "role"]
_SYNAPSE = ["pre", "post", "polarity"]
_ILLEGAL = re.compile("[\0\ud800-\udfff]")  # Python's csv module refuses NUL, and UTF-8 has no surrogates

_Record = tuple[str, list[str], Attributes]  # what an error calls it, its names, its attributes


def paths(path: Path) -> list[Path]:
    """The neuron table and the synapse table that `path` stands for; naming either of the two will do."""
    stem = path.stem
    for table in (".neurons", ".synapses"):
        stem = stem.removesuffix(table)
    return [path.with_name(f"{stem}.neurons{path.suffix}"), path.with_name(f"{stem}.synapses{path.suffix}")]


def encode(circuit: nx.DiGraph[Any]) -> tuple[bytes, bytes]:
    """The neuron table and the synapse table.

    Raises:
        CircuitError: an attribute that a cell cannot hold, or one whose values are of different types.
    """
    if circuit.graph:
        warnings.warn(
            f"CSV has no place for attributes of the circuit itself: {', '.join(map(str, circuit.graph))} "
            "will be missing; JSON keeps them",
            stacklevel=3,
        )
    texts = texts_of_names(circuit)
    neurons = [(f"neuron {name!r}", [texts[name]], data) for name, data in neurons_of(circuit)]
    synapses = [
        (synapse_label(pre, post), [texts[pre], texts[post]], data)
        for pre, post, data in synapses_of(circuit)
    ]
    return _table(_NEURON, neurons), _table(_SYNAPSE, synapses)


def decode(neurons: Source, synapses: Source) -> Circuit:
    """The circuit in the two tables.

    Raises:
        CircuitError: what is wrong, in which table and at which line.
    """
    draft = Draft()
    _read_table(neurons, _NEURON, draft.add_neuron)
    _read_table(synapses, _SYNAPSE, draft.add_synapse)
    return draft.circuit({})


# Writing


def _table(fixed: list[str], records: list[_Record]) -> bytes:
    """A table: the fixed columns, of which the last is an attribute too, then one per further attribute."""
    kinds: dict[str, str] = {}
    large: dict[str, tuple[str, int]] = {}  # whose whole number a float may not hold
    for owner, _, attributes in records:
        for key, value in attributes.items():
            if key in fixed[:-1]:
                raise CircuitError(f"{owner} has an attribute {key!r}, which is a column of names; rename it")
            what, value = f"attribute {key!r} of {owner}", unboxed(value)
            kinds[key] = _kind(what, value, kinds.get(key))
            if type(value) is int and abs(value) > 2**53:
                large[key] = what, value
            if kinds[key] == "float" and key in large:
                what, value = large[key]
                raise CircuitError(
                    f"{what} is {value!r}, but another one is of type float; a column has one type"
                )
    kinds.pop(fixed[-1], None)
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    _write_row(writer, "the header", fixed + [_column(key, kind) for key, kind in kinds.items()])
    for owner, names, attributes in records:
        values = [attributes[fixed[-1]], *(attributes.get(key, "") for key in kinds)]
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


def _read_table(source: Source, fixed: list[str], add: Callable[..., None]) -> None:
    rows = _rows(source)
    _, header = next(rows)
    columns = _columns(source, fixed, header)
    for line, cells in rows:
        try:
            if len(cells) != len(header):
                raise CircuitError(f"expected {len(header)} cells, as in the header, got {len(cells)}")
            *names, attribute = cells[: len(fixed)]
            attributes: Attributes = {fixed[-1]: _polarity(attribute) if fixed is _SYNAPSE else attribute}
            for (key, kind), cell in zip(columns, cells[len(fixed) :], strict=True):
                if cell:
                    attributes[key] = _value(key, kind, cell)
            add(*names, attributes)
        except CircuitError as error:
            raise source.error(error, f"line {line}") from None


def _rows(source: Source) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line on which it begins."""
    reader = csv.reader(io.StringIO(source.text(), newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise source.error(f"this is not CSV: {error}", f"line {line}") from None


def _columns(source: Source, fixed: list[str], header: list[str]) -> list[tuple[str, str]]:
    """The name and the type of every column after the fixed ones."""
    if header[: len(fixed)] != fixed:
        given = ",".join(header)[:80]
        raise source.error(f"the header must begin with {','.join(fixed)}, got {given}", "line 1")
    columns = []
    for column in header[len(fixed) :]:
        key, _, kind = column.rpartition(":")
        columns.append((key, kind) if key and kind in _KINDS else (column, "str"))
    keys = Counter([*fixed, *(key for key, _ in columns)])
    for key, times in keys.items():
        if not key or times > 1:
            raise source.error(f"column {key!r} is there twice" if key else "a column has no name", "line 1")
    return columns


def _polarity(cell: str) -> Any:
    """The cell as a number, which need not be legal; spreadsheets may write +1 or 1.0."""
    try:
        return float(cell)
    except ValueError:
        return cell


def _value(key: str, kind: str, cell: str) -> Any:
    try:
        return _KINDS[kind](cell)
    except (KeyError, ValueError):
        raise CircuitError(f"column {key!r} is of type {kind}, got {cell!r}") from None


def _boolean(cell: str) -> bool:
    return {"true": True, "false": False}[cell.strip().lower()]


_KINDS: dict[str, Callable[[str], Any]] = {"str": str, "int": int, "float": float, "bool": _boolean}
