"""The command ``ganglion sweep``: circuits, cells and rates on a time series, from a file that says which."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..arguments import counted
from ..errors import FileError
from .options import positive

SWEEP = """\
Train every setting that FILE names, and say which is best. What was trained
stays: the same command goes on where it was interrupted. FILE is TOML:

  circuits = ["small.json", "large.json"]     # circuit files
  data = "data.csv"                           # as for ganglion train
  targets = ["torque"]
  seeds = 5                                   # runs of every setting
  epochs = 50
  search = "grid"                             # or "random", "bayesian", "evolutionary"
  # trials = 40                               # settings, if not a grid
  # population = 16; most_synapses = 200      # of an evolution, which edits the circuits
  # inputs = ["speed"]; time = "t"; group = "run"

  [habits]                                    # of the table, as options of ganglion train
  missing = "mask"

  [space]                                     # settings of ganglion train
  cell = ["ltc", "cfc"]
  learning_rate = [0.01, 0.003]               # a list, or {low=, high=, log=true}"""


def add_commands(commands: Any) -> None:
    """Add the command to those of the command line."""
    sweep = commands.add_parser(
        "sweep", help="train many settings on a time series, and compare them", description=SWEEP
    )
    sweep.set_defaults(run=_sweep)
    sweep.add_argument("file", type=Path, help="what to train: .toml")
    sweep.add_argument(
        "--store", type=Path, metavar="FILE", help="where results are kept (default: beside FILE, .journal)"
    )
    sweep.add_argument("--workers", type=positive, default=1, metavar="N", help="processes (default: 1)")
    sweep.add_argument("--report", type=Path, metavar="PAGE", help="write a page about it: .html")


def _sweep(arguments: argparse.Namespace) -> None:
    from ..studies.sweeping import sweep

    if not arguments.file.name:
        raise FileError(f"{arguments.file}: this is a directory, expected a file")
    store = arguments.store or arguments.file.with_suffix(".journal")
    found = sweep(arguments.file, store=store, workers=arguments.workers)
    print(repr(found))
    for level in found.effects():
        said = f"{level.mean:.4g} ({level.low:.4g} to {level.high:.4g}, {counted(level.trials, 'run')})"
        print(f"{level.factor} = {level.level}: {said}")
    told = found.best.parameters.items()
    best = ", ".join(f"{name} = {found.space[name].shown(value)}" for name, value in told)
    print(f"best: {best}; error {found.best.value:.4g}")
    if arguments.report is not None:
        found.report(arguments.report, title=arguments.file.stem)
        print(f"report: {arguments.report}")
