"""Results as tables for others: a frame of pandas, and CSV."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from typing import Any

from .arguments import path as as_path
from .storage import replace_files


def frame(records: list[dict[str, Any]], columns: Sequence[str] | None = None) -> Any:
    """A frame of pandas if that is installed, else the list of dictionaries itself."""
    try:
        import pandas  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return records
    return pandas.DataFrame(records, columns=None if columns is None else list(columns))


def as_csv(
    head: Sequence[str], rows: Iterable[Sequence[Any]], path: str | os.PathLike[str] | None = None
) -> str:
    """Rows as CSV, which is also written to a file if a path is given."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    if path is not None:
        replace_files({as_path("path", path): text.getvalue().encode()})
    return text.getvalue()
