"""Networks as C files."""

from __future__ import annotations

import re
from pathlib import Path

from ...arguments import path as as_path
from ...cells import NCPLayer
from ...storage import replace_files
from .c99 import c99_files
from .trace import traced


def export_c(model: NCPLayer, path: str | Path) -> None:
    """Write a trained network as a C file and a header, without dependencies and without heap.

    The files have a state struct and two functions, ``<name>_reset`` and ``<name>_step``, where the name is
    that of the file and begins all names in it; the header says how to call them. Compiled with
    ``-D<name>_MAIN`` it is a program that reads samples as CSV from standard input and writes the outputs.
    All numbers are float32, and the files are C99 and C++.

    Args:
        model: a network that reads forwards: `LTC`, `CfC`, `RNN` over any cell, `Stack`, or `Scaled`, whose
            C is in the units of the data.
        path: where to write, such as ``policy.c``; the header lies beside it.

    Raises:
        TypeError: no network.
        ValueError: the network reads backwards or looks at several samples, is not built, or has a parameter
            that is not finite; the file's name is no C identifier with the ending ``.c``.
        KernelError: an operation that has no C here.
        OSError: a file cannot be written; those that were there stay.

    Example:
        >>> gl.export_c(rnn, "policy.c")
        >>> # cc -O2 -Dpolicy_MAIN policy.c -o policy && ./policy < samples.csv
    """
    path = as_path("path", path)
    if not re.fullmatch(r"[A-Za-z_]\w*", path.stem, re.ASCII) or path.suffix != ".c":
        raise ValueError(
            f"{path.name!r} begins the names in the file: expected letters, digits and underscores, and "
            "the ending .c"
        )
    files = c99_files(traced(model, sparse=True), path.stem)
    replace_files({path.with_suffix(ending): text.encode() for ending, text in files.items()})
