"""Which values of a program get arrays of their own, and which of them are computed in one loop."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .operations import ELEMENTWISE
from .program import Node, Program, readers


@dataclass(frozen=True)
class Plan:
    """The stored values, group by group; all others are computed where they are read.

    Attributes:
        groups: the names of the stored values; those of a group have one shape and one loop.
        places: the group of each stored value.
        homes: the group in whose loop each operation is computed; -1 for views that several groups read.
    """

    groups: list[list[str]]
    places: dict[str, int]
    homes: dict[str, int]


def planned(program: Program) -> Plan:
    """The plan of a program.

    What several loops read is stored. If these loops can be one, it need not be: so the second look at what
    is stored takes the groups of the first one for granted.
    """
    alone = {node.name: node.name for node in program.nodes}
    groups = _grouped(program, set(_homes(program, alone)[0]))
    together = {name: group[0] for group in groups for name in group}
    stored, homes = _homes(program, alone | together)
    groups = [kept for group in groups if (kept := [name for name in group if name in stored])]
    places = {name: k for k, group in enumerate(groups) for name in group}
    numbers = {(alone | together)[name]: k for name, k in places.items()}
    return Plan(groups, places, {name: numbers.get(home, -1) for name, home in homes.items()})


def _homes(program: Program, group: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """The stored values, and for each operation the group in whose loop it is computed."""
    reading, results = readers(program.nodes), set(program.results)
    homes: dict[str, str] = {}
    stored: list[str] = []
    for node in reversed(program.nodes):
        after = reading.get(node.name, [])
        around = {homes[reader.name] for reader in after}
        once = len(around) == 1 and "" not in around and not any(_reads_again(r, node) for r in after)
        if once and node.name not in results and node.op != "Concatenate":
            homes[node.name] = around.pop()
        elif node.is_view and node.name not in results:
            homes[node.name] = ""  # what it looks at is stored
        else:
            stored.append(node.name)
            homes[node.name] = group[node.name]
    return stored[::-1], homes


def _grouped(program: Program, stored: set[str]) -> list[list[str]]:
    """Stored values of one shape that do not depend on each other, in an order that can be computed."""
    groups: list[list[str]] = []
    nodes: list[Node] = []
    ready: dict[str, int] = {}  # the first group in which a value can be read
    for node in program.nodes:
        earliest = max((ready.get(name, 0) for name in node.inputs), default=0)
        if node.name not in stored:
            ready[node.name] = earliest
            continue
        place = next((k for k in range(earliest, len(groups)) if _alike(nodes[k], node)), len(groups))
        if place == len(groups):
            groups.append([])
            nodes.append(node)
        groups[place].append(node.name)
        ready[node.name] = place + 1
    return groups


def _alike(one: Node, other: Node) -> bool:
    """Whether two values can be computed in one loop."""
    return one.shape == other.shape and "Concatenate" not in (one.op, other.op)


def _reads_again(reader: Node, node: Node) -> bool:
    """Whether an operation reads some number of another one more than once."""
    if reader.op == "Broadcast":
        return math.prod(reader.shape) > math.prod(node.shape)
    if reader.op == "Matmul":
        return True
    return reader.op in ELEMENTWISE and math.prod(reader.shape) > math.prod(node.shape)
