"""Results as tables for others: a frame of pandas, and CSV."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from typing import Any, ClassVar

from .arguments import path as as_path
from .storage import replace_files


def frame(records: list[dict[str, Any]], columns: Sequence[str] | None = None) -> Any:
    """A frame of pandas if that is installed, else the list of dictionaries itself."""
    try:
        import pandas  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return records
    return pandas.DataFrame(records, columns=None if columns is None else list(columns))


class Tabled:
    """A result that is a table.

    Attributes:
        columns: their names.
    """

    columns: ClassVar[tuple[str, ...]]

    def records(self) -> Sequence[Sequence[Any]]:
        """The rows, a value for each column."""
        raise NotImplementedError(f"{type(self).__name__} has no records()")

    @property
    def table(self) -> Any:
        """A frame of pandas if that is installed, else a list of dictionaries: one for each row."""
        return frame([dict(zip(self.columns, row, strict=True)) for row in self.records()], self.columns)

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """The table as CSV, which is also written to a file if a path is given."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.records())
        if path is not None:
            replace_files({as_path("path", path): text.getvalue().encode()})
        return text.getvalue()
