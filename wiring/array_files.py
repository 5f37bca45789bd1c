"""A circuit as one .npz file of arrays, which NumPy reads and which holds no Python objects."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CircuitError, FileError
from ..storage import replace_files
from .arrays import CircuitArrays
from .columns import Column, Columns, plain_values
from .files.column_files import read_columns
from .roles import ROLES

FORM, MARK = "ganglion-circuit-arrays 1", "ganglion"
PARTS = {"neuron": "neuron_data", "synapse": "synapse_data", "electrical": "electrical_data"}


def write_arrays(arrays: CircuitArrays, path: Path) -> None:
    """Write arrays to a file, which is replaced whole.

    `names`, `roles` (places in `ROLES`), `pre`, `post`, `polarity`, `electrical`, and each attribute as
    "neuron.type", with texts and what is missing as JSON.

    Raises:
        FileError: another ending.
    """
    if path.suffix != ".npz":
        raise FileError(f"{path} must end in .npz: arrays are written in NumPy's format")
    found: dict[str, NDArray[Any]] = {
        MARK: np.array(FORM),
        "names": np.array(arrays.names),
        "roles": np.fromiter(map(ROLES.index, arrays.roles), np.int8, len(arrays.roles)),
        "pre": arrays.pre,
        "post": arrays.post,
        "polarity": arrays.polarity,
        "electrical": arrays.electrical,
    }
    for part, field in PARTS.items():
        columns: Columns = getattr(arrays, field)
        for name, values in columns.items():
            if values.dtype == object:
                text = json.dumps(plain_values(values), separators=(",", ":")).encode()
                found[f"{part}:{name}"] = np.frombuffer(text, np.uint8)
            else:
                found[f"{part}.{name}"] = values
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **found)  # type: ignore[arg-type]  # the stubs take the names for options
    replace_files({path: buffer.getvalue()})


def read_arrays(path: Path) -> CircuitArrays | None:
    """The arrays in a file that `write_arrays` wrote; None for another table.

    Raises:
        CircuitError: the content is damaged.
    """
    if path.suffix != ".npz":
        return None
    table = read_columns(path)
    if MARK not in table:
        return None
    if str(table[MARK]) != FORM:
        raise CircuitError(f"{path} is of the form {str(table[MARK])[:60]!r}: this release reads {FORM!r}")
    try:
        roles = tuple(ROLES[code] for code in table["roles"].tolist())
        names = tuple(table["names"].tolist())
        data: dict[str, dict[str, Column]] = {field: {} for field in PARTS.values()}
        for key, values in table.items():
            part, text, name = key.partition(":") if ":" in key else key.partition(".")
            if part in PARTS and name:
                data[PARTS[part]][name] = _objects(values) if text == ":" else values
        return CircuitArrays(
            table["pre"],
            table["post"],
            table["polarity"],
            roles,
            names,
            electrical=table["electrical"],
            **data,
        )
    except CircuitError as error:
        raise CircuitError(f"{path}: {error}") from None
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise CircuitError(f"{path} is damaged: {error}") from None


def _objects(text: NDArray[Any]) -> Column:
    values = json.loads(text.tobytes())
    found = np.empty(len(values), object)
    found[:] = values
    return found
