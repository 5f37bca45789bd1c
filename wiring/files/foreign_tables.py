"""Tables of spreadsheets, R, pandas and laboratories: any separator, columns in any order, one file or
two."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import CircuitError
from ..roles import label
from .raw import Edge, Node, RawGraph
from .source import Source
from .tables import NEURON, POST, PRE, Ends, column, edges_of_columns, is_number, nodes_of_columns, numbers_in

_DELIMITERS = (",", "\t", ";", "|", " ")
_PEEKED = 30  # rows that tell the separator


@dataclass
class Table:
    """The cells of a file by column, and the line of each row; without a header, columns are numbered."""

    source: Source
    columns: dict[Any, Sequence[Any]]
    lines: list[int]

    def error(self, problem: object, row: int) -> CircuitError:
        return self.source.error(problem, f"line {self.lines[row] if row >= 0 else 1}")


def decode_single(source: Source, ends: Ends) -> RawGraph:
    """One file: a matrix, or a list of edges.

    Raises:
        CircuitError: what is wrong and at which line.
    """
    rows, lines, delimiter = _rows(source)
    matrix = _matrix(source, rows, lines)
    if matrix is not None and ends is None:
        return matrix
    headless = ends is not None and all(type(end) is int for end in ends)
    if ends is None and not _has_header(rows):
        headless, ends = True, (0, 1)
    table = _table(source, rows, lines, delimiter, headless)
    raw = RawGraph("a list of edges")
    raw.node_error = raw.edge_error = table.error
    try:
        edges_of_columns(raw, table.columns, ends)
    except CircuitError as error:
        raise error if str(error).startswith(str(source.path)) else source.error(error) from None
    return raw


def decode_pair(neurons: Source, synapses: Source, ends: Ends) -> RawGraph:
    """A table of neurons and one of synapses.

    Raises:
        CircuitError: what is wrong, in which table and at which line.
    """
    raw = decode_single(synapses, ends)
    listed = decode_neurons(neurons)
    raw.form, raw.nodes, raw.closed, raw.node_error = "two tables", listed.nodes, True, listed.node_error
    raw.notes += listed.notes
    return raw


def decode_neurons(source: Source) -> RawGraph:
    """A table of neurons alone."""
    rows, lines, delimiter = _rows(source)
    table = _table(source, rows, lines, delimiter, headless=False)
    raw = RawGraph("a table of neurons")
    raw.node_error = table.error
    return nodes_of_columns(raw, table.columns)


def _rows(source: Source) -> tuple[list[list[str]], list[int], str]:
    """All rows that are not empty, their lines, and the separator."""
    text = source.text()
    delimiter = _delimiter(text)
    rows, lines, line = [], [], 1
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=delimiter == " "
    )
    try:
        for cells in reader:
            comment = bool(cells) and cells[0].startswith(("#", "%"))
            if delimiter == " " and cells and cells[-1] == "":
                cells.pop()
            if not comment and any(cell.strip() for cell in cells):
                rows.append(cells)
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise source.error(f"this is not CSV: {error}", f"line {line}") from None
    if not rows:
        raise source.error("the file has no rows")
    return rows, lines, delimiter


def _delimiter(text: str) -> str:
    """The separator that cuts most rows into equally many cells, more than one."""
    head = [line for line in text[:100_000].splitlines() if line.strip() and line[0] not in "#%"][:_PEEKED]

    def score(delimiter: str) -> tuple[float, int]:
        try:
            rows = list(csv.reader(head, delimiter=delimiter, skipinitialspace=delimiter == " "))
        except csv.Error:
            return 0.0, 0
        width, times = Counter(map(len, rows)).most_common(1)[0] if rows else (1, 0)
        return (times / len(rows), -_DELIMITERS.index(delimiter)) if width > 1 else (0.0, 0)

    best = max(_DELIMITERS, key=score)
    return best if score(best)[0] > 0 else ","


def _has_header(rows: list[list[str]]) -> bool:
    """Whether the first row names columns: it has a name we know, or nothing like the numbers below it."""
    first = rows[0]
    if column(first, PRE) is not None and column(first, POST) is not None:
        return True
    return len(first) < 3 or not is_number(first[2])


def _table(source: Source, rows: list[list[str]], lines: list[int], delimiter: str, headless: bool) -> Table:
    if headless:
        width = max(map(len, rows))
        header: list[Any] = ["weight" if k == 2 and width == 3 else k for k in range(width)]
    else:
        header = [cell.strip() for cell in rows[0]]
        rows, lines = rows[1:], lines[1:]
        if rows and all(len(cells) == len(header) + 1 for cells in rows):
            header = ["", *header]  # R writes the names of rows without a header
        counts = Counter(name for name in header if name)
        for name, times in counts.items():
            if times > 1:
                raise source.error(f"column {name!r} is there twice", "line 1")
    for cells, line in zip(rows, lines, strict=True):
        if any(cell.strip() for cell in cells[len(header) :]):
            raise source.error(
                f"expected {len(header)} cells, as in the header, got {len(cells)}", f"line {line}"
            )
        cells += [""] * (len(header) - len(cells))
    columns: dict[Any, Sequence[Any]] = {name: [cells[k] for cells in rows] for k, name in enumerate(header)}
    for name, cells_of in columns.items():
        if not _is_name(name, header):
            columns[name] = _numbers(cells_of, delimiter)
    return Table(source, columns, lines)


def _is_name(name: Any, header: list[Any]) -> bool:
    """Whether a column holds names, which stay texts: 007 is a name."""
    texts = [str(other) for other in header]
    return name in (0, 1) or name in (column(texts, PRE), column(texts, POST), column(texts, NEURON))


def _numbers(cells: Sequence[Any], delimiter: str) -> Sequence[Any]:
    found = numbers_in(cells)
    if found is cells and delimiter == ";":  # where a comma is the decimal point
        decimal = numbers_in([cell.replace(",", ".") if isinstance(cell, str) else cell for cell in cells])
        found = decimal if not any(isinstance(cell, str) for cell in decimal) else cells
    return found


def _matrix(source: Source, rows: list[list[str]], lines: list[int]) -> RawGraph | None:
    """A square of numbers with the same names above and on the left, or without any."""
    names: list[Any] = [cell.strip() for cell in rows[0]][-(len(rows) - 1) :] if len(rows) > 1 else []
    body = rows[1:]
    framed = all(len(cells) == len(names) + 1 for cells in body)
    if len(names) > 1 and framed and [cells[0].strip() for cells in body] == names:
        cells, at = [row[1:] for row in body], lines[1:]
    elif all(len(row) == len(rows) for row in rows) and all(is_number(cell) for row in rows for cell in row):
        if len(rows) in (2, 3):
            raise source.error(
                f"{len(rows)} rows of {len(rows)} numbers may be a matrix or a list of edges: ends=(0, 1) "
                f"reads a list, "
                "and a matrix needs names above and on the left"
            )
        names, cells, at = list(range(len(rows))), rows, lines
    else:
        return None
    raw = RawGraph("a matrix, from row to column", signed=True)
    raw.node_error = raw.edge_error = lambda problem, k: source.error(problem, f"line {at[k]}")
    raw.nodes = [Node(name, {}, k) for k, name in enumerate(names)]
    for k, row in enumerate(cells):
        if len(row) != len(names):
            raise source.error(f"expected {len(names)} numbers, got {len(row)}", f"line {at[k]}")
        for name, cell in zip(names, row, strict=True):
            if cell == "0":
                continue  # most entries of a large matrix
            if cell.strip() and not is_number(cell):
                raise source.error(f"expected a number, got {label(cell, 60)}", f"line {at[k]}")
            if cell.strip() and float(cell):
                value = float(cell)
                raw.edges.append(
                    Edge(names[k], name, {"weight": int(value) if value.is_integer() else value}, k)
                )
    return raw
