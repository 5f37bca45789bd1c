"""Arithmetic of the reference: float64 NumPy, and numbers ``a + b v`` that are linear in a new value v."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from .functions import SPIKE_SHARPNESS

Floats: TypeAlias = "NDArray[np.float64]"
Names: TypeAlias = "Callable[[str], Any]"


@dataclass(frozen=True)
class Line:
    """A number ``a + b v``, where v is a new value that is not known yet, and `at` the old one."""

    a: Any
    b: Any
    at: Any

    @property
    def value(self) -> Any:
        """The number where v is the old value."""
        return self.a + self.b * self.at


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos, "tanh": np.tanh,
    "sigmoid": expit, "softplus": lambda x: np.logaddexp(0.0, x), "relu": lambda x: np.maximum(x, 0.0),
    "abs": np.abs, "min": np.minimum, "max": np.maximum,
    "spike": lambda x, sharpness=SPIKE_SHARPNESS: np.where(x > 0, 1.0, 0.0),
}  # fmt: skip
COMPARISONS = {ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal}


def value_of(node: ast.expr, names: Names) -> Any:
    """The value of an equation's tree."""
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return names(node.id)
    if isinstance(node, ast.UnaryOp):
        inner = value_of(node.operand, names)
        return times(-1.0, inner) if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp):
        return _operation(node, value_of(node.left, names), value_of(node.right, names))
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    if node.func.id == "where":
        test = node.args[0]
        assert isinstance(test, ast.Compare)
        a, b = (known(value_of(side, names)) for side in (test.left, test.comparators[0]))
        yes, no = (known(value_of(side, names)) for side in node.args[1:])
        return np.where(COMPARISONS[type(test.ops[0])](a, b), yes, no)
    function = FUNCTIONS.get(node.func.id) or names(node.func.id)
    return function(*(known(value_of(part, names)) for part in node.args))


def in_floats(function: Callable[..., mx.array]) -> Callable[..., Floats]:
    """A function of MLX's arrays, of NumPy's; it is computed in float32."""

    def found(*values: Any) -> Floats:
        return np.asarray(function(*(mx.array(np.asarray(v, np.float32)) for v in values)), np.float64)

    return found


def _operation(node: ast.BinOp, left: Any, right: Any) -> Any:
    if isinstance(node.op, ast.Add):
        return plus(left, right)
    if isinstance(node.op, ast.Sub):
        return plus(left, times(-1.0, right))
    if isinstance(node.op, ast.Mult):
        return times(left, right)
    if isinstance(node.op, ast.Div):
        return times(known(left) if isinstance(right, Line) else left, 1.0 / known(right))
    whole = int(known(right))
    found: Any = 1.0
    for _ in range(abs(whole)):
        found = times(found, left)
    return found if whole >= 0 else 1.0 / known(found)


def plus(left: Any, right: Any) -> Any:
    if isinstance(left, Line) and isinstance(right, Line):
        return Line(left.a + right.a, left.b + right.b, left.at)
    if isinstance(right, Line):
        left, right = right, left
    return Line(left.a + right, left.b, left.at) if isinstance(left, Line) else left + right


def times(left: Any, right: Any) -> Any:
    if isinstance(left, Line) and isinstance(right, Line):
        known = left.b * right.b * left.at**2  # a square is no line: it counts as known
        return Line(left.a * right.a + known, left.a * right.b + left.b * right.a, left.at)
    if isinstance(right, Line):
        left, right = right, left
    return Line(left.a * right, left.b * right, left.at) if isinstance(left, Line) else left * right


def known(value: Any) -> Any:
    return value.value if isinstance(value, Line) else value


def total_of(one: Any, other: Any) -> Any:
    return one + other


def growth(z: Floats) -> Floats:
    safe = np.where(np.abs(z) < 1e-12, 1.0, z)
    return np.where(np.abs(z) < 1e-12, 1.0, np.expm1(safe) / safe)
