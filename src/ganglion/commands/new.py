"""The command ``ganglion new``: a generated circuit in a file."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from ..errors import CircuitError
from .options import seed

NEW = """\
Generate a circuit and write it to a file. Each kind has the options of the
function of its name: ganglion new auto-ncp --help lists them."""

KINDS = ("auto-ncp", "ncp", "layered", "fully-connected", "random")


def add_commands(commands: Any) -> None:
    """Add the command to those of the command line."""
    parser = commands.add_parser("new", help="generate a circuit", description=NEW)
    kinds = parser.add_subparsers(
        dest="kind", metavar="KIND", required=True, title="kinds", parser_class=_OfKind
    )
    for kind in KINDS:
        made = kinds.add_parser(kind, help=f"as gl.{kind.replace('-', '_')}")
        made.set_defaults(run=_new)
        made.add_argument(
            "-o", "--out", type=Path, required=True, metavar="FILE", help="circuit file, such as c.json"
        )


class _OfKind(argparse.ArgumentParser):
    """The parser of a kind, which asks its generator for options only when it is used: that loads NumPy."""

    _asked = False

    def _ask(self) -> None:
        for name, given in inspect.signature(_generator(self.prog.split()[-1])).parameters.items():
            if not self._asked:
                _add_option(self, name, given)
        self._asked = True

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self._ask()
        return super().parse_known_args(args, namespace)

    def format_help(self) -> str:
        self._ask()  # the page of commands has the help of a parser that parses nothing
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _generator(kind: str) -> Callable[..., Any]:
    from .. import wiring

    made: Callable[..., Any] = getattr(wiring, kind.replace("-", "_"))
    return made


def _add_option(parser: argparse.ArgumentParser, name: str, given: inspect.Parameter) -> None:
    """The option for an argument of a generator, of the type that its annotation says."""
    flag, needed = f"--{name.replace('_', '-')}", given.default is inspect.Parameter.empty
    help_ = "needed" if needed else f"default: {given.default}"
    if given.annotation == "bool":
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=given.default, help=help_)
        return
    kinds: dict[str, tuple[Callable[[str], Any], str]] = {"int": (seed, "N"), "float": (float, "X")}
    kind = re.match(r"\w+", str(given.annotation))
    convert, metavar = kinds.get(kind[0] if kind else "", (_sizes, "N,N"))
    default = None if needed else given.default
    parser.add_argument(flag, type=convert, metavar=metavar, required=needed, default=default, help=help_)


def _sizes(text: str) -> list[int]:
    return [seed(part) for part in text.split(",")]


def _new(arguments: argparse.Namespace) -> None:
    from ..wiring import write
    from ..wiring.electrical import size_of

    make = _generator(arguments.kind)
    options = {name: getattr(arguments, name) for name in inspect.signature(make).parameters}
    try:
        circuit = make(**options)
        write(circuit, arguments.out)
    except (TypeError, ValueError) as error:
        raise CircuitError(str(error)) from None
    print(f"{arguments.out}: {size_of(circuit)}")
