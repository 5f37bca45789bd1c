"""The factors that equations leave to each neuron and sensor, found as units are: by what may be added."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

from ..parameters import Factor
from ..scaling import Tied
from .expression import HELD, SYNAPTIC, ZERO, Expression, in_order
from .model import Model

# The power of a factor, as a sum of unknowns: of the neuron (or target), and of the source.
Powers: TypeAlias = "dict[tuple[str, ...], Fraction]"
NUMBERS = ("number", "span", "step", "noise")


@lru_cache(maxsize=64)
def factors_in(model: Model) -> tuple[dict[str, tuple[Factor, ...]], Tied]:
    """How parameters go with factors of neurons and sensors that leave outputs as they are, and what is tied.

    As with units, what is added or compared has one power of each factor, and what is in a function has none.
    Unknown are the powers of parameters and states; each independent solution is a kind of factor.
    """
    reader = _Reader(model)
    decoded = reader.equations()
    found: dict[str, list[Factor]] = {name: [] for name in model.parameters}
    shown: dict[str, Fraction] = {}
    out: dict[str, Fraction] = {}
    sensed: list[str] = []
    for solution in _solutions(reader.rows):
        kind = " and ".join(dict.fromkeys(u[1] for u in solution if u[0] == "parameter"))
        for unknown, power in solution.items():
            if unknown[0] == "parameter":
                found[unknown[1]].append(Factor(kind, power, unknown[2]))
        for name, p in model.parameters.items():
            if p.lies_on == "electrical" and not any(f.kind == kind for f in found[name]):
                found[name].append(Factor(kind, Fraction(0), "both"))
        shown[kind] = _value(reader.state(model.states[0]), solution)
        out[kind] = _value(decoded, solution)
    return {name: tuple(factors) for name, factors in found.items()}, Tied(tuple(sensed), shown, out)


class _Reader:
    """The equations between powers that the equations of a model ask for."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.rows: list[Powers] = []

    def state(self, name: str) -> Powers:
        return {("state", name): Fraction(1)}

    def equations(self) -> Powers:
        """Read all of them; the powers of what a motor neuron gives out."""
        model = self.model
        rates = model.rates() if model.continuous else model.rights
        for name, right, noise in zip(model.states, rates, model.noise, strict=True):
            for part in (right, noise):
                if part is not ZERO:
                    self.same(self.state(name), *self.powers(part))
        if model.declaration.clip is not None:
            for name in model.states:
                self.rows.append(self.state(name))
        for total in model.totals.values():
            target, source = self.powers(total.of, total.kind)
            self.same(_unknown("total", total.name), target, source)
        for kind, sides in model.synapses.items():
            for name, side in zip(model.synaptic, sides, strict=True):
                target, source = self.powers(side.right, kind)
                below, other = self.powers(side.mass, kind)
                held = HELD[kind]
                self.same(_plus(_unknown(held, name, "target"), below), target)
                self.same(_plus(_unknown(held, name, "source"), other), source)
        if model.encoded is not None:
            self.same(_unknown("sensor"), *self.powers(model.encoded, "sensor"))
        else:
            self.rows.append(_unknown("sensor"))
        if model.decoded is None:
            return self.state(model.states[0])
        return self.powers(model.decoded)[0]

    def same(self, one: Powers, other: Powers, source: Powers | None = None) -> None:
        """Ask for equal powers, and for none of a source where only neurons are."""
        self.rows += [_plus(one, other, -1), source or {}]

    def powers(self, wanted: Expression, kind: str = "neuron") -> tuple[Powers, Powers]:
        """Of an expression, those of the neuron's factors, and of the source's."""
        found: dict[Expression, tuple[Powers, Powers] | None] = {}
        for part in in_order([wanted]):
            found[part] = self.one(part, [found[inner] for inner in part.inputs], kind)
        return found[wanted] or ({}, {})

    def one(self, part: Expression, inputs: list[Any], kind: str) -> tuple[Powers, Powers] | None:
        if part is ZERO:
            return None  # which may be added to anything
        if part.op == "number":
            return {}, {}
        if part.op == "name":
            return self.named(part, kind)
        pairs: list[tuple[Powers, Powers]] = [pair or ({}, {}) for pair in inputs]
        if part.op == "*":
            return _sum(pair[0] for pair in pairs), _sum(pair[1] for pair in pairs)
        if part.op == "/":
            above, below = pairs
            return _plus(above[0], below[0], -1), _plus(above[1], below[1], -1)
        if part.op in ("+", "min", "max"):
            return self.alike(inputs)
        if part.op == "where":
            self.alike(inputs[:2])
            return self.alike(inputs[2:])
        if part.op in ("relu", "abs"):
            return inputs[0]  # type: ignore[no-any-return]
        if part.op == "sqrt":
            half = Fraction(1, 2)
            target, source = inputs[0] or ({}, {})
            return _plus({}, target, half), _plus({}, source, half)
        if part.op == "spike":
            return {}, {}  # which asks for a sign only
        for pair in inputs:
            self.rows += list(pair or ())
        return {}, {}

    def alike(self, pairs: list[Any]) -> tuple[Powers, Powers] | None:
        """What several have in common."""
        there: list[tuple[Powers, Powers]] = [pair for pair in pairs if pair is not None]
        for pair in there[1:]:
            self.rows += [_plus(there[0][0], pair[0], -1), _plus(there[0][1], pair[1], -1)]
        return there[0] if there else None

    def named(self, part: Expression, kind: str) -> tuple[Powers, Powers]:
        what, name = part.symbol
        if what in NUMBERS:
            return {}, {}
        if what == "state":
            return self.state(name), {}
        if what in ("total", "drive"):
            return _unknown("total", name), {}
        if what == "pre":
            shown = self.model.sources.get(name)
            powers = self.state(name) if shown is None else self.powers(shown)[0]
            return (powers, {}) if kind == "electrical" else ({}, powers)
        if what == "input":
            if kind == "sensor":
                return {}, {}  # the sample itself, in the units of the data
            return {}, _unknown("sensor")
        if what in HELD.values():
            return _unknown(what, name, "target"), _unknown(what, name, "source")
        if what in SYNAPTIC and what != "electrical":
            return _unknown("parameter", name, "target"), _unknown("parameter", name, "source")
        end = "both" if what == "electrical" else "target"
        return _unknown("parameter", name, end), {}


def _unknown(*of: str) -> Powers:
    return {of: Fraction(1)}


def _plus(one: Powers, other: Powers, times: Fraction | int = 1) -> Powers:
    found = dict(one)
    for unknown, power in other.items():
        found[unknown] = found.get(unknown, Fraction(0)) + times * power
    return {unknown: power for unknown, power in found.items() if power}


def _sum(parts: Iterable[Powers]) -> Powers:
    found: Powers = {}
    for part in parts:
        found = _plus(found, part)
    return found


def _value(powers: Powers, solution: Powers) -> Fraction:
    return sum((part * solution.get(unknown, Fraction(0)) for unknown, part in powers.items()), Fraction(0))


def _solutions(rows: list[Powers]) -> list[Powers]:
    """A basis of all assignments of unknowns for which every row is 0, by exact elimination."""
    names = list(dict.fromkeys(unknown for row in rows for unknown in row))
    solved: dict[tuple[str, ...], Powers] = {}
    for given in rows:
        row = given
        for pivot, equation in solved.items():
            row = _plus(row, equation, -row.get(pivot, Fraction(0)))
        if not row:
            continue
        pivot = next(iter(row))
        row = _plus({}, row, 1 / row[pivot])
        for other, equation in solved.items():
            solved[other] = _plus(equation, row, -equation.get(pivot, Fraction(0)))
        solved[pivot] = row
    found = []
    for free in (name for name in names if name not in solved):
        solution = {free: Fraction(1)}
        solution |= {pivot: -row[free] for pivot, row in solved.items() if row.get(free)}
        found.append(solution)
    return found
