"""What of a synapse's expression depends on its parameters alone, and is computed once for many steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .algebra import linear_in
from .expression import SOURCES, Expression, add, in_order, multiply, name, rebuilt

IN_A_SAMPLE = frozenset({"neuron", "drive", "step", "span"})
"""Kinds of names at a neuron whose values no step of a solver changes."""
LINEAR = ("number", "name", "same", "+", "*")
"""Operations that cost next to nothing."""


@dataclass(frozen=True)
class Folded:
    """Expressions at the synapses of one kind, with names for the parts of parameters alone.

    Attributes:
        of: the expressions, of what sources show and of ``("folded", "0")`` and so on.
        parts: what these names stand for, in order.
    """

    of: list[Expression]
    parts: list[Expression]

    @staticmethod
    def symbol(k: int) -> Expression:
        """The name of a part."""
        return name("folded", str(k))


def folded(expressions: list[Expression], kind: str, *, numbers: bool = False) -> Folded:
    """Fold expressions at the synapses of a kind.

    What is linear in what the source shows becomes one product and one sum.

    Args:
        expressions: of parameters of the kind and of what sources show.
        kind: "recurrent", "sensory" or "electrical".
        numbers: whether only parts of sums, products and inverses are folded, and no functions.
    """
    own, parts = frozenset({kind}), dict[Expression, int]()
    found: dict[Expression, Expression] = {}

    def simple(part: Expression) -> bool:
        return not numbers or all(p.op in ("number", "name", "+", "*", "inverse") for p in in_order([part]))

    def is_own(part: Expression) -> bool:
        return bool(part.kinds) and part.kinds <= own and simple(part)

    def place(part: Expression) -> Expression:
        return Folded.symbol(parts.setdefault(part, len(parts)))

    def fold(part: Expression) -> Expression:
        if part not in found:
            found[part] = _fold(part)
        return found[part]

    def _fold(part: Expression) -> Expression:
        if is_own(part):
            return place(part)
        if part.op in ("+", "*"):
            both = add if part.op == "+" else multiply
            mine = [p for p in part.inputs if is_own(p)]
            if mine:
                mine += [p for p in part.inputs if p.op == "number"]
                rest = [fold(p) for p in part.inputs if not is_own(p) and p.op != "number"]
                return both(place(both(*mine)), *rest)
        return rebuilt(part, (fold(p) for p in part.inputs))

    of = [fold(straightened(expression)) for expression in expressions]
    return Folded(of, list(parts))


def straightened(expression: Expression) -> Expression:
    """An expression in which every part that is linear in one source is ``slope * source + rest``."""
    found: dict[Expression, Expression] = {}
    for part in in_order([expression]):
        made = rebuilt(part, (found[inner] for inner in part.inputs))
        sources = {p for p in in_order([made]) if p.op == "name" and p.symbol.kind in SOURCES}
        if part.op in ("+", "*") and len(sources) == 1:
            (source,) = sources
            linear = linear_in(made, source)
            if not (linear.rest.kinds | linear.slope.kinds) & SOURCES:
                made = add(multiply(linear.slope, source), linear.rest)
        found[part] = made
    return found[expression]


def costly_in_a_sample(wanted: Iterable[Expression]) -> list[Expression]:
    """The largest parts that no step of a solver changes, and that are more than sums and products."""
    found: dict[Expression, None] = {}

    def look(part: Expression) -> None:
        if part.kinds and part.kinds <= IN_A_SAMPLE:
            if any(inner.op not in LINEAR for inner in in_order([part])):
                found[part] = None
            return
        for inner in part.inputs:
            look(inner)

    for part in wanted:
        look(part)
    return list(found)
