"""The commands ``ganglion convert`` and ``ganglion check``: circuit files of any kind."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..arguments import counted
from ..errors import CircuitError

CONVERT = """\
Read a circuit, or a graph of another tool, and write it in the format of the
other file's ending. What the file does not say by itself, options say; the
report tells what was read as what, merged, dropped or split."""

CHECK = """\
Name every problem of a circuit file, each with its neuron or synapse. The exit
code is 0 for a circuit that can be compiled, 1 for one that cannot, and 2 for a
file that holds none."""

MEANING = {
    "names": "node attribute that names neurons, or id",
    "roles": "node attribute with the roles, or infer",
    "polarity": "attribute with the signs, 'weight sign', 1 or -1",
    "weight": "edge attribute with the strength",
    "parallel": "sum, first, strongest, refuse or an attribute",
    "kind": "edge attribute that tells chemical from electrical synapses",
    "electrical": "keep, drop or synapses",
    "sensors": "split, drop or keep",
    "format": "of the first file, if its ending does not tell",
}
"""Options that `circuit_from` has by the same name, and what they take."""


def add_commands(commands: Any) -> None:
    """Add both commands to those of the command line."""
    convert = commands.add_parser(
        "convert", help="read any graph file and write it as another", description=CONVERT
    )
    convert.set_defaults(run=_convert)
    convert.add_argument("source", type=Path, metavar="IN", help="file of a circuit or graph")
    convert.add_argument("target", type=Path, metavar="OUT", help="file to write")
    _add_meaning(convert)
    check = commands.add_parser("check", help="name every problem of a circuit file", description=CHECK)
    check.set_defaults(run=_check)
    check.add_argument("source", type=Path, metavar="FILE", help="file of a circuit or graph")
    _add_meaning(check)


def _add_meaning(parser: argparse.ArgumentParser) -> None:
    for name, help_ in MEANING.items():
        parser.add_argument(f"--{name}", metavar="X", help=help_)
    for name in ("sensory", "motor", "inhibitory"):
        parser.add_argument(f"--{name}", metavar="A,B", help=f"names of {name} neurons")


def _convert(arguments: argparse.Namespace) -> None:
    from ..wiring import read, write
    from ..wiring.electrical import size_of

    source, target = arguments.source.expanduser(), arguments.target.expanduser()
    if target.exists() and source.exists() and target.samefile(source):
        raise CircuitError(f"{target}: this is the file that is read; expected another one to write")
    circuit = _told(lambda: read(source, **_meaning(arguments)))
    _told(lambda: write(circuit, target))
    print(circuit.origin)
    print(f"{target}: {size_of(circuit)}")


def _check(arguments: argparse.Namespace) -> None:
    from ..wiring import read
    from ..wiring.electrical import size_of

    meaning = {"sensors": "keep", **_meaning(arguments)}
    circuit = _told(lambda: read(arguments.source, strict=False, **meaning))
    problems = circuit.check()
    for problem in problems:
        print(f"{arguments.source}: {problem}")
    errors = sum(problem.severity == "error" for problem in problems)
    print(
        f"{arguments.source}: {size_of(circuit)}, {counted(errors, 'error')}, "
        f"{counted(len(problems) - errors, 'warning')}"
    )
    if errors:
        raise SystemExit(1)


def _told(act: Any) -> Any:
    """What `act` returns; a wrong option becomes one sentence."""
    try:
        return act()
    except (TypeError, ValueError) as error:
        raise error if isinstance(error, CircuitError) else CircuitError(str(error)) from None


def _meaning(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options that were given, as arguments of `read`."""
    meaning = {name: value for name in MEANING if (value := getattr(arguments, name)) is not None}
    if meaning.get("polarity") in ("1", "+1", "-1"):
        meaning["polarity"] = int(meaning["polarity"])
    lists = {
        name: value.split(",")
        for name in ("sensory", "motor", "inhibitory")
        if (value := getattr(arguments, name)) is not None
    }
    if "inhibitory" in lists:
        meaning["polarity"] = lists.pop("inhibitory")
    if lists:
        meaning["roles"] = lists
    return meaning
