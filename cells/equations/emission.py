"""Expressions as lines of a kernel, in the small language of `compile/kernels`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ...errors import KernelError
from .expression import Expression, call, in_order, multiply, number, rebuilt
from .functions import ALL, LOG2E

MOST = float(np.finfo(np.float32).max)
ARITHMETIC = ("number", "name", "same", "+", "*", "inverse")
"""What numbers that all rows share are computed with."""


class Term(NamedTuple):
    """A value in C, and whether all rows share it, so that it is a float and no real."""

    text: str
    shared: bool = False

    @property
    def real(self) -> str:
        """The same as a real."""
        return f"splat({self.text})" if self.shared else self.text


Names = Mapping[Expression, Term]


def lowered(expression: Expression) -> Expression:
    """An expression in what kernels have: 2^z for e^z, so that the factor goes elsewhere, and inverses."""
    found: dict[Expression, Expression] = {}
    for part in in_order([expression]):
        made = rebuilt(part, (found[inner] for inner in part.inputs))
        if made.op == "sigmoid":
            made = _half(made.inputs[0], -LOG2E)
        elif made.op == "tanh":
            made = number(1.0) + multiply(number(-2.0), _half(made.inputs[0], 2 * LOG2E))
        elif made.op == "exp":
            made = call("exp2", multiply(number(LOG2E), made.inputs[0]))
        elif made.op == "same" and made.inputs[0].op != "*":
            made = made.inputs[0]
        elif made.op == "/":
            made = multiply(made.inputs[0], call("inverse", made.inputs[1]))
        found[part] = made
    return found[expression]


def _half(of: Expression, factor: float) -> Expression:
    return call("sigmoid2", multiply(number(factor), of))


class Lines:
    """Statements that are written one behind the other; shared parts get names."""

    def __init__(self, prefix: str = "e") -> None:
        self.lines: list[str] = []
        self._prefix, self._count = prefix, 0

    def values(self, wanted: Iterable[Expression], names: Names, *, inline: bool = False) -> list[Term]:
        """The values of expressions, from those of names; parts that are used twice become variables."""
        wanted = list(wanted)
        order = in_order(wanted)
        beside = set() if inline else _products(order)
        uses = Counter(inner for part in order for inner in part.inputs) + Counter(wanted)
        found: dict[Expression, Term] = {}
        for part in order:
            if part.op == "number":
                found[part] = Term(literal(part.number), True)
            elif part.op == "name":
                found[part] = names[part]
            else:
                made = _operation(part, [found[inner] for inner in part.inputs])
                costly = part.op not in ARITHMETIC
                if not inline and (uses[part] > 1 or costly or (part in beside and not made.shared)):
                    variable = f"{self._prefix}{self._count}"
                    self._count += 1
                    kind = "float" if made.shared else "real"
                    self.lines.append(f"const {kind} {variable} = {made.text};")
                    made = Term(variable, made.shared)
                found[part] = made
        return [found[part] for part in wanted]

    def add(self, *lines: str) -> None:
        """Write lines as they are."""
        self.lines += lines


def _products(order: list[Expression]) -> set[Expression]:
    """Products that are added to others: written in an order, as a compiler joins the first one to the sum.

    In one expression, that would be another one where lanes are no vectors: see lanes_two.h.
    """
    found = set()
    for part in order:
        products = [inner for inner in part.inputs if inner.op == "*"]
        if part.op == "+" and len(products) > 1:
            found |= set(products)
    return found


def _operation(part: Expression, inputs: list[Term]) -> Term:
    shared = all(term.shared for term in inputs)
    if part.op in ("+", "*"):
        ordered = sorted(inputs, key=lambda term: not term.shared)  # what rows share is computed once for all
        return Term("(" + f" {part.op} ".join(term.text for term in ordered) + ")", shared)
    if part.op == "same":
        return inputs[0]
    if part.op == "inverse":
        (below,) = inputs
        return Term(f"(1.0f / {below.text})" if shared else f"INVERSE({below.text})", shared)
    return Term(ALL[part.op].c.format(*(term.real for term in inputs)))


def literal(value: float) -> str:
    """A number as C has it.

    Raises:
        KernelError: it is beyond the range of a float.
    """
    if not abs(value) <= MOST:
        raise KernelError(f"the equations have the number {value!r}, which is beyond single precision")
    text = repr(float(np.float32(value)))
    text = f"{text}f" if "." in text or "e" in text else f"{text}.0f"
    return f"({text})" if value < 0 else text


PRELUDE = """\
#ifdef LANES
#define EACH_LANE(function, given) ({ real lanes_ = (given); \\
    for (int lane_ = 0; lane_ < LANES; lane_++) lanes_[lane_] = function(lanes_[lane_]); lanes_; })
#define log_each(given) EACH_LANE(__builtin_logf, given)
#define sqrt_each(given) EACH_LANE(__builtin_sqrtf, given)
#define sin_each(given) EACH_LANE(__builtin_sinf, given)
#define cos_each(given) EACH_LANE(__builtin_cosf, given)
#else
#define log_each(given) log(given)
#define sqrt_each(given) sqrt(given)
#define sin_each(given) sin(given)
#define cos_each(given) cos(given)
#endif
#define softplus_each(given) (choose((given) > 0.0f, (given), splat(0.0f)) \\
    + log_each(1.0f + exp2_lane(absolute(given) * -LOG2E)))
"""
