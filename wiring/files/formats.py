"""The table of formats, and which of them a file is of."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx

from ...arguments import at_home, flag, label, text
from ...errors import FileError
from ...storage import replace_files
from ..attributes import require_weights
from ..electrical import require_kinds
from ..roles import require_digraph
from ..words import suggestion
from . import (
    csv_format,
    dot_format,
    gexf_format,
    gml_format,
    graphml_format,
    json_format,
    neuroml_format,
    pajek_format,
    sonata_format,
)
from .foreign_tables import decode_neurons
from .format import Format
from .raw import RawGraph
from .source import Source, read_open, read_together
from .tables import Ends

FORMATS: tuple[Format, ...] = (
    json_format.FORMAT,
    graphml_format.FORMAT,
    gexf_format.FORMAT,
    gml_format.FORMAT,
    pajek_format.FORMAT,
    dot_format.FORMAT,
    neuroml_format.FORMAT,
    sonata_format.FORMAT,
    csv_format.FORMAT,
    csv_format.TSV,
)

# Files that other libraries open, or that need to be told of, and the source that circuit_from takes instead.
_INSTEAD = {
    ".npy": "numpy.load(path)",
    ".npz": "scipy.sparse.load_npz(path)",
    ".mtx": "scipy.io.mmread(path)",
    ".mat": "scipy.io.loadmat(path)[name]",
    ".xlsx": "pandas.read_excel(path)",
    ".xls": "pandas.read_excel(path)",
    ".parquet": "pandas.read_parquet(path)",
    ".feather": "pandas.read_feather(path)",
    ".sif": "path, format='TSV', ends=(0, 2)",
    ".edges": "path, format='CSV', ends=(0, 1)",
    ".edgelist": "networkx.read_edgelist(path, create_using=networkx.DiGraph)",
    ".adjlist": "networkx.read_adjlist(path, create_using=networkx.DiGraph)",
}
_PEEKED = 4096  # characters that tell a format whose ending does not


@dataclass(frozen=True)
class File:
    """Files that were opened, of a format that is known.

    Attributes:
        form: the format.
        sources: their content.
        called: what a report calls them.
    """

    form: Format
    sources: list[Source]
    called: str

    def decode(self, ends: Ends) -> RawGraph:
        """The raw graph. Raises `CircuitError` if the content is damaged, or no graph."""
        return self.form.decode(self.sources, ends)


def open_file(source: Any, form: str | None) -> File:
    """The file or files that a path stands for, or an open file.

    Raises:
        ValueError: no format fits (a `FileError`), or `form` is none.
        FileNotFoundError: there is no such file.
    """
    chosen: Format | None
    if hasattr(source, "read"):
        sources = [read_open(source)]
        path = sources[0].path
        chosen = _named(form) or of_ending(path)
        if chosen is None:
            _read_elsewhere(path)
    else:
        path = at_home("the source", source)
        chosen = _named(form) or of_ending(path)
        if chosen is None:
            _read_elsewhere(path)
        sources = read_together(chosen.paths(path) if chosen else [path])
    return File(chosen or _peek(sources[0]), sources, str(path))


def read_neurons(source: Any) -> RawGraph:
    """The neurons in a table."""
    return decode_neurons(open_file(source, "CSV").sources[0])


def write_file(circuit: nx.DiGraph[Any], path: str | os.PathLike[str], strict: bool) -> None:
    """Write a circuit in the format of the ending, compressed if it ends in .gz."""
    flag("strict", strict)
    require_digraph(circuit, "write()")
    require_weights(circuit)
    if strict:
        require_kinds(circuit)
    file = at_home("path", path)
    chosen = writable(file)
    contents = dict(zip(chosen.targets(file), chosen.encode(circuit, strict), strict=True))
    if file.suffix.lower() == ".gz":  # without a time stamp: the same circuit is the same file
        contents = {part: gzip.compress(data, mtime=0) for part, data in contents.items()}
    replace_files(contents)


def writable(path: Path) -> Format:
    """The format in which a circuit is written to a path, or a `FileError` that names the endings."""
    chosen = of_ending(path)
    if chosen is None:
        raise FileError(f"{path} must end in {endings()}{_hint(path)}")
    return chosen


def of_ending(path: Path) -> Format | None:
    """The format that the ending of a path means, .gz left out."""
    return next((form for form in FORMATS if _plain(path).suffix.lower() in form.endings), None)


def _plain(path: Path) -> Path:
    return path.with_suffix("") if path.suffix.lower() == ".gz" else path


def endings() -> str:
    """All endings, for a message."""
    known = [end for form in FORMATS for end in form.endings]
    return f"{', '.join(known[:-1])} or {known[-1]} (and .gz behind it)"


def _hint(path: Path) -> str:
    return suggestion(path.suffix, [end for form in FORMATS for end in form.endings])


def _named(form: str | None) -> Format | None:
    if form is None:
        return None
    wanted = text("format", form).casefold().removeprefix(".")
    for known in FORMATS:
        if wanted == known.name.casefold() or f".{wanted}" in known.endings:
            return known
    names = [known.name for known in FORMATS]
    raise ValueError(
        f"format: expected one of {', '.join(names)}, got {label(form)}{suggestion(form, names)}"
    )


def _read_elsewhere(path: Path) -> None:
    if (instead := _INSTEAD.get(_plain(path).suffix.lower())) is not None:
        plans = (
            " (or, if it holds a plan, by Plan.read)" if _plain(path).suffix in (".npz", ".parquet") else ""
        )
        raise FileError(f"{path}: such files are read by circuit_from({instead}, ...){plans}")


def _peek(source: Source) -> Format:
    head = source.text()[:_PEEKED].lstrip()
    for form in FORMATS:
        if form.looks(head):
            return form
    raise FileError(
        f"{source.path}: its format cannot be told; expected the ending {endings()}, or format= with one of "
        f"{', '.join(form.name for form in FORMATS)}"
    )
