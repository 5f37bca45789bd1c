"""The command line: ``ganglion COMMAND``, also ``python -m ganglion COMMAND``.

Exit codes: 0 done, 1 a circuit that `ganglion check` finds wrong, 2 the request cannot be served (one
sentence on stderr says why), 130 interrupted, 141 nobody reads the output any more.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from .commands import cache, deploy, edit, graphs, new, pictures, series, sweep
from .commands.exits import LONGEST, run_command
from .commands.options import positive, seed
from .distribution import __version__

DESCRIPTION = """\
Ganglion: liquid neural circuits on MLX.

A circuit is a networkx digraph of sensory, inter, command and motor neurons.
Ganglion compiles it into an LTC or CfC network, trains it with MLX and shows
what every neuron does."""

EPILOG = """\
start here:
  ganglion demo                  train both networks on handwritten digits (minutes)
  ganglion demo --cell cfc       only the CfC, which trains faster
  ganglion train --help          train a circuit of yours on a time series of yours
  ganglion show FILE             print a circuit; ganglion plot FILE -o FIGURE draws it
  ganglion edit FILE             edit a circuit in the browser while its network runs
  ganglion demo --help           all options of a command"""

DEMO = """\
Train one circuit, auto_ncp(64, 10, inputs=8), on the handwritten digits that
ship with scikit-learn. An image is read row by row: 8 steps of 8 pixels. After
the last row the most active of the 10 motor neurons names the digit. A table
compares the networks with logistic regression on the same test images, and
pictures of the circuit, its masks, the learning curves and the activity of
every neuron go to the folder given by --out."""


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one sentence, and which keeps the lines of a description."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"formatter_class": argparse.RawDescriptionHelpFormatter, **options})

    def _print_message(self, message: str, file: Any = None) -> None:
        """argparse keeps it to itself when the output takes nothing, as on a full disk."""
        if file is sys.stdout:
            file.write(message)
        else:
            super()._print_message(message, file)

    def error(self, message: str) -> NoReturn:
        message += self._suggestion(message)
        message = message if len(message) <= LONGEST else f"{message[:LONGEST]}..."
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def _suggestion(self, message: str) -> str:
        """What was meant instead of a command, a choice or an option that there is not."""
        wrong = re.search(
            r"invalid choice: '([^']*)' \(choose from (.*)\)|unrecognized arguments: (\S+)", message
        )
        if wrong is None:
            return ""
        from .wiring.words import suggestion

        if wrong[3] is None:
            return suggestion(wrong[1], re.findall(r"[^\s',]+", wrong[2]))
        parsers = [self, *(part for action in self._actions for part in _parsers(action))]
        return suggestion(wrong[3], [name for parser in parsers for name in parser._option_string_actions])


def _parsers(action: argparse.Action) -> list[argparse.ArgumentParser]:
    return list(action.choices.values()) if isinstance(action, argparse._SubParsersAction) else []


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Example:
        >>> main(["demo", "--cell", "cfc", "--epochs", "2"])     # doctest: +SKIP
    """
    parser = build_parser()
    name = parser.prog

    def command() -> None:
        nonlocal name
        arguments = parser.parse_args(argv)
        if arguments.command is None:
            parser.print_help()
        else:
            name = f"{parser.prog} {arguments.command}"
            arguments.run(arguments)

    return run_command(lambda: name, command)


def build_parser() -> _Parser:
    parser = _Parser("ganglion", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"ganglion {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    demo = commands.add_parser(
        "demo",
        help="train an LTC and a CfC on handwritten digits, with a table and pictures",
        description=DEMO,
    )
    demo.set_defaults(run=_demo)
    demo.add_argument("--cell", choices=("ltc", "cfc", "both"), default="both", help="default: both")
    demo.add_argument(
        "--epochs",
        type=positive,
        metavar="N",
        help="passes over the training images (default: 40)",
    )
    demo.add_argument("--seed", type=seed, default=0, metavar="N", help="of weights and batches (default: 0)")
    demo.add_argument(
        "--seeds", type=positive, default=1, metavar="K", help="runs per cell, from --seed on (default: 1)"
    )
    demo.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="for pictures (default: out)"
    )
    series.add_commands(commands)
    deploy.add_commands(commands)
    sweep.add_commands(commands)
    pictures.add_commands(commands)
    graphs.add_commands(commands)
    new.add_commands(commands)
    cache.add_commands(commands)
    edit.add_commands(commands)
    return parser


def _demo(arguments: argparse.Namespace) -> None:
    from .demo import run

    run(
        cells=("ltc", "cfc") if arguments.cell == "both" else (arguments.cell,),
        epochs=arguments.epochs,
        seeds=range(arguments.seed, arguments.seed + arguments.seeds),
        out=arguments.out,
    )
