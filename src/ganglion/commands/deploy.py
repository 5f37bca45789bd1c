"""The command ``ganglion export``: a trained network for programs without Python."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import FileError

EXPORT = """\
Write the best network of a run, or a saved one, as a C file and its header, or
as an ONNX model of one step. It reads and gives values in the units of the data.
Compiled with -DNAME_MAIN the C file is a program that reads samples as CSV.

With --fixed the C computes in fixed point, for boards without floats. DATA is a
table as the run was trained with: it says how large numbers become, and the
command says how far the outputs for it are from those of floats."""


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
    export.add_argument(
        "--fixed", type=Path, metavar="DATA", help="numbers in fixed point, with room for those of this table"
    )


def _export(arguments: argparse.Namespace) -> None:
    from ..interchange import export_c, export_onnx, load

    model, out, fixed = load(arguments.source), arguments.out, arguments.fixed
    if fixed is not None and out.suffix == ".onnx":
        raise FileError(f"{out}: ONNX has no numbers in fixed point: expected a name such as policy.c")
    samples = None if fixed is None else _samples(arguments.source, model, fixed)
    try:
        if out.suffix == ".onnx":
            export_onnx(model, out)
            print(f"{out}: one step, with its state in and out")
            return
        differ = export_c(model, out, fixed=samples)
    except (TypeError, ValueError) as error:
        raise FileError(f"{arguments.source}: {error}") from None
    print(f"{out}, {out.with_suffix('.h')}: {out.stem}_step and {out.stem}_reset")
    if differ is not None:
        names = getattr(model, "outputs", None) or [f"output {k}" for k in range(len(differ))]
        told = ", ".join(f"{name} {most:.1e}" for name, most in zip(names, differ, strict=True))
        print(f"fixed point differs from floats by at most: {told}")


def _samples(source: Path, model: Any, table: Path) -> tuple[Any, Any]:
    """(T, I) the samples of a table, one sequence behind the other, and (T,) their time spans."""
    import numpy as np

    from ..cells.timed import usual_span
    from ..habits import ORDINARY
    from ..training.series.directory import SETTINGS, columns_of, habits_of
    from ..training.series.sequences import Columns, read_columns, with_samples

    if (source / SETTINGS).exists():
        columns, habits = columns_of(source), habits_of(source)
    elif names := tuple(getattr(model, "sensors", ())):
        columns, habits = Columns(names, ()), ORDINARY
    else:
        raise FileError(f"{source}: the inputs have no names that columns could have: use gl.export_c")
    usual = usual_span(model)
    unit = getattr(model, "time_unit", 1.0) * (usual or 1.0)
    read, _ = read_columns(table, columns, habits, targets=False)
    found = [one.observed() for one in with_samples(read)]
    spans = [np.full(len(one.x), unit) if (given := one.timespans(unit)) is None else given for one in found]
    if usual is None and any(one.timespans(unit) is None for one in found):
        raise FileError(f"{table}: it has no times, which layers of different time scales need")
    return np.concatenate([one.x for one in found]), np.concatenate(spans)
