"""A sweep over circuits and settings of training on a time series, as a file says it."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from ..arguments import at_home, label, several, text, whole
from ..compile import compile_circuit
from ..errors import CircuitError, FileError
from ..habits import Habits
from ..storage import read_file
from ..training import series
from ..training.series.sequences import series_of
from ..training.series.table import open_table
from ..wiring import read, write
from .evolution import Evolving
from .experiment import TOLD, experiment
from .outcome import Experiment
from .trials import Trial

COLUMNS = ("inputs", "time", "group")
KNOWN = {
    "circuits",
    "data",
    "targets",
    *COLUMNS,
    "habits",
    "seeds",
    "epochs",
    "search",
    "population",
    "most_synapses",
    "trials",
    "seed",
    "space",
    "name",
}
SETTINGS = {field.name for field in fields(series.Settings)} - {"seed"}


def sweep(
    path: str | os.PathLike[str],
    *,
    store: str | os.PathLike[str],
    workers: int = 1,
    progress: bool | None = None,
) -> Experiment:
    """Run the sweep that a TOML file describes; see ``ganglion sweep --help``.

    Paths in the file are from where the file is. The value of a trial is the mean error on the validation
    data, in units of what always saying the mean gives.

    Raises:
        FileError: the file is no TOML, or says something that is not understood; the message says what.
        OSError: a file cannot be read.

    Example:
        >>> found = gl.studies.sweep("sweep.toml", store="sweep.journal")
    """
    file = at_home("path", path)
    try:
        said = tomllib.loads(read_file(file).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{file}: this is no TOML: {str(error)[:120]}") from None
    except RecursionError:
        raise FileError(f"{file}: this is nested too deeply") from None
    try:
        return _run(file, said, store, workers, progress)
    except (TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, FileError | CircuitError):
            raise
        raise FileError(f"{file}: {error}") from None


def _run(file: Path, said: dict[str, Any], store: Any, workers: int, progress: bool | None) -> Experiment:
    unknown = set(said) - KNOWN
    if unknown:
        raise ValueError(f"unknown {label(min(unknown))}: expected some of {', '.join(sorted(KNOWN))}")
    for needed in ("circuits", "data", "targets"):
        if needed not in said:
            raise ValueError(f"{needed} is missing")
    if said.get("search") != "evolutionary":
        for word in ("most_synapses", "population"):
            if word in said:
                raise ValueError(f'{word} is for search = "evolutionary", whose circuits change')
    space = said.get("space", {})
    if not isinstance(space, dict) or set(space) - SETTINGS:
        raise ValueError(f"[space] may have {', '.join(sorted(SETTINGS))}, got {label(space)}")
    circuits = {}
    for name in several("circuits", said["circuits"], "files"):
        given = (file.parent / text("a circuit's file", name)).absolute()
        if given.stem in circuits:
            raise ValueError(f"two circuits are called {label(given.stem)}: give their files other names")
        circuits[given.stem] = read(given)
    if not circuits:
        raise ValueError("circuits is empty: expected files of circuits")
    data = (file.parent / text("data", said["data"])).absolute()
    targets = several("targets", said["targets"], "columns")
    columns = {key: said[key] for key in COLUMNS if key in said}
    epochs = whole("epochs", said.get("epochs", 100))
    habits = Habits.from_json(said.get("habits", {}))
    try:
        digest = _require_trainable(circuits, data, targets, columns, space, habits)
    except FileError as error:
        raise FileError(_of_a_sweep(str(error), file)) from None
    train = partial(_train, data=data, targets=targets, epochs=epochs, columns=columns, habits=habits)
    of = {"data": digest, "targets": targets, **{key: columns.get(key) for key in COLUMNS}, "epochs": epochs}
    of |= {"habits": habits, "most_synapses": said.get("most_synapses")}
    setattr(train, TOLD, {name: str(value) for name, value in of.items()})
    factor: Any = circuits
    if said.get("search") == "evolutionary":
        factor = Evolving(circuits, said.get("most_synapses"))
    return experiment(
        train,
        {"circuit": factor, **{name: _values(name, values) for name, values in space.items()}},
        seeds=said.get("seeds", 1),
        trials=said.get("trials"),
        search=said.get("search", "grid"),
        population=said.get("population", 16),
        seed=said.get("seed", 0),
        name=said.get("name", file.stem),
        store=store,
        workers=workers,
        progress=progress,
    )


def _of_a_sweep(message: str, file: Path) -> str:
    """A message that names an option of ``ganglion train``, with where a sweep takes it."""
    option = re.search(r"--(\w+)", message)
    if option is None or option[1] not in {*Habits.__dataclass_fields__, "input", "time", "group"}:
        return message
    word = option[1]
    where = {"input": "inputs = [...]", "time": "time = ...", "group": "group = ..."}
    return f"{message} ({where.get(word, f'{word} = ... under [habits]')} in {file})"


def _require_trainable(
    circuits: dict[str, Any],
    data: Path,
    targets: list[str],
    columns: dict[str, Any],
    space: dict[str, Any],
    habits: Habits,
) -> str:
    """Refuse now what would make trials fail, since one that failed is not run again.

    Returns:
        The digest of the data.
    """
    digest = ""
    for name, values in space.items():
        given = _values(name, values)
        for value in given[:2] if isinstance(given, tuple) else given if isinstance(given, list) else ():
            series.Settings(**{name: value})
    if "inputs" in columns:
        columns["inputs"] = several("inputs", columns["inputs"], "names")
    series.Columns(
        tuple(columns.get("inputs", ())), tuple(targets), columns.get("time"), columns.get("group")
    )
    for circuit in circuits.values():
        plan = compile_circuit(circuit).plan
        with open_table(data, habits) as reader:
            chosen = series.Columns.choose(reader, plan.sensors, plan.n_outputs, targets, **columns)
            digest = series_of(reader, chosen)[1]
    return digest


def _values(name: str, values: Any) -> Any:
    """A list as it is, and a table of low and high as a range."""
    if isinstance(values, dict):
        if not {"low", "high"} <= set(values) <= {"low", "high", "log"}:
            raise ValueError(f"{name} must be a list, or {{low=, high=, log=}}, got {label(values)}")
        return (values["low"], values["high"], *(("log",) if values.get("log") else ()))
    return values


def _train(
    trial: Trial, *, data: Path, targets: list[str], epochs: int, columns: dict[str, Any], habits: Habits
) -> float:
    """One run of ``ganglion train`` in the trial's directory, where it goes on after a crash."""
    settings = {name: value for name, value in trial.parameters.items() if name != "circuit"}
    path = trial.directory / "circuit.json"
    if not path.exists():
        write(trial["circuit"], path)
    outcome = series.train_series(
        path,
        data,
        trial.directory / "run",
        targets=targets,
        epochs=epochs,
        settings=series.Settings(**settings, seed=trial.seed),
        habits=habits,
        progress=False,
        **columns,
    )
    for epoch, value in enumerate(outcome.history.validation, 1):
        trial.report(epoch, value)
    parts = [error / baseline for error, baseline in zip(outcome.errors, outcome.baselines, strict=True)]
    return float(sum(parts) / len(parts))
