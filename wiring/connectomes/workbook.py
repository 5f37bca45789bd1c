"""The matrices of the worm's publication, as the workbook that came with it holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

from ...errors import CircuitError

Edge: TypeAlias = "tuple[str, str, dict[str, Any]]"

# The names of cells stand in the third row and the third column of a sheet.
_NAMES = 2


def edges_of_workbook(path: Path) -> list[Edge]:
    """The chemical and the electrical edges of the hermaphrodite, each once, as (pre, post, attributes).

    Of the two sheets of gap junctions the asymmetric one is read, which has each edge in one direction.

    Raises:
        CircuitError: no workbook, or one without these sheets.
        ImportError: openpyxl, which opens workbooks, is not installed.
    """
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise ImportError(f"{path} is a workbook, which openpyxl reads: pip install openpyxl") from None
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # a library's words about a file that is no workbook
        raise CircuitError(f"{path}: no workbook can be read from it: {error}") from None
    edges: list[Edge] = []
    found = set()
    try:
        for sheet in book.worksheets:
            kind = _kind(sheet.title)
            if kind is not None:
                edges += _edges(list(sheet.iter_rows(values_only=True)), kind, f"{path}: {sheet.title}")
                found.add(kind)
        if found != {"chemical", "electrical"}:
            raise CircuitError(
                f"{path}: expected sheets such as 'hermaphrodite chemical' and 'herm gap jn asymmetric', got "
                f"{', '.join(map(repr, book.sheetnames))}"
            )
    finally:
        book.close()
    return edges


def _kind(title: str) -> str | None:
    words = title.casefold().split()
    if not words or not words[0].startswith("herm"):
        return None
    return "chemical" if "chemical" in words else "electrical" if "asymmetric" in words else None


def _edges(rows: list[tuple[Any, ...]], kind: str, where: str) -> list[Edge]:
    """What is not zero in a matrix with names above and on the left; totals without a name are no edges."""
    if len(rows) <= _NAMES + 1:
        raise CircuitError(f"{where}: expected a matrix with names in row and column {_NAMES + 1}")
    posts = rows[_NAMES]
    edges: list[Edge] = []
    for row in rows[_NAMES + 1 :]:
        pre = row[_NAMES] if len(row) > _NAMES else None
        if not isinstance(pre, str) or not pre.strip():
            continue
        for post, weight in zip(posts[_NAMES + 1 :], row[_NAMES + 1 :], strict=False):
            if isinstance(post, str) and isinstance(weight, int | float) and weight:
                edges.append((pre, post, {"weight": weight, "type": kind}))
    return edges
