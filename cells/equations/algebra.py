"""What follows from expressions: gradients, what is linear in a state, and products of separate parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .expression import ONE, ZERO, Expression, add, call, divide, in_order, multiply, number
from .functions import ALL, where_less

SMALL = 0.5
"""Where (e^z - 1) / z is a polynomial: beyond, the difference has enough digits."""


def gradients(
    outputs: Iterable[tuple[Expression, Expression]], wanted: Iterable[Expression]
) -> list[Expression]:
    """The gradients of a sum of products, (what, its own gradient), by some of the names in it.

    What is as kernels have it: it has inverses, and no quotients.
    They are built backwards through shared parts, so that they share theirs, too.
    """
    outputs = list(outputs)
    sums: dict[Expression, list[Expression]] = {}
    for output, seed in outputs:
        sums.setdefault(output, []).append(seed)
    wanted = list(wanted)
    order = in_order(output for output, _ in outputs)
    needed: set[Expression] = set(wanted)
    for part in order:
        if any(inner in needed for inner in part.inputs):
            needed.add(part)
    for part in reversed(order):
        if part in needed and part in sums and part.inputs:
            total = add(*sums[part])
            if total.op == "*":
                total = call("same", total)  # a product with slopes would otherwise lose what they share
            for inner, slope in zip(part.inputs, _slopes(part, needed), strict=True):
                if inner in needed and slope is not ZERO:
                    sums.setdefault(inner, []).append(multiply(total, slope))
    return [add(*sums.get(name, ())) for name in wanted]


def _slopes(part: Expression, needed: set[Expression]) -> tuple[Expression, ...]:
    """The derivative of an operation by each of its inputs."""
    inputs = part.inputs
    if part.op == "+":
        return (ONE,) * len(inputs)
    if part.op == "*":
        return tuple(
            multiply(*inputs[:k], *inputs[k + 1 :]) if inner in needed else ZERO
            for k, inner in enumerate(inputs)
        )
    return ALL[part.op].slopes(part, *inputs)


class Linear(NamedTuple):
    """An expression as ``rest + slope * v``, where v inside functions and powers counts as known."""

    rest: Expression
    slope: Expression


def linear_in(expression: Expression, v: Expression) -> Linear:
    """What of an expression is linear in v.

    Example:
        -v * sigmoid(v) + a  is  a - sigmoid(v) * v, and v * v is no multiple of v
    """
    found: dict[Expression, Linear] = {}
    for part in in_order([expression]):
        inner = [found[i] for i in part.inputs]
        if part is v:
            found[part] = Linear(ZERO, ONE)
        elif part.op == "+":
            found[part] = Linear(add(*(i.rest for i in inner)), add(*(i.slope for i in inner)))
        elif part.op == "*":
            found[part] = _product(inner, v)
        elif part.op == "/" and inner[1].slope is ZERO:
            found[part] = Linear(*(divide(i, part.inputs[1]) for i in inner[0]))
        else:
            found[part] = Linear(part, ZERO)
    return found[expression]


def _product(factors: list[Linear], v: Expression) -> Linear:
    rest, slope = ONE, ZERO
    for factor in factors:
        # What is quadratic in v counts as known.
        quadratic = multiply(slope, factor.slope, v, v)
        rest, slope = (
            add(multiply(rest, factor.rest), quadratic),
            add(multiply(rest, factor.slope), multiply(slope, factor.rest)),
        )
    return Linear(rest, slope)


def growth(z: Expression) -> Expression:
    """(e^z - 1) / z, and 1 at z = 0."""
    size = call("abs", z)
    safe = where_less(size, number(SMALL), ONE, z)
    quotient = divide(add(call("exp", safe), number(-1.0)), safe)
    near = where_less(size, number(SMALL), z, ZERO)
    series = ONE
    for k in range(9, 1, -1):  # Horner's scheme
        series = add(ONE, multiply(near, number(1.0 / k), series))
    return where_less(size, number(SMALL), series, quotient)


def separated(
    expression: Expression, first: frozenset[str], second: frozenset[str]
) -> list[tuple[Expression, Expression]] | None:
    """An expression as a sum of products of what holds no kinds of `second` and what holds none of `first`.

    None if it is no such sum: a function, or a denominator, has both in it.

    Example:
        w * (e - v) with {w, e} and {v}  is  (w * e) * 1 + (-w) * v
    """
    found: dict[Expression, dict[Expression, Expression] | None] = {}
    for part in in_order([expression]):
        found[part] = _terms(part, [found[inner] for inner in part.inputs], first, second)
    terms = found[expression]
    if terms is None:
        return None
    return [(one, other) for other, one in terms.items() if one is not ZERO]


def _terms(
    part: Expression,
    inner: list[dict[Expression, Expression] | None],
    first: frozenset[str],
    second: frozenset[str],
) -> dict[Expression, Expression] | None:
    """The products of one operation, as a factor of the first kind for each one of the second."""
    if not part.kinds & second:
        return {ONE: part}
    if not part.kinds & first:
        return {part: ONE}
    if any(terms is None for terms in inner):
        return None
    whole = [terms for terms in inner if terms is not None]
    if part.op == "+":
        return _summed((other, one) for terms in whole for other, one in terms.items())
    if part.op == "*":
        product: Mapping[Expression, Expression] = {ONE: ONE}
        for terms in whole:
            product = _summed(
                (multiply(other, more), multiply(one, times))
                for other, one in product.items()
                for more, times in terms.items()
            )
        return dict(product)
    if part.op == "/" and len(whole[1]) == 1:
        (below_other, below_one), *_ = whole[1].items()
        return {divide(other, below_other): divide(one, below_one) for other, one in whole[0].items()}
    return None


def _summed(terms: Iterable[tuple[Expression, Expression]]) -> dict[Expression, Expression]:
    found: dict[Expression, Expression] = {}
    for other, one in terms:
        found[other] = add(found[other], one) if other in found else one
    return found
