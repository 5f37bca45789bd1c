"""Training a circuit on a CSV file, in a directory of its own, and using it on another one."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
from numpy.typing import NDArray

from ...arguments import counted, fraction, instance, one_of, real, seed_number, several, whole
from ...arguments import path as as_path
from ...cells import LRC, LRCU, LTC, RNN, STC, CfC, CTRNNCell, LeakyRate, MinGRU
from ...compile import CompiledCircuit, compile_circuit
from ...errors import CircuitError, FileError
from ...habits import ORDINARY, Habits
from ...interchange import Scaled, load
from ...storage import replace_files
from ...wiring import Circuit, read
from ..history import History
from ..loop import fit
from ..losses import outputs_of
from .directory import SETTINGS, claim, columns_of, habits_of, may_hold
from .sequences import Columns, Floats, Scaling, Series, read_columns, series_of, split, windows, with_samples
from .table import open_table

CELLS: dict[str, Any] = {
    "ltc": LTC, "cfc": CfC, "stc": STC, "lrc": LRC, "lrcu": LRCU, "ctrnn": CTRNNCell, "rate": LeakyRate,
    "mingru": MinGRU,
}  # fmt: skip
"""Networks, and cells for one."""


@dataclass(frozen=True)
class Settings:
    """How to train a circuit on a time series.

    Attributes:
        cell: "ltc", "cfc", "stc", "lrc", "lrcu", "ctrnn", "rate" or "mingru".
        batch_size: windows per step.
        window: samples per window, as far as gradients go back; windows overlap by half.
        learning_rate: of Adam, with bias correction.
        clip_norm: the largest norm of all gradients together.
        validation: the share of the data that chooses the best epoch.
        seed: of weights and data order.
    """

    cell: str = "ltc"
    batch_size: int = 8
    window: int = 32
    learning_rate: float = 0.01
    clip_norm: float = 1.0
    validation: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("cell", self.cell, CELLS)
        whole("batch_size", self.batch_size)
        whole("window", self.window)
        real("learning_rate", self.learning_rate, above=0)
        real("clip_norm", self.clip_norm, above=0)
        fraction("validation", self.validation, below=True)
        seed_number(self.seed)


@dataclass(frozen=True, repr=False)
class Outcome:
    """What a training run came to.

    Attributes:
        model: the network of the best epoch, in the units of the data.
        compiled: its circuit.
        columns: what it reads and says.
        settings: how it was trained.
        history: the learning curves, in the units of the network; validation is the mean over targets of the
            squared errors below, each in its target's `scale`, as the network was after each epoch.
        held_out: the validation sequences.
        errors: root mean squared error of each target over all their samples, in the units of the data, as
            `predict` reads each from its beginning to its end.
        baselines: the same for always saying the mean of the training data.
        habits: how the table was written.
        missing: of each column in which cells have no number, how many.
        dated: whether the times are dates, so that time spans are in seconds.
    """

    model: Scaled
    compiled: CompiledCircuit
    columns: Columns
    settings: Settings
    history: History
    held_out: list[Series]
    errors: list[float]
    baselines: list[float]
    habits: Habits = ORDINARY
    missing: dict[str, int] = field(default_factory=dict)
    dated: bool = False

    def __repr__(self) -> str:
        cell, epochs = CELLS[self.settings.cell].__name__, counted(len(self.history.loss), "epoch")
        best = "" if self.history.best is None else f", the best {self.history.best + 1}"
        told = [f"{name} {error:.4g}" for name, error in zip(self.columns.targets, self.errors, strict=True)]
        return f"Outcome({cell}, {epochs}{best}; RMSE of {', '.join(told[:4])}{', ...' * (len(told) > 4)})"


def train_series(
    circuit: Path,
    data: Path,
    out: Path,
    *,
    targets: Sequence[str],
    inputs: Sequence[str] | None = None,
    time: str | None = None,
    group: str | None = None,
    epochs: int = 100,
    patience: int | None = None,
    settings: Settings = Settings(),
    habits: Habits = ORDINARY,
    progress: bool = True,
) -> Outcome:
    """Train a circuit to say the targets from the inputs, or go on with the run in the directory.

    Everything is read and checked before the directory is touched.

    Args:
        circuit: a circuit file.
        data: a CSV file with a header and a row per sample.
        out: the directory of the run.
        targets: the columns that the motor neurons are to say.
        inputs: the columns that the sensory neurons are given; by their names, or all others, if not given.
        time: the column of times, for samples that are not regular: numbers, or dates in ISO 8601.
        group: the column that says which sequence a row belongs to.
        epochs: passes over the data.
        patience: stop after this many epochs without a better validation loss.
        settings: the rest.
        habits: how the table is written, and what to do where something is not there.
        progress: whether to show a progress bar.

    Raises:
        CircuitError: the circuit is not sound.
        FileError: the data are not sound, or the directory holds another run.
        OSError: a file cannot be read or written.
        FloatingPointError: the loss is not finite any more.

    Example:
        >>> outcome = train_series(Path("c.json"), Path("d.csv"), Path("run"), targets=["y"])
    """
    circuit, data, out = as_path("circuit", circuit), as_path("data", data), as_path("out", out)
    instance("settings", settings, Settings, "Settings")
    instance("habits", habits, Habits, "Habits")
    targets = several("targets", targets, "names")
    inputs = None if inputs is None else several("inputs", inputs, "names")
    # No columns of a file yet, but they say whether the kinds are right before it is opened.
    Columns(tuple(inputs or ()), tuple(targets), time, group)
    compiled = compile_circuit(_read_circuit(circuit))
    plan = compiled.plan
    with open_table(data, habits) as reader:
        columns = Columns.choose(reader, plan.sensors, plan.n_outputs, targets, inputs, time, group)
        series, digest = series_of(reader, columns)
        missing = {name: reader.missing[name] for name in reader.header if reader.missing[name]}
        dated = reader.dated
    series = [one.observed() for one in with_samples(series)]
    training, held_out = split(series, settings.validation)
    for part, what in ((training, "training"), (held_out, "validation")):
        empty = np.all([np.isnan(one.y).all(axis=0) for one in part], axis=0)
        if empty.any():
            raise FileError(f"{data}: target {targets[int(np.argmax(empty))]!r} is empty in the {what} data")
    scaling = Scaling.of(training)
    claim(out, asdict(settings), columns, habits, circuit=plan.digest, data=digest)

    mx.random.seed(settings.seed)
    network = CELLS[settings.cell](compiled)
    network = network if isinstance(network, RNN) else RNN(network)
    model = Scaled(network, columns.inputs, columns.targets, **scaling.to_json())

    def judge(model: Scaled) -> float:
        """The errors that the report tells, as one number."""
        wrong = np.array(errors_of([predict(model, one) for one in held_out], held_out))
        return float(((wrong / scaling.scale) ** 2).mean())

    history = fit(
        model,
        windows(training, settings.window, scaling, every=max(1, settings.window // 2)),
        loss=_loss,
        optimizer=optim.Adam(settings.learning_rate, bias_correction=True),
        epochs=epochs,
        batch_size=settings.batch_size,
        validation=judge,
        patience=patience,
        clip_norm=settings.clip_norm,
        seed=settings.seed,
        checkpoint=out,
        progress=progress,
    )
    errors = errors_of([predict(model, one) for one in held_out], held_out)
    mean = np.nanmean(np.concatenate([one.y for one in training]), axis=0)
    baselines = errors_of([np.broadcast_to(mean, (len(one.x), len(mean))) for one in held_out], held_out)
    return Outcome(
        model, compiled, columns, settings, history, held_out, errors, baselines, habits, missing, dated
    )


def predict(model: Scaled, series: Series) -> Floats:
    """(T, M) what a network says to a sequence, as ``model.predict(x, timespans)`` does.

    The first sample has the usual time between two before it. Of a series with a mask the network sees the
    `observed` samples, and goes on saying what it said at the others, as ``ganglion predict`` writes it; NaN
    where it sees none.
    """
    seen = series.observed()
    spans = seen.timespans(model.time_unit)
    return series.shown(model.predict(seen.x, spans) if len(seen.x) else np.empty((0, len(model.outputs))))


def predict_series(run: Path, data: Path, out: Path, **habits: Any) -> int:
    """Let the network of a run read a CSV file, and write what it says to another one; return the rows.

    The file needs the columns of inputs, time and group that the run was trained with; targets are not read.
    The result has the time, the group and the targets, row by row.

    Rows of one time that are one sample have one row. A group of which there is nothing to see is left out
    with a warning: nothing stands where its targets would.

    Args:
        run: the directory of a run.
        data: a table.
        out: the table to write.
        habits: how the table is written and what to do where something is not there, see `Habits`; as in
            training where not given.

    Raises:
        FileError: no run, data that are not sound, or a result that would replace the data or a file of the
            run; nothing is touched.
        OSError: a file cannot be read or written.
    """
    run, data, out = as_path("run", run), as_path("data", data), as_path("out", out)
    columns, written = columns_of(run), replace(habits_of(run), **habits)
    if not may_hold(run, out) or (out.exists() and data.exists() and out.samefile(data)):
        raise FileError(f"{out} is a file of the run or the data: choose another file for the predictions")
    model = _model_of(run, columns)
    series, _ = read_columns(data, columns, written, targets=False)
    rows: list[tuple[int, list[Any]]] = []
    for one in series:
        said = predict(model, one) if with_samples([one]) else None
        for k, line in enumerate(one.rows.lines.tolist()):
            head: list[Any] = [one.rows.stamps[k]] if columns.time else []
            head += [one.rows.group] if columns.group else []
            texts = [""] * len(columns.targets) if said is None else map(repr, said[k].tolist())
            rows.append((line, [*head, *texts]))
    rows.sort(key=lambda row: row[0])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*filter(None, (columns.time, columns.group)), *columns.targets])
    writer.writerows(row for _, row in rows)
    replace_files({out: text.getvalue().encode()})
    return len(rows)


@dataclass(frozen=True)
class Score:
    """How far off a network is from a target.

    Attributes:
        rmse: the root mean squared error, in the unit of the data; NaN without a sample.
        samples: over how many, those that the network sees and that have a number there.
        unseen: how many more have one, in rows of which the network does not see the inputs.
    """

    rmse: float
    samples: int
    unseen: int


def score_series(run: Path, data: Path, **habits: Any) -> dict[str, Score]:
    """How far off the network of a run is on a CSV file that has the targets, too, by target.

    Args:
        run: the directory of a run.
        data: a table.
        habits: as `predict_series` takes them.

    Raises:
        FileError: no run, or data that are not sound.
        OSError: a file cannot be read.
    """
    run, data = as_path("run", run), as_path("data", data)
    columns = columns_of(run)
    model = _model_of(run, columns)
    series = read_columns(data, columns, replace(habits_of(run), **habits))[0]
    seen = [one.observed() for one in series]
    errors = errors_of([predict(model, one) for one in seen], seen)
    counts, every = (np.sum([known_of(one) for one in part], axis=0).tolist() for part in (seen, series))
    found = zip(columns.targets, errors, counts, every, strict=True)
    return {name: Score(error, count, total - count) for name, error, count, total in found}


def known_of(series: Series) -> NDArray[np.int64]:
    """(M,) how many samples have each target."""
    found: NDArray[np.int64] = np.isfinite(series.y).sum(axis=0)
    return found


def _model_of(run: Path, columns: Columns) -> Scaled:
    model = load(run)
    if not isinstance(model, Scaled) or (model.inputs, model.outputs) != (columns.inputs, columns.targets):
        raise FileError(f"{run}: the model there is not the one that {SETTINGS} describes")
    return model


def _read_circuit(path: Path) -> Circuit:
    try:
        return read(path)
    except CircuitError:
        raise
    except ValueError as error:  # an unknown ending
        raise FileError(str(error)) from None


def _loss(model: Scaled, x: mx.array, y: mx.array, spans: mx.array, weights: mx.array) -> mx.array:
    """The error in the units of the network, where all targets and all samples weigh the same."""
    outputs = outputs_of(model.model, x, spans)
    if weights.ndim == y.ndim:  # some targets are missing
        return (mx.square(outputs - y) * weights).mean()
    return (mx.square(outputs - y).mean(axis=-1) * weights).mean()


def errors_of(said: Sequence[Floats], series: Sequence[Series]) -> list[float]:
    """Root mean squared error of each target over all samples that have it; NaN where none has."""
    squares = np.square(np.concatenate([a - one.y for a, one in zip(said, series, strict=True)]))
    known = ~np.isnan(np.concatenate([one.y for one in series]))  # a prediction that is no number is wrong
    counts = known.sum(axis=0)
    sums = np.where(known, squares, 0.0).sum(axis=0)
    return [
        math.sqrt(total / count) if count else math.nan for total, count in zip(sums, counts, strict=True)
    ]
