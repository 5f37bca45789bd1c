"""What a study has found so far, in a file that a line is added to for every perturbation."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..arguments import short
from ..errors import FileError
from ..storage import read_document, read_file, replace_files
from .table import COLUMNS, Row

FORM, VERSION = "ganglion study", 1


class Store:
    """The file of a study, which is begun if there is none.

    Args:
        path: the file.
        digest: of the study.
        provenance: of the network, which a store that is there already keeps.

    Raises:
        FileError: a file of something else, or of another study.
        OSError: it cannot be read or written.
    """

    def __init__(self, path: Path, digest: str, provenance: Mapping[str, Any]) -> None:
        self._path = path
        head = {"format": FORM, "version": VERSION, "digest": digest, "provenance": provenance}
        self._rows: dict[str, list[Row]] = {}
        if not path.exists():
            replace_files({path: _line(head)})
            return
        first, *lines = read_file(path).split(b"\n")
        try:
            document = read_document(first, FORM, VERSION)
        except FileError as error:
            raise FileError(f"{path}: its first line {error}") from None
        if document.get("digest") != digest:
            raise FileError(
                f"{path} is of another study: of other weights, settings, data or measures, or of an earlier "
                "release. Give another store, or remove the file"
            )
        for number, line in enumerate(lines, 2):
            if line and number <= len(lines):  # behind the last end of a line there is what a crash left
                key, rows = _read(path, number, line)
                self._rows[key] = rows
        if lines[-1]:
            head = document
            found: list[dict[str, Any]] = [
                {"key": key, "rows": [_plain(row) for row in rows]} for key, rows in self._rows.items()
            ]
            replace_files({path: b"".join(map(_line, [head, *found]))})

    def rows(self) -> dict[str, list[Row]]:
        """What there is, by perturbation."""
        return dict(self._rows)

    def add(self, key: str, rows: list[Row]) -> None:
        """Add what one perturbation did, through to the disk."""
        line = _line({"key": key, "rows": [_plain(row) for row in rows]})
        with self._path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode() + b"\n"


def _plain(row: Row) -> dict[str, Any]:
    return {name: None if value != value else value for name, value in asdict(row).items()}  # JSON has no nan


def _read(path: Path, number: int, line: bytes) -> tuple[str, list[Row]]:
    try:
        document = json.loads(line)
        return str(document["key"]), [_row(row) for row in document["rows"]]
    except (ValueError, TypeError, KeyError, AttributeError):
        given = short(line.decode(errors="replace"))
        raise FileError(
            f"{path}, line {number}: expected rows of {', '.join(COLUMNS)}, got {given}"
        ) from None


def _row(given: dict[str, Any]) -> Row:
    values: dict[str, Any] = {name: float("nan") if v is None else v for name, v in given.items()}
    return Row(**values)
