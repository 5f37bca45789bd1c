"""The command ``ganglion export``: a trained network for programs without Python."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import FileError

EXPORT = """\
Write the best network of a run, or a saved one, as a C file and its header, or
as an ONNX model of one step. It reads and gives values in the units of the data.
Compiled with -DNAME_MAIN the C file is a program that reads samples as CSV."""


def add_commands(commands: Any) -> None:
    """Add the command to those of the command line."""
    export = commands.add_parser("export", help="write a trained network as C or ONNX", description=EXPORT)
    export.set_defaults(run=_export)
    export.add_argument(
        "source", type=Path, metavar="RUN", help="what ganglion train left, or a saved network"
    )
    export.add_argument(
        "-o",
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="file to write, such as policy.c or policy.onnx",
    )


def _export(arguments: argparse.Namespace) -> None:
    from ..interchange import export_c, export_onnx, load

    model, out = load(arguments.source), arguments.out
    write = export_onnx if out.suffix == ".onnx" else export_c
    try:
        write(model, out)
    except (TypeError, ValueError) as error:
        raise FileError(f"{arguments.source}: {error}") from None
    if write is export_onnx:
        print(f"{out}: one step, with its state in and out")
    else:
        print(f"{out}, {out.with_suffix('.h')}: {out.stem}_step and {out.stem}_reset")
