"""A program as loops in C: which values get arrays of their own, and what is computed where it is read.

A value is *stored* if it is read more than once or by a product; all others are expressions inside the loop
of what reads them. Sums over the same synapses share one loop. Where a mask or weights have zeros, a loop
goes over the rest alone, as synapses onto one neuron after the other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from .indices import Index, bare, broadcast, factor, flat, plus, viewed
from .numbers import Fixed, Floats, literal
from .operations import ELEMENTWISE
from .patterns import Patterns, Sum, Synapse
from .plan import planned
from .program import Array, Node, Program, Shape
from .room import Room

_CONSTANT, _WORD = re.compile(r" *const \w+ (\w+) = "), re.compile(r"[A-Za-z_]\w*")


@dataclass
class Printed:
    """What was printed.

    Attributes:
        lines: the statements of the step.
        tables: the constant arrays by name.
        work: how many numbers of working memory there are.
        places: where in it stored arrays lie.
    """

    lines: list[str] = field(default_factory=list)
    tables: dict[str, Array] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    work: int = 0


class Loops:
    """The printer of one program."""

    def __init__(self, program: Program, reads: dict[str, str], numbers: Floats | Fixed) -> None:
        """`reads` are the C names of the inputs."""
        self._program, self._reads, self._numbers = program, reads, numbers
        self._nodes = {node.name: node for node in program.nodes}
        self._plan = planned(program)
        self.printed = Printed()
        self._patterns = Patterns(program)
        self._tables: dict[bytes, str] = {}
        self._known: list[dict[tuple[str, Index], str]] = [{}]
        self._synapses: list[Synapse] = []
        self._variables = 0
        self._names: dict[str, str] = {}
        self._indent = 1

    def print(self) -> Printed:
        """The statements that compute all stored values."""
        room = Room()
        gone = self._last_uses()
        for place, group in enumerate(self._plan.groups):
            names = {name: f"v{len(self._names) + k}" for k, name in enumerate(group)}
            for name, variable in names.items():
                if (size := self._size(name)) > 1:
                    self.printed.places[variable] = room.take(size)
            self._store([self._nodes[name] for name in group], list(names.values()))
            self._names |= names
            for name in gone.get(place, ()):
                if (size := self._size(name)) > 1:
                    room.give_back(self.printed.places[self._names[name]], size)
        self.printed.work = room.size
        self._leave_out_what_nothing_reads()
        return self.printed

    def _leave_out_what_nothing_reads(self) -> None:
        """Constants and tables: where there is no synapse, a source is asked in vain."""
        seen, kept = {self._names[name] for name in self._program.results}, []
        for line in reversed(self.printed.lines):
            constant = _CONSTANT.match(line)
            if constant is None or constant[1] in seen:
                seen.update(_WORD.findall(line))
                kept.append(line)
        self.printed.lines = kept[::-1]
        self.printed.tables = {name: array for name, array in self.printed.tables.items() if name in seen}

    def name_of(self, value: str) -> str:
        """The C name of a stored value."""
        return self._names[value]

    # Memory

    def _size(self, name: str) -> int:
        return math.prod(self._program.shapes[name])

    def _last_uses(self) -> dict[int, list[str]]:
        """For each group, the stored values that it is the last to read."""
        last = dict(self._plan.places)
        for node in self._program.nodes:
            for name in node.inputs if not node.is_view or node.name in last else ():
                if (source := self._source(name)) in last:
                    last[source] = max(last[source], self._plan.homes[node.name])
        kept = set(self._program.results)
        found: dict[int, list[str]] = {}
        for name, place in last.items():
            if name not in kept:
                found.setdefault(place, []).append(name)
        return found

    def _source(self, name: str) -> str:
        """The value behind views."""
        while (node := self._nodes.get(name)) is not None and node.is_view:
            name = node.inputs[0]
        return name

    # Statements

    def _line(self, text: str) -> None:
        self.printed.lines.append("    " * self._indent + text)

    @contextmanager
    def _block(self, opening: str) -> Iterator[None]:
        self._line(opening + " {")
        self._indent += 1
        self._known.append({})
        yield
        self._known.pop()
        self._indent -= 1
        self._line("}")

    def _variable(self, kind: str = "i") -> str:
        self._variables += 1
        return f"{kind}{self._variables}"

    @contextmanager
    def _over(self, shape: Shape) -> Iterator[Index]:
        """Loops over the axes of a shape that have more than one place."""
        index: list[str] = []
        with_blocks = []
        for size in shape:
            if size == 1:
                index.append("0")
                continue
            variable = self._variable()
            block = self._block(f"for (int {variable} = 0; {variable} < {size}; {variable}++)")
            block.__enter__()
            with_blocks.append(block)
            index.append(variable)
        yield tuple(index)
        for block in reversed(with_blocks):
            block.__exit__(None, None, None)

    def _store(self, nodes: list[Node], names: list[str]) -> None:
        """Compute the values of a group, which have one shape."""
        first = nodes[0]
        if not self._size(first.name):
            return
        if first.op == "Concatenate":
            self._store_parts(first, names[0])
        elif self._size(first.name) == 1:
            self._known.append({})
            index = ("0",) * len(first.shape)
            self._prepare_sums([node.name for node in nodes], index)
            for node, name in zip(nodes, names, strict=True):
                value = self._value(node, index)
                self._line(f"const {self._kind(node)} {name} = {bare(value)};")
            self._known.pop()
        else:
            with self._over(first.shape) as index:
                self._prepare_sums([node.name for node in nodes], index)
                for node, name in zip(nodes, names, strict=True):
                    self._line(f"{name}[{flat(index, node.shape)}] = {bare(self._value(node, index))};")

    def _store_parts(self, node: Node, name: str) -> None:
        axis, start = node.arguments[0], 0
        for part in node.inputs:
            shape = self._program.shapes[part]
            if math.prod(shape):
                with self._over(shape) as index:
                    place = tuple(plus(i, start) if a == axis else i for a, i in enumerate(index))
                    self._line(f"{name}[{flat(place, node.shape)}] = {bare(self._read(part, index))};")
            start += shape[axis]

    # Values

    def _read(self, name: str, index: Index) -> str:
        """A value at an index, as a C expression."""
        if name in self._program.constants:
            return self._constant(name, index)
        if name in self._reads:
            return f"{self._reads[name]}[{flat(index, self._program.shapes[name])}]"
        if name in self._names:
            size = math.prod(self._program.shapes[name])
            stored = self._names[name]
            return stored if size == 1 else f"{stored}[{flat(index, self._program.shapes[name])}]"
        node = self._nodes[name]
        if node.is_view:
            return self._read(node.inputs[0], viewed(node, self._program.shapes[node.inputs[0]], index))
        for known in reversed(self._known):
            if (name, index) in known:
                return known[name, index]
        value = self._value(node, index)
        if self._shared(node):
            variable = self._variable("e")
            self._line(f"const {self._kind(node)} {variable} = {bare(value)};")
            value = variable
        self._known[-1][name, index] = value
        return value

    def _kind(self, node: Node) -> str:
        return "int" if node.boolean else self._numbers.kind

    def _shared(self, node: Node) -> bool:
        return self._count.get(node.name, 0) > 1 and node.op in ELEMENTWISE

    @property
    def _count(self) -> dict[str, int]:
        if not hasattr(self, "_counted"):
            self._counted: dict[str, int] = {}
            for node in self._program.nodes:
                if not node.is_view:
                    for name in node.inputs:
                        source = self._source(name)
                        self._counted[source] = self._counted.get(source, 0) + 1
        return self._counted

    def _value(self, node: Node, index: Index) -> str:
        """What an operation gives at an index."""
        if node.op in ELEMENTWISE:
            return self._elementwise(node, index)
        if node.is_view:
            return self._read(node.inputs[0], viewed(node, self._program.shapes[node.inputs[0]], index))
        if (node.name, index) not in self._known[-1]:
            self._sum_up([self._sum(node, index)])
        return self._known[-1][node.name, index]

    def _elementwise(self, node: Node, index: Index) -> str:
        self._prepare_sums([node.name], index)
        shapes = (self._program.shapes[name] for name in node.inputs)
        places = [broadcast(index, shape) for shape in shapes]
        if node.op == "Select":
            condition = self._read(node.inputs[0], places[0])
            if condition in ("1", "0"):
                chosen = 1 if condition == "1" else 2
                return self._read(node.inputs[chosen], places[chosen])
        given = [self._read(name, place) for name, place in zip(node.inputs, places, strict=True)]
        binds = node.op in ("Multiply", "Divide")
        return self._numbers.operation(node.op).format(*(map(factor, given) if binds else given))

    # Sums

    def _prepare_sums(self, names: list[str], index: Index) -> None:
        """Add up all sums of some expressions before them, those with a loop in common together."""
        found: dict[tuple[object, ...], dict[tuple[str, Index], Sum]] = {}
        for each in (each for name in names for each in self._sums_of(name, index)):
            found.setdefault(each.loop, {})[each.node.name, each.index] = each
        for group in found.values():
            new = [s for s in group.values() if not any((s.node.name, s.index) in k for k in self._known)]
            if new:
                self._sum_up(new)

    def _sums_of(self, name: str, index: Index) -> Iterator[Sum]:
        """The sums of an expression that are computed where it is, without those inside other sums."""
        node = self._nodes.get(name)
        if node is None or (name in self._names) or name in self._program.constants:
            return
        if node.is_view:
            yield from self._sums_of(
                node.inputs[0], viewed(node, self._program.shapes[node.inputs[0]], index)
            )
        elif node.op in ELEMENTWISE:
            for part in node.inputs:
                yield from self._sums_of(part, broadcast(index, self._program.shapes[part]))
        elif node.op != "Concatenate":
            yield self._sum(node, index)

    def _sum(self, node: Node, index: Index) -> Sum:
        shape = self._program.shapes[node.inputs[0]]
        if node.op == "Matmul":
            count, target = shape[-1], index[-1]
        else:
            axes = node.arguments[0]
            count = math.prod(shape[axis] for axis in axes)
            wide = [a for a, size in enumerate(shape) if size > 1 and a not in axes]
            target = index[wide[0]] if len(wide) == 1 else "0"
        return Sum(node, index, count, self._patterns.of(node), target)

    def _sum_up(self, sums: list[Sum]) -> None:
        """A loop that adds up terms."""
        first, outer = sums[0], self._known[-1]
        if first.count == 0 or (first.pattern is not None and not len(first.pattern.pre)):
            outer.update(
                {
                    (each.node.name, each.index): literal(self._numbers.array(np.zeros(1, np.float32))[0])
                    for each in sums
                }
            )
            return
        names = {}
        for each in sums:
            names[each.node.name] = self._variable("s")
            start, _ = self._numbers.reduction(each.node.op)
            self._line(f"{self._numbers.total} {names[each.node.name]} = {start};")
        if first.pattern is None:
            axes = self._counted_axes(first)
            with self._over(axes) as inner:
                for each in sums:
                    self._add_term(each, names[each.node.name], inner)
        else:
            pattern, number, source = first.pattern, self._variable("k"), self._variable("i")
            ends = self._table(f"ends{pattern.number}", pattern.ends)
            pre = self._table(f"pre{pattern.number}", pattern.pre)
            after = plus(first.target, 1)
            begin, end = f"{ends}[{first.target}]", f"{ends}[{after}]"
            with self._block(f"for (int {number} = {begin}; {number} < {end}; {number}++)"):
                self._line(f"const int {source} = {pre}[{number}];")
                self._synapses.append(Synapse(pattern, number, source, first.target))
                for each in sums:
                    self._add_term(each, names[each.node.name], (source,))
                self._synapses.pop()
        for each in sums:
            outer[each.node.name, each.index] = self._numbers.summed(names[each.node.name])

    def _counted_axes(self, each: Sum) -> Shape:
        if each.node.op == "Matmul":
            return (each.count,)
        shape = self._program.shapes[each.node.inputs[0]]
        return tuple(shape[axis] for axis in each.node.arguments[0])

    def _add_term(self, each: Sum, total: str, inner: Index) -> None:
        node, shapes = each.node, self._program.shapes
        if node.op == "Matmul":
            *batch, row, column = each.index
            a = self._read(node.inputs[0], broadcast((*batch, row, *inner), shapes[node.inputs[0]]))
            b = self._read(node.inputs[1], broadcast((*batch, *inner, column), shapes[node.inputs[1]]))
            self._line(f"{total} += {self._numbers.product(factor(a), factor(b))};")
            return
        index = list(each.index)
        for axis, place in zip(node.arguments[0], inner, strict=True):
            index[axis] = place if shapes[node.inputs[0]][axis] > 1 else "0"
        term = self._read(node.inputs[0], tuple(index))
        self._line(f"{total} = {self._numbers.reduction(node.op)[1].format(total, term)};")

    # Constants

    def _constant(self, name: str, index: Index) -> str:
        array = self._numbers.array(self._program.constants[name])
        if array.size and (array == array.flat[0]).all():
            return literal(array.flat[0])
        for synapse in self._synapses:
            if synapse.pre in index and synapse.post in index and synapse.pre != synapse.post:
                places = [
                    synapse.pattern.pre
                    if i == synapse.pre
                    else synapse.pattern.post
                    if i == synapse.post
                    else 0
                    for i in index
                ]
                if all(i in (synapse.pre, synapse.post, "0") for i in index):
                    picked = array[tuple(places)]
                    if picked.size and (picked == picked.flat[0]).all():
                        return literal(picked.flat[0])
                    return f"{self._table('c', picked)}[{synapse.number}]"
        return f"{self._table('c', array)}[{flat(index, array.shape)}]"

    def _table(self, name: str, array: Array) -> str:
        """The C name of a constant array; equal ones are one."""
        key = array.dtype.kind.encode() + np.ascontiguousarray(array).tobytes()
        if key not in self._tables:
            found = f"NAME_{name}" if name != "c" else f"NAME_c{len(self._tables)}"
            self._tables[key] = found
            self.printed.tables[found] = array
        return self._tables[key]
