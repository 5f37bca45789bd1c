"""Units of quantities, read from text; nothing is converted, as equations are of bare numbers."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from fractions import Fraction

from ...arguments import label

BASES = ("m", "kg", "s", "A", "K", "mol", "cd")
PREFIXES = {
    "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "μ": 1e-6, "m": 1e-3, "c": 1e-2, "d": 0.1, "k": 1e3,
    "M": 1e6, "G": 1e9, "T": 1e12,
}  # fmt: skip
# Each as a number of base units, and their powers.
NAMED = {
    "m": (1.0, {"m": 1}), "g": (1e-3, {"kg": 1}), "s": (1.0, {"s": 1}), "A": (1.0, {"A": 1}),
    "K": (1.0, {"K": 1}), "mol": (1.0, {"mol": 1}), "cd": (1.0, {"cd": 1}), "min": (60.0, {"s": 1}),
    "h": (3600.0, {"s": 1}), "Hz": (1.0, {"s": -1}), "N": (1.0, {"kg": 1, "m": 1, "s": -2}),
    "J": (1.0, {"kg": 1, "m": 2, "s": -2}), "W": (1.0, {"kg": 1, "m": 2, "s": -3}),
    "Pa": (1.0, {"kg": 1, "m": -1, "s": -2}), "C": (1.0, {"A": 1, "s": 1}),
    "V": (1.0, {"kg": 1, "m": 2, "s": -3, "A": -1}), "ohm": (1.0, {"kg": 1, "m": 2, "s": -3, "A": -2}),
    "S": (1.0, {"kg": -1, "m": -2, "s": 3, "A": 2}), "F": (1.0, {"kg": -1, "m": -2, "s": 4, "A": 2}),
    "L": (1e-3, {"m": 3}), "l": (1e-3, {"m": 3}), "M": (1e3, {"mol": 1, "m": -3}), "rad": (1.0, {}),
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """A unit: a number of base units, their powers, and how it is written, as powers of names."""

    scale: float
    powers: tuple[Fraction, ...]
    names: tuple[tuple[str, Fraction], ...] = ()

    def __mul__(self, other: Unit) -> Unit:
        powers = tuple(a + b for a, b in zip(self.powers, other.powers, strict=True))
        names = dict(self.names)
        for name, power in other.names:
            names[name] = names.get(name, Fraction(0)) + power
        kept = tuple((name, power) for name, power in names.items() if power)
        return Unit(self.scale * other.scale, powers, kept)

    def __pow__(self, power: Fraction | int) -> Unit:
        by = Fraction(power)
        names = tuple((name, p * by) for name, p in self.names) if by else ()
        return Unit(self.scale ** float(by), tuple(p * by for p in self.powers), names)

    def __truediv__(self, other: Unit) -> Unit:
        return self * other**-1

    def same(self, other: Unit) -> bool:
        """Whether numbers in both units can be added as they are."""
        return self.powers == other.powers and math.isclose(self.scale, other.scale, rel_tol=1e-9)

    def __str__(self) -> str:
        above = [_power(name, power) for name, power in self.names if power > 0]
        below = [_power(name, -power) for name, power in self.names if power < 0]
        return "/".join(["*".join(above) or "1", *below])


def _power(name: str, power: Fraction) -> str:
    return name if power == 1 else f"{name}**{power}" if power.denominator == 1 else f"{name}**({power})"


ONE = Unit(1.0, (Fraction(0),) * len(BASES))


def unit_of(text: str) -> Unit:
    """The unit that a text says, such as ``mV``, ``1/ms``, ``nA*ms`` or ``uF/cm**2``.

    Raises:
        ValueError: it says none.
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(_told(text)) from None
    return _read(node, text)


def _told(text: str) -> str:
    return f"{label(text, 40)} is no unit: expected such as mV, 1/ms, nA*ms, uF/cm**2 or 1"


def _read(node: ast.expr, text: str) -> Unit:
    if isinstance(node, ast.Name):
        return _named(node.id, text)
    if isinstance(node, ast.Constant) and type(node.value) is int and node.value == 1:
        return ONE
    if isinstance(node, ast.BinOp):
        left = _read(node.left, text)
        if isinstance(node.op, ast.Mult):
            return left * _read(node.right, text)
        if isinstance(node.op, ast.Div):
            return left / _read(node.right, text)
        if isinstance(node.op, ast.Pow):
            return left ** _exponent(node.right, text)
    raise ValueError(_told(text))


def _exponent(node: ast.expr, text: str) -> Fraction:
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node, sign = node.operand, -1
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        power = Fraction(str(node.value))
        if power.denominator <= 2 and power <= 8:
            return sign * power
    raise ValueError(_told(text))


def _named(name: str, text: str) -> Unit:
    known = NAMED.get(name)
    factor = 1.0
    if known is None and name[:1] in PREFIXES:
        known, factor = NAMED.get(name[1:]), PREFIXES[name[0]]
    if known is None:
        raise ValueError(_told(text))
    scale, powers = known
    return Unit(
        factor * scale,
        tuple(Fraction(powers.get(base, 0)) for base in BASES),
        ((name, Fraction(1)),) if powers else (),
    )
