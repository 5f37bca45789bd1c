"""Places of arrays, as C writes them."""

from __future__ import annotations

import math
from typing import TypeAlias

from .program import Node, Shape

Index: TypeAlias = tuple[str, ...]


def viewed(node: Node, shape: Shape, index: Index) -> Index:
    """Where a view reads, (shape), for an index of its own."""
    if node.op == "Broadcast":
        return broadcast(index, shape)
    if node.op == "Transpose":
        found = [""] * len(shape)
        for axis, place in zip(node.arguments[0], index, strict=True):
            found[axis] = place
        return tuple(found)
    if node.op == "Slice":
        starts, _, steps = node.arguments
        return tuple(
            plus(_times(i, step), start) for i, start, step in zip(index, starts, steps, strict=True)
        )
    return _reshaped(index, node.shape, shape)


def _reshaped(index: Index, shape: Shape, into: Shape) -> Index:
    wide = [i for i, size in zip(index, shape, strict=True) if size > 1]
    sizes = [size for size in shape if size > 1]
    if sizes == [size for size in into if size > 1]:
        remaining = iter(wide)
        return tuple(next(remaining) if size > 1 else "0" for size in into)
    whole, found, below = flat(index, shape), [], math.prod(into)
    for axis, size in enumerate(into):
        below //= size
        place = f"({whole}) / {below}" if below > 1 else f"({whole})"
        outer = axis == 0 or math.prod(into[:axis]) == 1
        found.append("0" if size == 1 else place if outer else f"({place}) % {size}")
    return tuple(found)


def broadcast(index: Index, shape: Shape) -> Index:
    """The place in a shape that is broadcast to the one that an index is of."""
    tail = index[len(index) - len(shape) :]
    return tuple("0" if size == 1 else i for i, size in zip(tail, shape, strict=True))


def flat(index: Index, shape: Shape) -> str:
    """The place of an index in row-major order."""
    found = "0"
    for i, size in zip(index, shape, strict=True):
        found = _sum(_times(found, size), i)
    return found


def _times(a: str, n: int) -> str:
    if a == "0" or n == 1:
        return a
    return str(int(a) * n) if a.isdigit() else f"{a} * {n}" if a.isidentifier() else f"({a}) * {n}"


def plus(a: str, n: int) -> str:
    return _sum(a, str(n))


def _sum(a: str, b: str) -> str:
    if a.isdigit() and b.isdigit():
        return str(int(a) + int(b))
    return b if a == "0" else a if b == "0" else f"{a} + {b}"


def factor(expression: str) -> str:
    """An expression as it may stand beside an operator that binds."""
    simple = expression.replace("_", "").replace(".", "").isalnum() or _closed(expression)
    return expression if simple else f"({expression})"


def _closed(expression: str) -> bool:
    """Whether an expression is one call, one place of an array or in parentheses."""
    depth = 0
    for k, mark in enumerate(expression):
        depth += mark in "(["
        depth -= mark in ")]"
        if depth == 0 and k < len(expression) - 1 and not (mark.isalnum() or mark == "_"):
            return False
    return True


def bare(expression: str) -> str:
    """An expression without parentheses around all of it."""
    return expression[1:-1] if expression.startswith("(") and _closed(expression) else expression
