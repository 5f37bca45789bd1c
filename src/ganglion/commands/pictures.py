"""The commands ``ganglion plot`` and ``ganglion show``: a circuit file as a figure, or in the terminal."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..arguments import counted
from ..errors import FileError
from .output import console as make_console
from .output import printable, speaks_unicode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..wiring import Circuit, Summary

FORMATS = (".png", ".pdf", ".svg", ".html")

PLOT = """\
Draw a circuit file. Its size and style decide how: synapse by synapse, or, for
a large circuit, as blocks between roles. As .html it is a page that shows and
edits the circuit without Python and without a network."""

SHOW = """\
Print a circuit file in the terminal: neurons by role, synapses between roles,
degrees, what check() finds, and the matrix of synapses from row to column."""

WIDEST = 39
"""Columns of the matrix, which fit a terminal of 80 characters; more neurons share a cell."""

LONGEST = 14
"""Characters of a name beside a row."""

LONGEST_PROBLEM = 2000
"""Characters of a problem, which ends in what to do about it."""

NARROW = 64
"""Characters of a terminal, below which the table of pathways has short headings."""

COLOURS = ("dim", "blue", "dark_orange", "magenta")
SIGNS, ASCII_SIGNS = "·+-±", ".+-x"
"""The marks of a cell without synapses, with excitatory, with inhibitory and with both kinds."""


def add_commands(commands: Any) -> None:
    """Add both commands to those of the command line."""
    plot = commands.add_parser("plot", help="draw a circuit file as a figure", description=PLOT)
    plot.set_defaults(run=_plot)
    plot.add_argument("circuit", type=Path, help="circuit file, such as c.json")
    plot.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FILE", help=f"figure: {', '.join(FORMATS)}"
    )
    plot.add_argument(
        "--layout",
        default="layered",
        metavar="NAME",
        help="layered, radial, hierarchy, hive, given or a networkx layout (default: layered)",
    )
    plot.add_argument(
        "--style", default="auto", choices=("auto", "links", "matrix", "blocks", "hive"), help="default: auto"
    )
    show = commands.add_parser("show", help="print a circuit file in the terminal", description=SHOW)
    show.set_defaults(run=_show)
    show.add_argument("circuit", type=Path, help="circuit file, such as c.json")


def _plot(arguments: argparse.Namespace) -> None:
    from ..viz import plot_circuit, to_html
    from ..wiring import read
    from ..wiring.electrical import size_of

    if arguments.out.suffix.lower() not in FORMATS:
        raise FileError(f"{arguments.out}: a figure ends in one of {', '.join(FORMATS)}")
    circuit = read(arguments.circuit)
    if arguments.out.suffix.lower() == ".html":
        if (arguments.layout, arguments.style) != ("layered", "auto"):
            raise FileError(
                f"{arguments.out}: a page lays a circuit out by itself, without --layout and --style"
            )
        to_html(circuit, arguments.out, title=arguments.circuit.name)
        print(f"{arguments.out}: {size_of(circuit)}")
        return
    try:
        picture = plot_circuit(circuit, pos=arguments.layout, style=arguments.style)
    except ValueError as error:
        raise FileError(f"{arguments.circuit}: {error}") from error
    picture.save(arguments.out)
    print(f"{arguments.out}: {size_of(circuit)}")


def _show(arguments: argparse.Namespace) -> None:
    from ..wiring import read

    show_circuit(read(arguments.circuit), make_console(highlight=False, markup=False, emoji=False))


def show_circuit(circuit: Circuit, console: Console) -> None:
    """Print a circuit: roles, pathways, degrees, problems and a small matrix of its synapses."""
    from ..wiring import check, summary

    found = summary(circuit)
    console.print(_roles(circuit, found))
    if found.pathways:
        console.print(_pathways(found, console.width < NARROW))
    if found.in_degree and found.out_degree:
        console.print(f"synapses onto a neuron   {found.in_degree}")
        console.print(f"synapses from a neuron   {found.out_degree}")
    if found.electrical:
        console.print(
            f"electrical synapses      {counted(found.electrical, 'pair')} of neurons, not in the tables"
        )
    problems = check(circuit)
    for problem in problems:
        told = printable(str(problem), LONGEST_PROBLEM)
        console.print(told, style="red" if problem.severity == "error" else "yellow")
    sound = all(problem.severity != "error" for problem in problems)
    if sound and circuit.number_of_edges():
        console.print()
        marks = SIGNS if speaks_unicode(console.file) else ASCII_SIGNS
        console.print(_matrix(circuit, console.width, marks))


def _roles(circuit: Circuit, found: Summary) -> Table:
    from rich.table import Table

    table = Table("role", "neurons", "names", title=printable(found.name) or None, title_justify="left")
    for role, count in found.neurons.items():
        names = ", ".join(printable(str(name)) for name in circuit.neurons(role)[:4]) if count else ""
        table.add_row(role, str(count), names + (", ..." if count > 4 else ""))
    return table


def _pathways(found: Summary, narrow: bool) -> Table:
    from rich.table import Table

    counts = ("all", "+", "-") if narrow else ("synapses", "excitatory", "inhibitory")
    table = Table("from", "to", *counts, "share" if narrow else "density")
    if narrow:
        table.box, table.padding = None, (0, 1, 0, 0)
    for path in found.pathways:
        numbers = (path.synapses, path.excitatory, path.inhibitory)
        table.add_row(path.pre, path.post, *map(str, numbers), f"{path.density:.1%}")
    return table


def _matrix(circuit: Circuit, width: int, marks: str) -> Text:
    """Rows are presynaptic, columns postsynaptic neurons, both from sensory to motor; rows say the name.

    Columns are in the order of the rows: their numbers, read downwards, are those before the names.
    """
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    from ..wiring import ROLES

    names = [printable(str(name)) for role in ROLES for name in circuit.neurons(role)]
    label = min(LONGEST, max(map(cell_len, names))) + 4
    if width < label + 20:  # no room for names
        label = 0
    kinds, per_cell = _cells(circuit, max(1, min(WIDEST, (width - label) // 2)))
    shared = "one neuron" if per_cell == 1 else f"{per_cell} neurons"
    first = ", named by the first" if label and per_cell > 1 else ""
    text = Text(f"from row to column, {shared} to a cell{first}, sensory to motor\n", style="dim")
    if label:
        for digits in zip(*(f"{k:2}" for k in range(len(kinds))), strict=True):
            text.append(" " * label + " ".join(digits).rstrip() + "\n", "dim")
    for place, row in enumerate(kinds):
        if label:
            name = names[place * per_cell]
            name = name if cell_len(name) <= LONGEST else f"{name[: LONGEST - 3]}..."
            text.append(f"{place:2} {set_cell_size(name, label - 4)} ", "dim")
        for kind in row:
            text.append(marks[int(kind)] + " ", COLOURS[int(kind)])
        text.append("\n")
    return text


def _cells(circuit: Circuit, widest: int) -> tuple[NDArray[np.int64], int]:
    """Per cell 1 for excitatory plus 2 for inhibitory synapses, and how many neurons a cell holds."""
    import numpy as np

    from ..wiring import ROLES

    arrays = circuit.to_arrays()
    order = np.argsort([ROLES.index(role) for role in arrays.roles], kind="stable")
    place = np.argsort(order, kind="stable")
    per_cell = -(-len(place) // widest)
    side = -(-len(place) // per_cell)
    kinds = np.zeros((side, side), np.int64)
    pre, post = place[arrays.pre] // per_cell, place[arrays.post] // per_cell
    for kind, sign in ((1, 1), (2, -1)):
        of_sign = arrays.polarity == sign
        kinds[pre[of_sign], post[of_sign]] |= kind
    return kinds, per_cell
