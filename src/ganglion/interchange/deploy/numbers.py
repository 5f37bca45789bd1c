"""What a number is in an exported file: float32, or 32 bits with the point at a fixed place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import KernelError
from .operations import ELEMENTWISE, REDUCTIONS
from .program import Array, Program


def literal(value: Any) -> str:
    """A number as C has it, in parentheses if it is negative."""
    value = np.asarray(value)
    if value.dtype.kind in "biu":
        return str(int(value)) if value >= 0 else f"({int(value)})"
    number = np.float32(value)
    if not np.isfinite(number):
        return "NAN" if np.isnan(number) else "INFINITY" if number > 0 else "(-INFINITY)"
    text = f"{number!s}f"
    return f"({text})" if number < 0 else text


@dataclass(frozen=True)
class Floats:
    """Numbers of float32."""

    kind = "float"
    total = "float"
    functions = "functions.h"

    def operation(self, op: str) -> str:
        """The C of an elementwise operation."""
        return ELEMENTWISE[op].c

    def reduction(self, op: str) -> tuple[str, str]:
        """What a sum or the like begins with, and its next value."""
        return ("0.0f", "{0} + {1}") if op == "Matmul" else (REDUCTIONS[op].start, REDUCTIONS[op].c)

    def product(self, a: str, b: str) -> str:
        """The product of two factors."""
        return f"{a} * {b}"

    def summed(self, total: str) -> str:
        """A total as a number."""
        return total

    def array(self, values: Array) -> Array:
        """A constant as it is kept."""
        return values

    def taken(self, expression: str) -> str:
        """A number from a float."""
        return expression

    def given(self, expression: str) -> str:
        """A float from a number."""
        return expression


@dataclass(frozen=True)
class Fixed:
    """Numbers of 32 bits, for boards without floats.

    Attributes:
        fraction: how many of the bits are behind the point.
        samples, differ: over how many samples each output (M,) differs how much from that of floats.
    """

    fraction: int
    samples: int = 0
    differ: tuple[float, ...] = ()
    kind = "int32_t"
    total = "int64_t"
    functions = "fixed.h"

    def operation(self, op: str) -> str:
        found = ELEMENTWISE[op].fixed
        if not found:
            raise KernelError(
                f"a network with the operation {op} has no fixed-point form: export it as floats"
            )
        return ELEMENTWISE[op].c if found == "same" else found.replace("ONE", str(1 << self.fraction))

    def reduction(self, op: str) -> tuple[str, str]:
        found = REDUCTIONS["Sum" if op == "Matmul" else op].fixed
        if found is None:
            raise KernelError(
                f"a network with the operation {op} has no fixed-point form: export it as floats"
            )
        return found

    def product(self, a: str, b: str) -> str:
        return f"NAME_product({a}, {b})"

    def summed(self, total: str) -> str:
        return f"NAME_fit({total})"

    def array(self, values: Array) -> Array:
        """The nearest whole multiples; what is not zero stays so, such as the shortest time span."""
        if values.dtype.kind != "f":
            return values
        scaled = np.rint(values.astype(np.float64) * (1 << self.fraction))
        scaled = np.where((scaled == 0) & (values != 0), np.sign(values), scaled)
        found: Array = np.clip(scaled, -(2**31 - 1), 2**31 - 1).astype(np.int32)
        return found

    def taken(self, expression: str) -> str:
        return f"NAME_fixed({expression})"

    def given(self, expression: str) -> str:
        return f"NAME_float({expression})"


def fraction_for(program: Program, samples: Array, timespans: Array) -> int:
    """How many bits may stand behind the point: all numbers of a run have room, twice over.

    Args:
        program: the step.
        samples: (T, I) in the units of the network.
        timespans: (T,) likewise.
    """
    constants = _numbers(program.constants.values())
    most = max((float(np.abs(a[np.abs(a) < 1e30]).max(initial=0.0)) for a in constants), default=0.0)
    states: Sequence[Array] = program.begin
    for sample, span in zip(samples, timespans, strict=True):
        given = (sample.reshape(1, 1, -1), span.reshape(1, 1), *states)
        values = program.values(dict(zip(program.inputs, given, strict=True)))
        states = program.after(values)
        for array in _numbers(values.values()):
            found = np.abs(array[np.abs(array) < 1e30])
            most = max(most, float(found.max(initial=0.0)))
    return int(np.clip(30 - np.ceil(np.log2(max(most, 1.0))), 1, 28))


def _numbers(arrays: Any) -> list[Array]:
    return [array for array in arrays if array.dtype.kind == "f"]
