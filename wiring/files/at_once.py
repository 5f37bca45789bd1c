"""Large files of our own, made into a circuit at once: there may be millions of synapses.

A file that Ganglion wrote of a sound circuit needs none of the rules of the import. Whatever is of another
form, or wrong, is left to the readers that know lines, and to those rules.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from ...errors import CircuitError
from ..circuit import Circuit
from ..origin import Origin
from ..roles import is_role
from .graphml_reader import FORM, OWN, Key
from .raw import Attributes
from .source import Source

LEAST = 50_000
"""From so many synapses on it is worth the look."""
CHUNK = 1 << 20  # bytes of a file that are looked at together
KNOWN = 1000  # texts of attributes whose values are kept, as most synapses have the same few
TABLES = "two tables of Ganglion"
RULED = ("kind", "gap")  # attributes that the rules for electrical synapses must see

Convert = Callable[[str], Any]


class OtherFormError(Exception):
    """Something that the other readers must look at."""


ODD = (OtherFormError, CircuitError, LookupError, ValueError, csv.Error)
"""What is raised where a file is none that we write: the other readers look, and say what is wrong where."""


@dataclass
class Plain:
    """What a file of our own holds, synapses not read yet.

    Attributes:
        form: what was recognised, in words.
        graph: attributes of the circuit.
        neurons: names and attributes.
        count: how many synapses there are, about.
        synapses: names of both neurons, and attributes that are nobody else's.
    """

    form: str
    graph: Attributes
    neurons: Sequence[tuple[Hashable, Attributes]]
    count: int
    synapses: Iterable[tuple[str, str, Attributes]]

    def circuit(self, called: str) -> Circuit | None:
        """The circuit of a source, or None if it is not sound, or the file is of another form after all."""
        made = Circuit()
        made.graph.update(self.graph)
        made.add_nodes_from(self.neurons)
        tables: Any = made  # as in `conversion.fill`
        outgoing, incoming, names = tables._succ, tables._pred, {name: name for name in made}
        if (
            "" in made
            or len(made) < len(self.neurons)
            or not all(is_role(data.get("role")) for _, data in self.neurons)
        ):
            return None
        counted = count()
        try:
            for (pre, post, data), _ in zip(self.synapses, counted, strict=False):
                outgoing[pre][names[post]] = incoming[post][names[pre]] = data
        except ODD:
            return None
        edges = next(counted)
        if made.number_of_edges() < edges:  # one is given twice
            return None
        made.origin = Origin(called, self.form, len(made), edges, len(made), edges)
        return made


def sound(data: Attributes) -> Attributes:
    """The attributes of a synapse, of which the rules would change nothing.

    Raises:
        OtherFormError: they might.
    """
    sign, weight = data.get("polarity"), data.get("weight", 0)
    if type(sign) is not int or sign not in (1, -1) or type(weight) not in (int, float):
        raise OtherFormError
    if not math.isfinite(weight) or any(key.casefold() in RULED for key in data):
        raise OtherFormError
    return data


class Values:
    """The attributes that texts stand for, each worked out once while they are few."""

    def __init__(self, read: Callable[[Any], Attributes]) -> None:
        self._read, self._known = read, {}  # type: ignore[var-annotated]

    def __call__(self, given: Any) -> Attributes:
        found = self._known.get(given)
        if found is None:
            found = self._read(given)
            if len(self._known) < KNOWN:
                self._known[given] = found
        return dict(found)


# GraphML

_TEXT = r"[^<>&\x00-\x1f\x7f\ufffe\uffff]*"
_NAME = r'[^<>&"\x00-\x1f\x7f\ufffe\uffff]+'
_HELD = rf'((?:<data key="\w+">{_TEXT}</data>)*)'
_DATA = re.compile(rf'<data key="(\w+)">({_TEXT})</data>')
_KEY = re.compile(rf'<key id="(\w+)" for="(\w+)" attr\.name="({_NAME})" attr\.type="(\w+)"/>')
_HEAD = re.compile(
    r'<\?xml version="1\.0" encoding="utf-8"\?>\n<graphml xmlns="http://graphml\.graphdrawing\.org/xmlns">\n'
    rf'((?:<key .*/>\n)*)<graph id="{OWN}" edgedefault="directed">\n((?:<data .*</data>\n)*)'
)
_NODE = re.compile(rf'^<node id="({_NAME})">{_HELD}</node>$', re.MULTILINE)
_EDGE = re.compile(rf'^<edge source="({_NAME})" target="({_NAME})">{_HELD}</edge>$', re.MULTILINE)
_TAIL = b"</graph>\n</graphml>\n"


def of_graphml(sources: Sequence[Source]) -> Plain | None:
    """The plain content of a large GraphML file as we write it; None for any other."""
    (source,) = sources
    data = source.data
    begin, end = data.find(b"\n<edge ") + 1, len(data) - len(_TAIL)
    if not begin or not data.endswith(_TAIL):
        return None
    try:
        lines = lines_in(data, begin, end)
        head = data[:begin].decode()
        whole = _HEAD.match(head)
        if whole is None:
            return None
        declared: dict[str, dict[str, tuple[str, Convert]]] = {"graph": {}, "node": {}, "edge": {}}
        for identifier, scope, name, kind in each_line(_KEY, whole[1]):
            if identifier in declared[scope]:
                return None
            declared[scope][identifier] = name, Key(scope, name, kind, None, 0).convert()
        of_graph = whole[2].replace("\n", "")
        if not re.fullmatch(_HELD, of_graph):
            return None
        graph = _attributes(declared["graph"], of_graph)
        nodes = Values(lambda held: _attributes(declared["node"], held))
        neurons = [(name, nodes(held)) for name, held in each_line(_NODE, head[whole.end() :])]
    except ODD:
        return None
    values = Values(lambda held: sound(_attributes(declared["edge"], held)))

    def synapses() -> Iterator[tuple[str, str, Attributes]]:
        for pre, post, held in lines_of(_EDGE, data, begin, end):
            yield pre, post, values(held)

    return Plain(FORM, graph, neurons, lines, synapses())


def lines_in(data: bytes, begin: int, end: int) -> int:
    """How many lines a part of a file has.

    Raises:
        OtherFormError: too few for it to be worth the look.
    """
    lines = data.count(b"\n", begin, end)
    if lines < LEAST:
        raise OtherFormError
    return lines


def lines_of(pattern: re.Pattern[str], data: bytes, begin: int, end: int) -> Iterator[Any]:
    """What a pattern finds in each line of a part of a file, which ends with one."""
    while begin < end:
        stop = data.rfind(b"\n", begin, min(begin + CHUNK, end)) + 1
        if not stop:
            raise OtherFormError
        yield from each_line(pattern, data[begin:stop].decode())
        begin = stop


def each_line(pattern: re.Pattern[str], text: str) -> list[Any]:
    """What a pattern finds in each line."""
    found = pattern.findall(text)
    if len(found) != text.count("\n"):
        raise OtherFormError
    return found


def _attributes(declared: Mapping[str, tuple[str, Convert]], held: str) -> Attributes:
    """The attributes in a row of <data> elements."""
    found: Attributes = {}
    for identifier, text in _DATA.findall(held):
        name, convert = declared[identifier]
        if name in found:
            raise OtherFormError
        if text.strip() or convert is str:
            found[name] = convert(text)
    return found


# CSV


def of_tables(
    sources: Sequence[Source],
    marks: Sequence[str],
    columns: Sequence[Sequence[tuple[str, Convert]]],
) -> Plain | None:
    """The plain content of our own two tables; None if they are small, or something is odd about them.

    Args:
        sources: of neurons and of synapses, both in UTF-8.
        marks: what stands between the cells of each.
        columns: names and meanings of the columns behind the names of each.
    """
    neurons, synapses = sources
    lines = synapses.data.count(b"\n") - 1
    if lines < LEAST:
        return None
    try:
        rows = [
            (name, _cells(columns[0], tuple(cells))) for name, *cells in _rows(neurons, marks[0], columns[0])
        ]
    except ODD:
        return None
    values = Values(lambda cells: sound(_cells(columns[1], cells)))
    of_synapses = _rows(synapses, marks[1], columns[1])
    made = ((pre, post, values(tuple(cells))) for pre, post, *cells in of_synapses)
    return Plain(TABLES, {}, rows, lines, made)


def _rows(source: Source, mark: str, columns: Sequence[Any]) -> Iterator[list[str]]:
    """The rows behind the header."""
    text = io.TextIOWrapper(io.BytesIO(source.data), encoding="utf-8-sig", newline="")
    reader = csv.reader(text, delimiter=mark, strict=True)
    width = len(next(reader))
    for row in reader:
        if len(row) != width or not row[0]:
            raise OtherFormError
        yield row


def _cells(columns: Sequence[tuple[str, Convert]], cells: tuple[str, ...]) -> Attributes:
    return {name: convert(cell) for (name, convert), cell in zip(columns, cells, strict=True) if cell}
