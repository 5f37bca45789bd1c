"""Mathematical expressions as values: built once, compared by identity, simplified as they are built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakValueDictionary


class Symbol(NamedTuple):
    """A name in an equation.

    Attributes:
        kind: what it stands for: a parameter's home ("recurrent", "sensory", "electrical", "neuron",
            "sensor", "motor"), "pre" or "input" (what the source of a synapse shows), "state", "total" or
            "drive" (sums over synapses, from sensors if they are drives), "span" (the time span of a sample),
            "step" (that of a solver's step) or "noise" (a normal number of a step, for a state).
        name: its name among those of the kind.
    """

    kind: str
    name: str


Value: TypeAlias = "float | Symbol | Callable[..., Any] | None"
SYNAPTIC = frozenset({"recurrent", "sensory", "electrical"})
SOURCES = frozenset({"pre", "input"})
HELD = {"recurrent": "recurrent_state", "sensory": "sensory_state"}
"""The kinds of the states of synapses, by those of the synapses."""


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Expression:
    """One operation on other expressions; equal ones are the same object, so that shared parts are shared.

    Attributes:
        op: "number", "name", "+", "*", "/", a function of `functions.py`, or "own".
        inputs: what it is of.
        value: the number, the symbol, or the function of arrays that a class brings along.
        kinds: the kinds of all symbols in it.
    """

    op: str
    inputs: tuple[Expression, ...]
    value: Value
    kinds: frozenset[str]

    @property
    def number(self) -> float:
        """The value of a number."""
        assert isinstance(self.value, float)
        return self.value

    @property
    def symbol(self) -> Symbol:
        """The symbol of a name."""
        assert isinstance(self.value, Symbol)
        return self.value

    def __add__(self, other: Expression) -> Expression:
        return add(self, other)

    def __sub__(self, other: Expression) -> Expression:
        return add(self, -other)

    def __neg__(self) -> Expression:
        return multiply(number(-1.0), self)

    def __mul__(self, other: Expression) -> Expression:
        return multiply(self, other)

    def __truediv__(self, other: Expression) -> Expression:
        return divide(self, other)


_Key = tuple[str, tuple[Expression, ...], Value]
_known: WeakValueDictionary[_Key, Expression] = WeakValueDictionary()


def _made(op: str, inputs: tuple[Expression, ...] = (), value: Value = None) -> Expression:
    key = op, inputs, value
    found = _known.get(key)
    if found is None:
        kinds = frozenset().union(*(part.kinds for part in inputs))
        if isinstance(value, Symbol):
            kinds |= {value.kind}
        found = _known[key] = Expression(op, inputs, value, kinds)
    return found


def number(value: float) -> Expression:
    """A number."""
    return _made("number", value=float(value) + 0.0)  # which makes -0 a 0, as Python compares them


def name(kind: str, of: str) -> Expression:
    """A name."""
    return _made("name", value=Symbol(kind, of))


def call(function: str, *inputs: Expression) -> Expression:
    """A function of expressions."""
    return _made(function, inputs)


def own(function: Callable[..., Any], *inputs: Expression) -> Expression:
    """A function of arrays that equations do not have, of expressions."""
    return _made("own", inputs, function)


ZERO, ONE = number(0.0), number(1.0)  # which stay in the weak dictionary, being names of this module


def add(*terms: Expression) -> Expression:
    """A sum; numbers are added up, and equal terms counted."""
    total, counts = 0.0, dict[Expression, float]()
    for term in _flat("+", terms):
        if term.op == "number":
            total += term.number
            continue
        factor, rest = _counted(term)
        counts[rest] = counts.get(rest, 0.0) + factor
    parts = [multiply(number(factor), rest) for rest, factor in counts.items() if factor]
    if total or not parts:
        parts.append(number(total))
    return parts[0] if len(parts) == 1 else _made("+", tuple(parts))


def multiply(*factors: Expression) -> Expression:
    """A product; numbers are multiplied, and stand in front."""
    product, parts = 1.0, list[Expression]()
    for factor in _flat("*", factors):
        if factor.op == "number":
            product *= factor.number
        else:
            parts.append(factor)
    if product == 0.0 or not parts:
        return number(product)
    if product != 1.0:
        parts.insert(0, number(product))
    return parts[0] if len(parts) == 1 else _made("*", tuple(parts))


def divide(above: Expression, below: Expression) -> Expression:
    """A quotient; by a number it is a product."""
    if below.op == "number" and below.number:
        return multiply(number(1.0 / below.number), above)
    return above if above is ZERO else _made("/", (above, below))


def _flat(op: str, parts: Iterable[Expression]) -> Iterator[Expression]:
    for part in parts:
        if part.op == op:
            yield from part.inputs
        else:
            yield part


def _counted(term: Expression) -> tuple[float, Expression]:
    """A term as a number times the rest."""
    if term.op == "*" and term.inputs[0].op == "number":
        return term.inputs[0].number, multiply(*term.inputs[1:])
    return 1.0, term


def rebuilt(expression: Expression, inputs: Iterable[Expression]) -> Expression:
    """The same operation on other inputs, simplified again."""
    if expression.op in ("number", "name"):
        return expression
    parts = tuple(inputs)
    if expression.op == "+":
        return add(*parts)
    if expression.op == "*":
        return multiply(*parts)
    if expression.op == "/":
        return divide(*parts)
    return _made(expression.op, parts, expression.value)


def in_order(wanted: Iterable[Expression]) -> list[Expression]:
    """All parts of expressions, each behind what it is of."""
    found: dict[Expression, None] = {}

    def visit(part: Expression) -> None:
        if part not in found:
            for inner in part.inputs:
                visit(inner)
            found[part] = None

    for expression in wanted:
        visit(expression)
    return list(found)


def substituted(expression: Expression, by: Mapping[Expression, Expression]) -> Expression:
    """An expression in which others stand for some of its parts."""
    found: dict[Expression, Expression] = {}
    for part in in_order([expression]):
        found[part] = by[part] if part in by else rebuilt(part, (found[inner] for inner in part.inputs))
    return found[expression]


def symbols(wanted: Iterable[Expression], *kinds: str) -> list[str]:
    """The names of some kinds, in the order in which they appear."""
    parts = (part.symbol for part in in_order(wanted) if part.op == "name")
    return list(dict.fromkeys(symbol.name for symbol in parts if symbol.kind in kinds))
