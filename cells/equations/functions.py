"""The functions of equations: each with its slope, in MLX, in C and in LaTeX, declared once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import mlx.core as mx

from ..ops.nn_ops import exponential, relu, sigmoid, softplus, tanh
from .expression import ONE, ZERO, Expression, call, number

Slopes: TypeAlias = "Callable[..., tuple[Expression, ...]]"


@dataclass(frozen=True)
class Function:
    """A function of one or several numbers.

    Attributes:
        arity: how many it is of.
        slopes: from the value and the arguments to the derivative by each of these.
        mlx: the function of arrays.
        c: the expression in a kernel, with {0} and so on for what it is of.
        latex: the same for people.
        costly: whether it costs much more than an addition.
    """

    arity: int
    slopes: Slopes
    mlx: Callable[..., mx.array]
    c: str
    latex: str
    costly: bool = True


@dataclass(frozen=True)
class Lowered:
    """A function that only kernels have; see `Function`."""

    slopes: Slopes
    c: str
    costly: bool = True


def where_less(a: Expression, b: Expression, yes: Expression, no: Expression) -> Expression:
    """One expression where a < b, and another elsewhere."""
    return yes if yes is no else call("where", a, b, yes, no)


def _spike(x: mx.array, sharpness: mx.array) -> mx.array:
    soft = x / (1.0 + sharpness * mx.abs(x))
    # The value is 0 or 1 exactly, the slope that of the soft one.
    return mx.where(x > 0, 1.0, 0.0) + (soft - mx.stop_gradient(soft))


def _spike_slopes(_: Expression, x: Expression, sharpness: Expression) -> tuple[Expression, ...]:
    wide = ONE + sharpness * call("abs", x)
    return ONE / (wide * wide), ZERO


def _sign(x: Expression) -> Expression:
    return where_less(x, ZERO, number(-1.0), where_less(ZERO, x, ONE, ZERO))


FUNCTIONS = {
    "exp": Function(1, lambda y, x: (y,), exponential, "exp2_lane({0} * LOG2E)", r"e^{{{0}}}"),
    "log": Function(1, lambda y, x: (ONE / x,), mx.log, "log_each({0})", r"\ln\left({0}\right)"),
    "sqrt": Function(1, lambda y, x: (number(0.5) / y,), mx.sqrt, "sqrt_each({0})", r"\sqrt{{{0}}}"),
    "sin": Function(1, lambda y, x: (call("cos", x),), mx.sin, "sin_each({0})", r"\sin\left({0}\right)"),
    "cos": Function(1, lambda y, x: (-call("sin", x),), mx.cos, "cos_each({0})", r"\cos\left({0}\right)"),
    "tanh": Function(1, lambda y, x: (ONE - y * y,), tanh, "tanh_lane({0})", r"\tanh\left({0}\right)"),
    "sigmoid": Function(
        1, lambda y, x: (y - y * y,), sigmoid, "sigmoid({0})", r"\mathrm{{sigmoid}}\left({0}\right)"
    ),
    "softplus": Function(
        1,
        lambda y, x: (call("sigmoid", x),),
        softplus,
        "softplus_each({0})",
        r"\ln\left(1 + e^{{{0}}}\right)",
    ),
    "relu": Function(
        1,
        lambda y, x: (where_less(ZERO, x, ONE, ZERO),),
        relu,
        "choose({0} > 0.0f, {0}, splat(0.0f))",
        r"\left[{0}\right]_+",
        False,
    ),
    "abs": Function(1, lambda y, x: (_sign(x),), mx.abs, "absolute({0})", r"\left|{0}\right|", False),
    "min": Function(
        2,
        lambda y, a, b: (where_less(a, b, ONE, ZERO), where_less(a, b, ZERO, ONE)),  # of equals, b, as MLX
        mx.minimum,
        "choose({1} < {0}, {1}, {0})",
        r"\min\left({0}, {1}\right)",
        False,
    ),
    "max": Function(
        2,
        lambda y, a, b: (where_less(b, a, ONE, ZERO), where_less(b, a, ZERO, ONE)),
        mx.maximum,
        "choose({0} < {1}, {1}, {0})",
        r"\max\left({0}, {1}\right)",
        False,
    ),
    "where": Function(
        4,
        lambda y, a, b, yes, no: (ZERO, ZERO, where_less(a, b, ONE, ZERO), where_less(a, b, ZERO, ONE)),
        lambda a, b, yes, no: mx.where(a < b, yes, no),
        "choose({0} < {1}, {2}, {3})",
        "",
        False,
    ),
    "spike": Function(
        2,
        _spike_slopes,
        _spike,
        "choose({0} > 0.0f, splat(1.0f), splat(0.0f))",
        r"\Theta\left({0}\right)",
        False,
    ),
}
LN2 = math.log(2.0)
LOG2E = 1.0 / LN2
# What only kernels have, in place of some of the above.
LOWER = {
    "sigmoid2": Lowered(lambda y, x: (number(-LN2) * (y - y * y),), "sigmoid2({0})"),
    "exp2": Lowered(lambda y, x: (number(LN2) * y,), "exp2_lane({0})"),
    "inverse": Lowered(lambda y, x: (-(y * y),), "INVERSE({0})"),
}
ALL: Mapping[str, Function | Lowered] = {**FUNCTIONS, **LOWER}
SPIKE_SHARPNESS = 10.0
"""The sharpness of the slope of `spike` where none is given."""
