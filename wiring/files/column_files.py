"""Tables of columns in files that computers read fast: .npz, .parquet, .feather."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import CircuitError, FileError
from ...storage import open_file
from ..columns import Column

ENDINGS = (".npz", ".parquet", ".feather")


def read_columns(path: Path) -> dict[str, Column]:
    """The columns of a table by name.

    Raises:
        FileNotFoundError: there is no such file.
        FileError: a file of another ending.
        CircuitError: the content is damaged, or holds Python objects.
        ImportError: Parquet without the extra.
    """
    if path.suffix not in ENDINGS:
        raise FileError(f"{path} must end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    with open_file(path):  # which says what is wrong with a path
        pass
    return _read_npz(path) if path.suffix == ".npz" else _read_arrow(path)


def _read_npz(path: Path) -> dict[str, Column]:
    try:
        with open_file(path) as binary, np.load(binary, allow_pickle=False) as file:
            if not hasattr(file, "files"):
                raise CircuitError(f"{path} holds one array and no columns: expected what numpy.savez writes")
            return {name: file[name] for name in file.files}
    except (FileError, CircuitError):
        raise
    except Exception as error:  # of zip, of a decompressor, of a header: each has errors of its own
        text = " ".join(str(error).split())[:200]
        raise CircuitError(f"{path} is damaged or holds Python objects, which are not read: {text}") from None


def _read_arrow(path: Path) -> dict[str, Column]:
    arrow = _arrow()
    reader = "pyarrow.parquet" if path.suffix == ".parquet" else "pyarrow.feather"
    try:
        table = import_module(reader).read_table(path)
        return {name: _column(table.column(name)) for name in table.column_names}
    except (arrow.ArrowException, OSError, ValueError) as error:
        text = " ".join(str(error).split())[:200]
        raise CircuitError(f"{path} is damaged, or no {path.suffix[1:]} file: {text}") from None


def _column(column: Any) -> Column:
    if column.null_count:
        found = np.empty(len(column), object)
        found[:] = column.to_pylist()
        return found
    values: Column = column.to_numpy()
    return values


def _arrow() -> Any:
    try:
        return import_module("pyarrow")
    except ImportError:
        raise ImportError(
            "Parquet and Feather files are read by pyarrow: pip install 'ganglion-mlx[parquet]', or save the "
            "columns by numpy.savez"
        ) from None
