"""Networks as C files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ...arguments import path as as_path
from ...compile.kernels.c99 import c99_source
from ...errors import KernelError
from ...storage import replace_files
from ..offers import cell_kernel
from .rnn import RNN


def export_c(rnn: RNN, path: str | Path) -> None:
    """Write a trained network as one C99 file, without dependencies and without heap.

    The file has a state struct and two functions, ``<name>_reset`` and ``<name>_step``, where the name is
    that of the file; its first lines say how to call them. Compiled with ``-D<name>_MAIN`` it is a program
    that reads samples as CSV from standard input and writes the outputs. All numbers are float32.

    Args:
        rnn: an LTC or CfC network.
        path: where to write, such as ``policy.c``.

    Raises:
        TypeError: no network over a cell.
        KernelError: the network has a cell or an option that the kernels do not serve, or it is reversed.
        OSError: the file cannot be written; one that was there stays.
        ValueError: the file's name is no C identifier, or a parameter is not finite.

    Example:
        >>> gl.export_c(rnn, "policy.c")
        >>> # cc -O2 -Dpolicy_MAIN policy.c -o policy && ./policy < samples.csv
    """
    if not isinstance(rnn, RNN):
        hint = (
            "; export the network inside, .model, which reads and gives scaled values"
            if hasattr(rnn, "model")
            else ""
        )
        raise TypeError(f"expected a network such as gl.LTC(circuit), got {type(rnn).__name__}{hint}")
    path = as_path("path", path)
    if not re.fullmatch(r"[A-Za-z_]\w*", path.stem, re.ASCII):
        raise ValueError(
            f"{path.name!r} begins the names in the file: expected letters, digits and underscores"
        )
    if rnn.reverse or rnn.proj_size is not None:
        raise KernelError(
            "a network with reverse or proj_size cannot be exported as C: it is more than a step"
        )
    cell = rnn.cell
    sequence, parameters, _ = cell_kernel(cell)
    if getattr(cell, "features", None) is not None:
        raise KernelError("a network whose inputs go through a layer cannot be exported as C")
    for array in parameters:
        if not np.isfinite(np.array(array)).all():
            raise ValueError("a parameter of the network is not finite: nothing to export")
    replace_files({path: c99_source(sequence, parameters, path.stem).encode()})
