"""The directory of a run, and whose it is.

run/  run.json       settings and columns; the same command goes on only with the same ones
      step-*/        checkpoints, see `training.store`; gl.load("run") reads the best model
      report.html    what came out, with pictures
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...arguments import short
from ...errors import FileError
from ...habits import ORDINARY, Habits
from ...interchange.files import newest_checkpoint
from ...storage import read_document, read_file, replace_files
from .sequences import Columns

FORMAT, VERSION = "ganglion-run", 1
SETTINGS, REPORT = "run.json", "report.html"


def claim(
    out: Path, settings: Mapping[str, Any], columns: Columns, habits: Habits, *, circuit: str, data: str
) -> None:
    """Make the directory this run's, or refuse one that is somebody else's.

    Args:
        out: the directory, made if it is not there.
        settings: what must be the same when the run goes on, as JSON.
        columns: what the columns are for.
        habits: how the table is written.
        circuit, data: hashes of both files.

    Raises:
        FileError: it holds another run, or something else.
        OSError: it cannot be made.
    """
    ours = {
        "settings": dict(settings),
        "columns": asdict(columns),
        "habits": asdict(habits),
        "circuit": circuit,
        "data": data,
    }
    ours = json.loads(json.dumps(ours))  # as it comes back from the file
    if (out / SETTINGS).exists():
        _require_same(out, _read(out), ours)
    elif out.is_dir() and any(out.iterdir()):
        raise FileError(f"{out} is not empty and holds no run: choose another directory")
    else:
        out.mkdir(parents=True, exist_ok=True)
        document = {"format": FORMAT, "version": VERSION, **ours}
        replace_files({out / SETTINGS: (json.dumps(document, indent=1) + "\n").encode()})


def columns_of(run: Path) -> Columns:
    """The columns that a run was trained with.

    Raises:
        FileError: there is no run, or no checkpoint of it yet.
    """
    if not (run / SETTINGS).is_file() or newest_checkpoint(run) is None:
        raise FileError(f"{run} holds no trained network: ganglion train makes one")
    given = _read(run).get("columns")
    if not isinstance(given, dict) or given.keys() != Columns.__dataclass_fields__.keys():
        raise FileError(f"{run / SETTINGS}: the columns are {short(given)}")
    lists, names = (given["inputs"], given["targets"]), (given["time"], given["group"])
    if not all(isinstance(part, list) and all(isinstance(name, str) for name in part) for part in lists) or (
        not all(name is None or isinstance(name, str) for name in names)
    ):
        raise FileError(f"{run / SETTINGS}: the columns are {short(given)}")
    return Columns(tuple(given["inputs"]), tuple(given["targets"]), given["time"], given["group"])


def habits_of(run: Path) -> Habits:
    """How the table of a run was written, and what was done about what was not there.

    Raises:
        FileError: the run's file says nothing that makes sense.
    """
    given = _read(run).get("habits", {})  # of a run from before there were any
    try:
        return Habits.from_json(given)
    except ValueError as error:
        raise FileError(f"{run / SETTINGS}: {error}") from None


def may_hold(run: Path, file: Path) -> bool:
    """Whether the user may write to a file: anywhere else, and as a table beside the run's own files."""
    run, file = run.resolve(), file.resolve()
    return run not in file.parents or (file.parent == run and file.suffix == ".csv")


def _require_same(out: Path, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
    for part in ("columns", "settings", "habits"):
        known = theirs.get(part, asdict(ORDINARY) if part == "habits" else None)
        known = known if isinstance(known, dict) else {}
        for name, value in ours[part].items():
            if known.get(name) != value:
                there = f"{out} holds a run with {name} {short(known.get(name))}, not {short(value)}"
                raise FileError(f"{there}: choose another directory")
    for name in ("circuit", "data"):
        if theirs.get(name) != ours[name]:
            raise FileError(f"{out} holds a run with another {name} file: choose another directory")


def _read(run: Path) -> dict[str, Any]:
    try:
        return read_document(read_file(run / SETTINGS), FORMAT, VERSION)
    except FileError as error:
        raise FileError(f"{run / SETTINGS} {error}") from None
