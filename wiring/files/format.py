"""What a format is: how its files are recognised, read and written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import networkx as nx

from .at_once import Plain
from .raw import RawGraph
from .source import Source
from .tables import Ends

Decode: TypeAlias = Callable[[Sequence[Source], Ends], RawGraph]
Encode: TypeAlias = "Callable[[nx.DiGraph[Any], bool], Sequence[bytes]]"


def _never(_: Sequence[Source]) -> None:
    return None


def _one(path: Path) -> list[Path]:
    return [path]


def one(encode: Callable[[nx.DiGraph[Any], bool], bytes]) -> Encode:
    """The writer of a format that is one file."""
    return lambda circuit, strict: [encode(circuit, strict)]


@dataclass(frozen=True)
class Format:
    """A format of files; a new one is a file with one of these, and a line in `formats.py`.

    Attributes:
        name: what people call it.
        endings: of its files, the one that is written first.
        decode: the raw graph in the files, or a `CircuitError`; `ends` names the columns of a table.
        looks: whether a file that begins with this text may be of this format, when its ending does not tell.
        encode: the content of the files for a circuit, which must be sound if the second argument says so.
        paths: the files that a path stands for when it is read.
        targets: the files that it stands for when it is written.
        at_once: what is in large files of our own, for a circuit that needs no rule of the import; else None.
    """

    name: str
    endings: tuple[str, ...]
    decode: Decode
    looks: Callable[[str], bool]
    encode: Encode
    paths: Callable[[Path], list[Path]] = _one
    targets: Callable[[Path], list[Path]] = _one
    at_once: Callable[[Sequence[Source]], Plain | None] = _never
