"""A program as loops in C: which values get arrays of their own, and what is computed where it is read.

A value is *stored* if it is read more than once or by a product; all others are expressions inside the loop
of what reads them. Sums over the same synapses share one loop. Where a mask or weights have zeros, a loop
goes over the rest alone, as synapses onto one neuron after the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from .operations import ELEMENTWISE, REDUCTIONS
from .plan import planned
from .program import Array, Node, Program, Shape, computed

Index: TypeAlias = tuple[str, ...]
DENSE = 0.7  # the share of pairs from which a product goes over all of them


@dataclass(frozen=True)
class Pattern:
    """The synapses of a sum, sorted by what they lead to.

    Attributes:
        number: which of the patterns of a file it is.
        pre, post: the source and the target of each.
        ends: where the synapses of each target end.
    """

    number: int
    pre: Array
    post: Array
    ends: Array


@dataclass(frozen=True)
class Sum:
    """A reduction or a product, as a loop that adds terms up.

    Attributes:
        node: the operation.
        count: how many terms there are, if all are added.
        pattern: the terms that there are, if not all are.
        target: the index of the sum's place, in whose list of synapses the loop goes.
    """

    node: Node
    index: Index
    count: int
    pattern: Pattern | None
    target: str

    @property
    def loop(self) -> tuple[object, ...]:
        """What sums have in common that one loop can add up."""
        return (self.count, self.pattern and self.pattern.number, self.target if self.pattern else "")


@dataclass
class Synapse:
    """The synapse that a loop is at: the variables of its number, its source and its target."""

    pattern: Pattern
    number: str
    pre: str
    post: str


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

    def __init__(self, program: Program, reads: dict[str, str]) -> None:
        """`reads` are the C names of the inputs."""
        self._program, self._reads = program, reads
        self._nodes = {node.name: node for node in program.nodes}
        self._plan = planned(program)
        self.printed = Printed()
        self._patterns: dict[bytes, Pattern] = {}
        self._tables: dict[bytes, str] = {}
        self._known: list[dict[tuple[str, Index], str]] = [{}]
        self._synapses: list[Synapse] = []
        self._variables = 0
        self._names: dict[str, str] = {}
        self._indent = 1

    def print(self) -> Printed:
        """The statements that compute all stored values."""
        free: list[tuple[int, int]] = []
        gone = self._last_uses()
        for place, group in enumerate(self._plan.groups):
            names = {name: f"v{len(self._names) + k}" for k, name in enumerate(group)}
            for name, variable in names.items():
                if (size := self._size(name)) > 1:
                    self.printed.places[variable] = self._allocate(free, size)
            self._store([self._nodes[name] for name in group], list(names.values()))
            self._names |= names
            for name in gone.get(place, ()):
                if (size := self._size(name)) > 1:
                    _release(free, self.printed.places[self._names[name]], size)
        return self.printed

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

    def _allocate(self, free: list[tuple[int, int]], size: int) -> int:
        for k, (start, room) in enumerate(free):
            if room >= size:
                free[k] = (start + size, room - size)
                return start
        start = self.printed.work
        if free and sum(free[-1]) == start:
            start = free.pop()[0]
        self.printed.work = start + size
        return start

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
        if first.op == "Concatenate":
            self._store_parts(first, names[0])
        elif self._size(first.name) == 1:
            self._known.append({})
            index = ("0",) * len(first.shape)
            self._prepare_sums([node.name for node in nodes], index)
            for node, name in zip(nodes, names, strict=True):
                value = self._value(node, index)
                self._line(f"const {'int' if node.boolean else 'float'} {name} = {_bare(value)};")
            self._known.pop()
        else:
            with self._over(first.shape) as index:
                self._prepare_sums([node.name for node in nodes], index)
                for node, name in zip(nodes, names, strict=True):
                    self._line(f"{name}[{_flat(index, node.shape)}] = {_bare(self._value(node, index))};")

    def _store_parts(self, node: Node, name: str) -> None:
        axis, start = node.arguments[0], 0
        for part in node.inputs:
            shape = self._program.shapes[part]
            if math.prod(shape):
                with self._over(shape) as index:
                    place = tuple(_plus(i, start) if a == axis else i for a, i in enumerate(index))
                    self._line(f"{name}[{_flat(place, node.shape)}] = {_bare(self._read(part, index))};")
            start += shape[axis]

    # Values

    def _read(self, name: str, index: Index) -> str:
        """A value at an index, as a C expression."""
        if name in self._program.constants:
            return self._constant(name, index)
        if name in self._reads:
            return f"{self._reads[name]}[{_flat(index, self._program.shapes[name])}]"
        if name in self._names:
            size = math.prod(self._program.shapes[name])
            stored = self._names[name]
            return stored if size == 1 else f"{stored}[{_flat(index, self._program.shapes[name])}]"
        node = self._nodes[name]
        if node.is_view:
            return self._read(node.inputs[0], _viewed(node, self._program.shapes[node.inputs[0]], index))
        for known in reversed(self._known):
            if (name, index) in known:
                return known[name, index]
        value = self._value(node, index)
        if self._shared(node):
            variable = self._variable("e")
            self._line(f"const {'int' if node.boolean else 'float'} {variable} = {_bare(value)};")
            value = variable
        self._known[-1][name, index] = value
        return value

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
            return self._read(node.inputs[0], _viewed(node, self._program.shapes[node.inputs[0]], index))
        if (node.name, index) not in self._known[-1]:
            self._sum_up([self._sum(node, index)])
        return self._known[-1][node.name, index]

    def _elementwise(self, node: Node, index: Index) -> str:
        self._prepare_sums([node.name], index)
        shapes = (self._program.shapes[name] for name in node.inputs)
        places = [_broadcast(index, shape) for shape in shapes]
        if node.op == "Select":
            condition = self._read(node.inputs[0], places[0])
            if condition in ("1", "0"):
                chosen = 1 if condition == "1" else 2
                return self._read(node.inputs[chosen], places[chosen])
        given = [self._read(name, place) for name, place in zip(node.inputs, places, strict=True)]
        binds = node.op in ("Multiply", "Divide")
        return ELEMENTWISE[node.op].c.format(*(map(_factor, given) if binds else given))

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
                node.inputs[0], _viewed(node, self._program.shapes[node.inputs[0]], index)
            )
        elif node.op in ELEMENTWISE:
            for part in node.inputs:
                yield from self._sums_of(part, _broadcast(index, self._program.shapes[part]))
        elif node.op != "Concatenate":
            yield self._sum(node, index)

    def _sum(self, node: Node, index: Index) -> Sum:
        shape = self._program.shapes[node.inputs[0]]
        if node.op == "Matmul":
            weights = self._matrix(node.inputs[1])
            count, present = shape[-1], None if weights is None else weights != 0
            target = index[-1]
        else:
            axes = node.arguments[0]
            count = math.prod(shape[axis] for axis in axes)
            present = self._mask(node)
            wide = [a for a, size in enumerate(shape) if size > 1 and a not in axes]
            target = index[wide[0]] if len(wide) == 1 else "0"
        pattern = None if present is None else self._pattern(present)
        return Sum(node, index, count, pattern, target)

    def _matrix(self, name: str) -> Array | None:
        """The (I, N) constant that a value is, if it is one."""
        found = self._whole(name)
        return found if found is not None and found.ndim == 2 else None

    def _whole(self, name: str) -> Array | None:
        """A constant behind views."""
        if name in self._program.constants:
            return self._program.constants[name]
        node = self._nodes.get(name)
        if node is None or not node.is_view:
            return None
        inner = self._whole(node.inputs[0])
        if inner is None:
            return None
        return computed(node, [inner])

    def _mask(self, node: Node) -> Array | None:
        """(I, N) where a sum has terms, if a constant says that there are none elsewhere."""
        shape, axes = self._program.shapes[node.inputs[0]], node.arguments[0]
        inner = self._nodes.get(node.inputs[0])
        if node.op != "Sum" or inner is None or inner.op != "Select" or len(axes) != 1:
            return None
        mask, other = self._whole(inner.inputs[0]), self._whole(inner.inputs[2])
        wide = [a for a, size in enumerate(shape) if size > 1 and a not in axes]
        if mask is None or other is None or other.any() or len(wide) > 1:
            return None
        full = np.broadcast_to(mask, shape)
        return full.transpose(axes[0], *(a for a in range(len(shape)) if a != axes[0])).reshape(
            shape[axes[0]], -1
        )

    def _pattern(self, present: Array) -> Pattern | None:
        if present.mean() > DENSE:
            return None
        key = present.tobytes() + str(present.shape).encode()
        if key not in self._patterns:
            post, pre = np.nonzero(present.T)
            ends = np.concatenate([[0], np.cumsum(present.sum(axis=0))])
            self._patterns[key] = Pattern(len(self._patterns), pre, post, ends)
        return self._patterns[key]

    def _sum_up(self, sums: list[Sum]) -> None:
        """A loop that adds up terms."""
        first, outer = sums[0], self._known[-1]
        if first.count == 0 or (first.pattern is not None and not len(first.pattern.pre)):
            outer.update({(each.node.name, each.index): "0.0f" for each in sums})
            return
        names = {}
        for each in sums:
            names[each.node.name] = self._variable("s")
            start = "0.0f" if each.node.op == "Matmul" else REDUCTIONS[each.node.op].start
            self._line(f"float {names[each.node.name]} = {start};")
        if first.pattern is None:
            axes = self._counted_axes(first)
            with self._over(axes) as inner:
                for each in sums:
                    self._add_term(each, names[each.node.name], inner)
        else:
            pattern, number, source = first.pattern, self._variable("k"), self._variable("i")
            ends = self._table(f"ends{pattern.number}", pattern.ends)
            pre = self._table(f"pre{pattern.number}", pattern.pre)
            after = _plus(first.target, 1)
            begin, end = f"{ends}[{first.target}]", f"{ends}[{after}]"
            with self._block(f"for (int {number} = {begin}; {number} < {end}; {number}++)"):
                self._line(f"const int {source} = {pre}[{number}];")
                self._synapses.append(Synapse(pattern, number, source, first.target))
                for each in sums:
                    self._add_term(each, names[each.node.name], (source,))
                self._synapses.pop()
        for each in sums:
            outer[each.node.name, each.index] = names[each.node.name]

    def _counted_axes(self, each: Sum) -> Shape:
        if each.node.op == "Matmul":
            return (each.count,)
        shape = self._program.shapes[each.node.inputs[0]]
        return tuple(shape[axis] for axis in each.node.arguments[0])

    def _add_term(self, each: Sum, total: str, inner: Index) -> None:
        node, shapes = each.node, self._program.shapes
        if node.op == "Matmul":
            *batch, row, column = each.index
            a = self._read(node.inputs[0], _broadcast((*batch, row, *inner), shapes[node.inputs[0]]))
            b = self._read(node.inputs[1], _broadcast((*batch, *inner, column), shapes[node.inputs[1]]))
            self._line(f"{total} += {_factor(a)} * {_factor(b)};")
            return
        index = list(each.index)
        for axis, place in zip(node.arguments[0], inner, strict=True):
            index[axis] = place if shapes[node.inputs[0]][axis] > 1 else "0"
        term = self._read(node.inputs[0], tuple(index))
        self._line(f"{total} = {REDUCTIONS[node.op].c.format(total, term)};")

    # Constants

    def _constant(self, name: str, index: Index) -> str:
        array = self._program.constants[name]
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
        return f"{self._table('c', array)}[{_flat(index, array.shape)}]"

    def _table(self, name: str, array: Array) -> str:
        """The C name of a constant array; equal ones are one."""
        key = array.dtype.kind.encode() + np.ascontiguousarray(array).tobytes()
        if key not in self._tables:
            found = f"NAME_{name}" if name != "c" else f"NAME_c{len(self._tables)}"
            self._tables[key] = found
            self.printed.tables[found] = array
        return self._tables[key]


def _release(free: list[tuple[int, int]], start: int, size: int) -> None:
    """Give room back, joined to its neighbours."""
    free.append((start, size))
    free.sort()
    joined: list[tuple[int, int]] = []
    for begin, room in free:
        if joined and sum(joined[-1]) == begin:
            joined[-1] = (joined[-1][0], joined[-1][1] + room)
        elif room:
            joined.append((begin, room))
    free[:] = joined


def _viewed(node: Node, shape: Shape, index: Index) -> Index:
    """Where a view reads, (shape), for an index of its own."""
    if node.op == "Broadcast":
        return _broadcast(index, shape)
    if node.op == "Transpose":
        found = [""] * len(shape)
        for axis, place in zip(node.arguments[0], index, strict=True):
            found[axis] = place
        return tuple(found)
    if node.op == "Slice":
        starts, _, steps = node.arguments
        return tuple(
            _plus(_times(i, step), start) for i, start, step in zip(index, starts, steps, strict=True)
        )
    return _reshaped(index, node.shape, shape)


def _reshaped(index: Index, shape: Shape, into: Shape) -> Index:
    wide = [i for i, size in zip(index, shape, strict=True) if size > 1]
    sizes = [size for size in shape if size > 1]
    if sizes == [size for size in into if size > 1]:
        remaining = iter(wide)
        return tuple(next(remaining) if size > 1 else "0" for size in into)
    flat, found, below = _flat(index, shape), [], math.prod(into)
    for axis, size in enumerate(into):
        below //= size
        place = f"({flat}) / {below}" if below > 1 else f"({flat})"
        outer = axis == 0 or math.prod(into[:axis]) == 1
        found.append("0" if size == 1 else place if outer else f"({place}) % {size}")
    return tuple(found)


def _broadcast(index: Index, shape: Shape) -> Index:
    """The place in a shape that is broadcast to the one that an index is of."""
    tail = index[len(index) - len(shape) :]
    return tuple("0" if size == 1 else i for i, size in zip(tail, shape, strict=True))


def _flat(index: Index, shape: Shape) -> str:
    """The place of an index in row-major order."""
    found = "0"
    for i, size in zip(index, shape, strict=True):
        found = _sum(_times(found, size), i)
    return found


def _times(a: str, n: int) -> str:
    if a == "0" or n == 1:
        return a
    return str(int(a) * n) if a.isdigit() else f"{a} * {n}" if a.isidentifier() else f"({a}) * {n}"


def _plus(a: str, n: int) -> str:
    return _sum(a, str(n))


def _sum(a: str, b: str) -> str:
    if a.isdigit() and b.isdigit():
        return str(int(a) + int(b))
    return b if a == "0" else a if b == "0" else f"{a} + {b}"


def _factor(expression: str) -> str:
    """An expression as it may stand beside an operator that binds."""
    simple = expression.replace("_", "").replace(".", "").isalnum() or _closed(expression)
    return expression if simple else f"({expression})"


def _closed(expression: str) -> bool:
    """Whether an expression is one call, one place of an array or in parentheses."""
    depth = 0
    for k, mark in enumerate(expression):
        depth += mark in "(["
        depth -= mark in ")]"
        if depth == 0 and k < len(expression) - 1 and not (mark.isalnum() or mark == "_"):
            return False
    return True


def _bare(expression: str) -> str:
    """An expression without parentheses around all of it."""
    return expression[1:-1] if expression.startswith("(") and _closed(expression) else expression


def literal(value: Any) -> str:
    """A number as C has it, in parentheses if it is negative."""
    value = np.asarray(value)
    if value.dtype.kind == "b":
        return str(int(value))
    if value.dtype.kind in "iu":
        return str(int(value))
    number = np.float32(value)
    if not np.isfinite(number):
        return "(NAN)" if np.isnan(number) else "INFINITY" if number > 0 else "(-INFINITY)"
    text = f"{number!s}f"
    return f"({text})" if number < 0 else text
