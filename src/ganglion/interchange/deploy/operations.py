"""The operations of a program: what each is in NumPy, in C and in ONNX, declared once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from .noise import normal


@dataclass(frozen=True)
class Elementwise:
    """An operation on numbers one by one.

    Attributes:
        numpy: the function.
        c: the expression, with {0}, {1}, {2} for what it reads.
        onnx: the name of the operator there; empty if several are needed, see `onnx.py`.
        library: whether the C needs the mathematical library.
        fixed: the expression for numbers in fixed point, "same" if it is that of `c`; empty if there is none.
    """

    numpy: Callable[..., Any]
    c: str
    onnx: str
    library: bool = False
    fixed: str = ""


@dataclass(frozen=True)
class Reduction:
    """An operation along axes.

    Attributes:
        numpy: the function.
        start: the C value it begins with.
        c: the C expression of the next value, from {0} so far and the number {1}.
        onnx: the name of the operator there.
        fixed: start and next value for numbers in fixed point; none if there is no such form.
    """

    numpy: Callable[..., Any]
    start: str
    c: str
    onnx: str
    fixed: tuple[str, str] | None = None


def _sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    found: NDArray[Any] = special.expit(x)
    return found


ELEMENTWISE: dict[str, Elementwise] = {
    "Add": Elementwise(np.add, "({0} + {1})", "Add", fixed="NAME_add({0}, {1})"),
    "Subtract": Elementwise(np.subtract, "({0} - {1})", "Sub", fixed="NAME_subtract({0}, {1})"),
    "Multiply": Elementwise(np.multiply, "{0} * {1}", "Mul", fixed="NAME_multiply({0}, {1})"),
    "Divide": Elementwise(np.divide, "{0} / {1}", "Div", fixed="NAME_divide({0}, {1})"),
    "Negative": Elementwise(np.negative, "(-{0})", "Neg", fixed="same"),
    "Abs": Elementwise(np.abs, "NAME_abs({0})", "Abs", fixed="same"),
    "Sign": Elementwise(np.sign, "(({0} > 0.0f) - ({0} < 0.0f))", "Sign"),
    "Maximum": Elementwise(np.maximum, "NAME_max({0}, {1})", "Max", fixed="same"),
    "Minimum": Elementwise(np.minimum, "NAME_min({0}, {1})", "Min", fixed="same"),
    "Sigmoid": Elementwise(_sigmoid, "NAME_sigmoid({0})", "Sigmoid", fixed="same"),
    "Tanh": Elementwise(np.tanh, "NAME_tanh({0})", "Tanh", fixed="same"),
    "Exp": Elementwise(np.exp, "NAME_exp({0})", "Exp", fixed="same"),
    "Expm1": Elementwise(np.expm1, "expm1f({0})", "", library=True),
    "Erf": Elementwise(special.erf, "NAME_erf({0})", "Erf"),
    "Log": Elementwise(np.log, "logf({0})", "Log", library=True),
    "Log1p": Elementwise(np.log1p, "log1pf({0})", "", library=True),
    "Sqrt": Elementwise(np.sqrt, "sqrtf({0})", "Sqrt", library=True, fixed="NAME_sqrt({0})"),
    "Power": Elementwise(np.power, "powf({0}, {1})", "Pow", library=True),
    "Sin": Elementwise(np.sin, "sinf({0})", "Sin", library=True),
    "Cos": Elementwise(np.cos, "cosf({0})", "Cos", library=True),
    "Floor": Elementwise(np.floor, "floorf({0})", "Floor", library=True),
    "Ceil": Elementwise(np.ceil, "ceilf({0})", "Ceil", library=True),
    "Round": Elementwise(np.rint, "rintf({0})", "Round", library=True),
    "Less": Elementwise(np.less, "({0} < {1})", "Less", fixed="same"),
    "LessEqual": Elementwise(np.less_equal, "({0} <= {1})", "LessOrEqual", fixed="same"),
    "Greater": Elementwise(np.greater, "({0} > {1})", "Greater", fixed="same"),
    "GreaterEqual": Elementwise(np.greater_equal, "({0} >= {1})", "GreaterOrEqual", fixed="same"),
    "Equal": Elementwise(np.equal, "({0} == {1})", "Equal", fixed="same"),
    "NotEqual": Elementwise(np.not_equal, "({0} != {1})", "", fixed="same"),
    "LogicalAnd": Elementwise(np.logical_and, "({0} && {1})", "And", fixed="same"),
    "LogicalOr": Elementwise(np.logical_or, "({0} || {1})", "Or", fixed="same"),
    "LogicalNot": Elementwise(np.logical_not, "(!{0})", "Not", fixed="same"),
    "Select": Elementwise(np.where, "({0} ? {1} : {2})", "Where", fixed="same"),
    "Number": Elementwise(lambda x: x.astype(np.float32), "({0} ? 1.0f : 0.0f)", "", fixed="({0} ? ONE : 0)"),
    "Truth": Elementwise(lambda x: x != 0, "({0} != 0.0f)", ""),
    "Normal": Elementwise(
        normal,
        "({2} ? 0 : NAME_normal(NAME_word({3}, {0}, {1} * {4}u + {5}u, {6})))",
        "",
        fixed="same",
    ),
    "Copy": Elementwise(np.array, "{0}", "Identity", fixed="same"),
}

REDUCTIONS: dict[str, Reduction] = {
    "Sum": Reduction(np.sum, "0.0f", "{0} + {1}", "ReduceSum", ("0", "{0} + {1}")),
    "Prod": Reduction(np.prod, "1.0f", "{0} * {1}", "ReduceProd"),
    "Min": Reduction(
        np.min, "FLT_MAX", "NAME_min({0}, {1})", "ReduceMin", ("INT32_MAX", "({0} < {1} ? {0} : {1})")
    ),
    "Max": Reduction(
        np.max, "-FLT_MAX", "NAME_max({0}, {1})", "ReduceMax", ("-INT32_MAX", "({0} > {1} ? {0} : {1})")
    ),
}

VIEWS = ("Reshape", "Broadcast", "Transpose", "Slice")
