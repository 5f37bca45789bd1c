"""Equations as text, read by Python's own parser against a list of what they may hold; nothing is evaluated.

Every name stands for what the class declares, and for nothing else: `E`, `I`, `S`, `N` and `beta` are names
like others.
"""

from __future__ import annotations

import ast
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ...arguments import label
from ...wiring.words import suggestion
from .expression import ONE, ZERO, Expression, call, multiply, number, own
from .functions import FUNCTIONS, SPIKE_SHARPNESS, where_less

LONGEST, HIGHEST, LARGEST = 4000, 8, 1e30
"""Characters of an equation, its largest power, and its largest number."""
_LEFT = re.compile(r"^\s*(?:(?P<mass>.*?)\s*\*\s*)?d(?P<state>[A-Za-z]\w*)\s*/\s*dt\s*$", re.ASCII)
_NAME = re.compile(r"^\s*(?P<state>[A-Za-z]\w*)\s*$", re.ASCII)


class EquationError(ValueError):
    """An equation that is wrong, with the class, the place and the column."""


class Text(NamedTuple):
    """A part of an equation, and where it stands.

    Attributes:
        where: the class and the entry, such as ``LRC.synapse['g']``.
        text: the part.
        column: the column at which it begins, from 1.
        own: functions that the class brings along.
    """

    where: str
    text: str
    column: int = 1
    own: Mapping[str, Callable[..., Any]] = {}

    def error(self, told: str, column: int | None = None) -> EquationError:
        """What is wrong at a column of the part, counted from 0; at its beginning if none is given."""
        return EquationError(f"{self.where}, column {self.column + (column or 0)}: {told}")


class Sides(NamedTuple):
    """An equation for a state: its name, what stands before d/dt, and the right-hand side."""

    state: str
    mass: Text | None
    right: Text


def sides(text: Text, *, derivative: bool) -> Sides:
    """``m * dv/dt = ...``, or ``v = ...`` without `derivative`, in its parts.

    Raises:
        EquationError: it is not of this form.
    """
    wanted = "dv/dt = ..., or m * dv/dt = ..." if derivative else "v = ..."
    left, equals, right = text.text.partition("=")
    if not equals or right.startswith("="):
        raise text.error(f"{label(text.text, 60)} is no equation: expected {wanted}")
    match = (_LEFT if derivative else _NAME).match(left)
    if match is None:
        raise text.error(f"{label(left.strip(), 60)} stands on the left: expected {wanted}")
    mass = match.groupdict().get("mass")
    if mass is not None:
        # The pattern cuts at the last *, which in a + b * dv/dt is no factor of all that stands before it.
        whole = tree(Text(text.where, f"{mass} * d", text.column + match.start("mass")))
        factors = isinstance(whole, ast.BinOp) and isinstance(whole.op, ast.Mult) and whole.right
        if not isinstance(factors, ast.Name):
            raise text.error(f"{label(left.strip(), 60)} stands on the left: expected {wanted}")
    begin = len(left) + 1
    return Sides(
        match["state"],
        None if mass is None else Text(text.where, mass, text.column + match.start("mass"), text.own),
        Text(text.where, right, text.column + begin, text.own),
    )


def parsed(text: Text, names: Mapping[str, Expression], hints: Mapping[str, str] | None = None) -> Expression:
    """The expression of a text.

    Args:
        text: what stands there.
        names: what each name stands for here.
        hints: for names that stand for nothing here, why not.

    Raises:
        EquationError: what is wrong, and at which column.
    """
    return _Reader(text, names, hints or {}).read()


def tree(text: Text) -> ast.expr:
    """The text as Python's parser reads it.

    Raises:
        EquationError: it does not, or the text is too long.
    """
    if len(text.text) > LONGEST:
        raise text.error(f"the equation has {len(text.text)} characters: expected at most {LONGEST}")
    stripped = text.text.replace("\n", " ")
    indent = len(stripped) - len(stripped.lstrip())
    if not stripped.strip():
        raise text.error("there is no expression")
    try:
        return ast.parse(stripped[indent:], mode="eval").body
    except SyntaxError as error:
        raise text.error(f"{error.msg}", indent + max((error.offset or 1) - 1, 0)) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise text.error(f"the equation cannot be read: {error or type(error).__name__}") from None


def column_of(text: Text, node: ast.expr) -> int:
    """At which column of a text a part of its tree begins, from 0."""
    line = text.text.replace("\n", " ").lstrip()
    column = len(line.encode()[: node.col_offset].decode(errors="replace"))  # Python counts bytes
    return len(text.text) - len(text.text.lstrip()) + column


class _Reader:
    """Reads one text."""

    def __init__(self, text: Text, names: Mapping[str, Expression], hints: Mapping[str, str]) -> None:
        self.text, self.names, self.hints = text, names, hints
        self.functions = (*FUNCTIONS, *text.own)

    def read(self) -> Expression:
        try:
            return self.of(tree(self.text))
        except RecursionError:
            raise self.text.error("the equation is nested too deeply") from None

    def wrong(self, node: ast.expr, told: str) -> EquationError:
        return self.text.error(told, column_of(self.text, node))

    def of(self, node: ast.expr) -> Expression:
        if isinstance(node, ast.Constant):
            return self.constant(node)
        if isinstance(node, ast.Name):
            return self.named(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            inner = self.of(node.operand)
            return -inner if isinstance(node.op, ast.USub) else inner
        if isinstance(node, ast.BinOp):
            return self.operation(node)
        if isinstance(node, ast.Call):
            return self.called(node)
        if isinstance(node, ast.Compare):
            raise self.wrong(node, "a comparison stands in where(a < b, yes, no) only")
        raise self.wrong(
            node,
            f"{label(ast.unparse(node), 60)} cannot stand in an equation: expected names, numbers, "
            f"+ - * / ** and {', '.join(self.functions)}",
        )

    def constant(self, node: ast.Constant) -> Expression:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(node, f"{label(value, 60)} is no real number")
        if not abs(value) <= LARGEST:
            raise self.wrong(node, f"{ast.unparse(node)[:60]} is too large: expected at most 1e30")
        return number(value)

    def named(self, node: ast.Name) -> Expression:
        if node.id in self.names:
            return self.names[node.id]
        if node.id in self.hints:
            raise self.wrong(node, self.hints[node.id])
        if node.id in self.functions:
            raise self.wrong(node, f"{node.id} is a function: expected {node.id}(...)")
        raise self.wrong(
            node,
            f"there is no {label(node.id)} here; there are {', '.join(sorted(self.names))}"
            f"{suggestion(node.id, list(self.names))}",
        )

    def operation(self, node: ast.BinOp) -> Expression:
        made = self.made(node)
        for part in (made, *made.inputs):
            if part.op == "number" and not abs(part.number) <= LARGEST:
                raise self.wrong(
                    node,
                    f"{label(ast.unparse(node), 60)} has a number that is too large: expected at most 1e30",
                )
        return made

    def made(self, node: ast.BinOp) -> Expression:
        left, right = self.of(node.left), self.of(node.right)
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Div):
            if right is ZERO:
                raise self.wrong(node.right, "a division by 0")
            return left / right
        if isinstance(node.op, ast.Pow):
            return self.power(node, left, right)
        raise self.wrong(node, f"{label(ast.unparse(node), 60)}: expected + - * / or **")

    def power(self, node: ast.BinOp, base: Expression, exponent: Expression) -> Expression:
        count = exponent.number if exponent.op == "number" else math.nan
        if not (count.is_integer() and abs(count) <= HIGHEST):
            raise self.wrong(
                node.right,
                f"a power is a whole number from -{HIGHEST} to {HIGHEST}; sqrt(a), and exp(b * log(a)) for a "
                "to the power of b where a is positive",
            )
        product = multiply(*[base] * int(abs(count)))
        if count < 0 and product is ZERO:
            raise self.wrong(node, "a division by 0")
        return product if count >= 0 else ONE / product

    def called(self, node: ast.Call) -> Expression:
        function = node.func.id if isinstance(node.func, ast.Name) else ""
        if function not in self.functions:
            shown = ast.unparse(node.func)
            raise self.wrong(
                node,
                f"there is no function {label(shown, 60)}; there are {', '.join(self.functions)}"
                f"{suggestion(shown, list(self.functions))}",
            )
        if node.keywords or any(isinstance(part, ast.Starred) for part in node.args):
            raise self.wrong(node, f"{function} takes its arguments by place")
        if function == "where":
            return self.where(node)
        parts = [self.of(part) for part in node.args]
        if function in self.text.own:
            if not parts:
                raise self.wrong(node, f"{function} is of nothing")
            return own(self.text.own[function], *parts)
        if function == "spike" and len(parts) == 1:
            parts.append(number(SPIKE_SHARPNESS))
        if function in ("min", "max") and len(parts) > 2:
            raise self.wrong(node, f"{function} takes 2 arguments, got {len(parts)}")
        if len(parts) != FUNCTIONS[function].arity:
            raise self.wrong(
                node, f"{function} takes {FUNCTIONS[function].arity} arguments, got {len(node.args)}"
            )
        if function == "spike" and not (parts[1].op == "number" and parts[1].number > 0):
            raise self.wrong(node, "the sharpness of a spike's slope is a positive number")
        return call(function, *parts)

    def where(self, node: ast.Call) -> Expression:
        test = node.args[0] if len(node.args) == 3 else None
        if not isinstance(test, ast.Compare) or len(test.ops) != 1:
            raise self.wrong(node, "expected where(a < b, yes, no), with one of < <= > >=")
        a, b = self.of(test.left), self.of(test.comparators[0])
        yes, no = self.of(node.args[1]), self.of(node.args[2])
        if isinstance(test.ops[0], ast.Lt):
            return where_less(a, b, yes, no)
        if isinstance(test.ops[0], ast.Gt):
            return where_less(b, a, yes, no)
        if isinstance(test.ops[0], ast.LtE):
            return where_less(b, a, no, yes)
        if isinstance(test.ops[0], ast.GtE):
            return where_less(a, b, no, yes)
        raise self.wrong(test, "expected one of < <= > >=")


def sound_name(what: str, given: object) -> str:
    """A name that equations can have.

    Raises:
        EquationError: it is none.
    """
    if not isinstance(given, str) or not re.fullmatch(r"[A-Za-z]\w*", given, re.ASCII):
        shown = unicodedata.normalize("NFKC", given) if isinstance(given, str) else given
        raise EquationError(f"{what} is called {label(shown, 60)}: expected letters, digits and underscores")
    try:
        ast.parse(given, mode="eval")
    except SyntaxError:
        raise EquationError(f"{what} is called {label(given, 60)}, a word of Python") from None
    if given in FUNCTIONS:
        raise EquationError(f"{what} is called {label(given, 60)}, as a function of equations")
    return given
