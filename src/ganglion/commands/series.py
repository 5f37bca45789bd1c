"""The commands ``ganglion train`` and ``ganglion predict``: their options, and what they print."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..arguments import counted
from ..habits import DATES, DECIMALS, MISSING, ORDINARY, SEPARATORS, TIES, Habits
from .options import positive, rate, seed, share

TRAIN = """\
Train a circuit on a time series. The table is a CSV file with a header and a
row per sample. Its sensory neurons are given the inputs, its motor neurons say
the targets. Rows are one sequence, or one per value of the --group column;
samples are regular, or taken at the times of the --time column: numbers, or
dates in ISO 8601, of which 20240131 is one. The table may be compressed by
gzip; what a line is refused for says which option would take it.

DIR gets checkpoints and a report with pictures. The same command goes on where
it was interrupted, and with more --epochs where it had ended. The network of
the epoch with the least error on the validation data is kept: ganglion predict uses it, and
gl.load("DIR") in Python."""

PREDICT = """\
Let the network that ganglion train left in DIR read another table, which needs
the same inputs, time and group columns, and write what it says to a CSV file.
A group in which an input is missing in every row is left out: its rows are empty.
With --errors it is a test: of data that training did not see, not even to choose
its best epoch."""

CELLS = ("ltc", "cfc", "stc", "lrc", "lrcu", "ctrnn", "rate", "mingru")
"""Those of `training/series`, which is loaded where something is trained."""


def add_commands(commands: Any) -> None:
    """Add both commands to those of the command line."""
    train = commands.add_parser(
        "train", help="train a circuit on a time series in a CSV file", description=TRAIN
    )
    train.set_defaults(run=_train)
    train.add_argument("circuit", type=Path, help="circuit file, such as c.json")
    train.add_argument("data", type=Path, help="table with a header: .csv")
    train.add_argument("--target", action="append", required=True, metavar="COLUMN", help="may be repeated")
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the run is kept")
    train.add_argument(
        "--input",
        action="append",
        metavar="COLUMN",
        help="may be repeated (default: the columns named like the sensory neurons, or all others)",
    )
    train.add_argument("--time", metavar="COLUMN", help="when samples were taken (default: regularly)")
    train.add_argument("--group", metavar="COLUMN", help="which sequence a row belongs to (default: one)")
    _add_habits(train)
    train.add_argument("--cell", choices=CELLS, default="ltc", help="default: ltc")
    for name, kind, default, what in (
        ("epochs", positive, 100, "passes over the data"),
        ("batch-size", positive, 8, "windows per step"),
        ("window", positive, 32, "samples per window; windows overlap by half"),
        ("learning-rate", rate, 0.01, "of Adam"),
        ("clip-norm", rate, 1.0, "largest norm of all gradients"),
        (
            "validation",
            share,
            0.2,
            "share of the data that chooses the best epoch: the last groups, if there are five",
        ),
        ("seed", seed, 0, "of weights and data order"),
    ):
        metavar = "N" if kind in (positive, seed) else "X"
        help_text = f"{what} (default: {default})"
        train.add_argument(f"--{name}", type=kind, default=default, metavar=metavar, help=help_text)
    train.add_argument(
        "--patience", type=positive, metavar="N", help="stop after N epochs without a better validation loss"
    )

    predict = commands.add_parser("predict", help="use a trained circuit on a CSV file", description=PREDICT)
    predict.set_defaults(run=_predict)
    predict.add_argument("run_directory", type=Path, metavar="DIR", help="what ganglion train left")
    predict.add_argument("data", type=Path, help="table with a header: .csv")
    predict.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="the table to write")
    predict.add_argument(
        "--errors", action="store_true", help="the table has the targets: say how far off the network is"
    )
    _add_habits(predict, "as in training")


def _add_habits(parser: argparse.ArgumentParser, usual: str | None = None) -> None:
    """The options that say how a table is written.

    Args:
        parser: of the command.
        usual: what stands where they are not given, which is not known here; None for what `Habits` has.
    """
    for name, choices, what in (
        ("missing", MISSING, "cells without a number: take the one before, or hide the row"),
        ("ties", TIES, "rows of the same time: one sample of their means, or of the last numbers"),
        ("dates", DATES, "how dates begin that are not in ISO 8601"),
        ("separator", tuple(SEPARATORS), "between cells"),
        ("decimal", tuple(DECIMALS), "mark of decimals"),
    ):
        told = usual or getattr(ORDINARY, name) or "what the file has"
        parser.add_argument(f"--{name}", choices=choices, help=f"{what} (default: {told})")
    told = f"the newest rows come first, or do not (default: {usual or 'they do not'})"
    parser.add_argument("--descending", action=argparse.BooleanOptionalAction, help=told)


def _habits(arguments: argparse.Namespace) -> dict[str, Any]:
    """Those that were given."""
    given = {name: getattr(arguments, name) for name in Habits.__dataclass_fields__}
    return {name: value for name, value in given.items() if value is not None}


def _train(arguments: argparse.Namespace) -> None:
    from ..studies.needs import needs
    from ..training import series
    from ..training.series.report import write_report

    settings = series.Settings(
        cell=arguments.cell,
        batch_size=arguments.batch_size,
        window=arguments.window,
        learning_rate=arguments.learning_rate,
        clip_norm=arguments.clip_norm,
        validation=arguments.validation,
        seed=arguments.seed,
    )
    outcome = series.train_series(
        arguments.circuit,
        arguments.data,
        arguments.out,
        targets=arguments.target,
        inputs=arguments.input,
        time=arguments.time,
        group=arguments.group,
        epochs=arguments.epochs,
        patience=arguments.patience,
        settings=settings,
        habits=Habits(**_habits(arguments)),
    )
    if outcome.missing:
        cells = ", ".join(f"{count} in {name}" for name, count in outcome.missing.items())
        print(f"cells without a number: {cells} (--missing {outcome.habits.missing})")
    if outcome.columns.time is not None:
        unit, column = outcome.model.time_unit, outcome.columns.time
        seconds = " s" if outcome.dated else ""
        print(f"time unit: {unit:g}{seconds}, the median span of {column}")
    for name, error, baseline in zip(arguments.target, outcome.errors, outcome.baselines, strict=True):
        print(f"{name}: RMSE {error:.4g} on the validation data; always saying the mean: {baseline:.4g}")
    print(f"report: {write_report(outcome, arguments.out, needs(outcome))}")


def _predict(arguments: argparse.Namespace) -> None:
    from ..training import series

    directory, data = arguments.run_directory, arguments.data
    habits = _habits(arguments)
    rows = series.predict_series(directory, data, arguments.out, **habits)
    if arguments.errors:
        for name, score in series.score_series(directory, data, **habits).items():
            unseen = f"; {score.unseen} more are in rows that it does not see" if score.unseen else ""
            known = f"RMSE {score.rmse:.4g} over {counted(score.samples, 'sample')}"
            print(f"{name}: {known if score.samples else f'{data} has no target to compare with'}{unseen}")
    print(f"{counted(rows, 'row')}: {arguments.out}")
