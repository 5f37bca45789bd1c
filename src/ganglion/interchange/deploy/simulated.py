"""What the C in fixed point computes, number by number, in NumPy: how exact it is can be told without C.

Each function is that of its name in `fixed.h`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...cells.equations.noise import table
from .noise import normal
from .numbers import Fixed
from .operations import ELEMENTWISE, REDUCTIONS
from .program import Array, Node, Program, computed

Whole = NDArray[np.int64]
LARGEST, ONE = 2**31 - 1, 1 << 30
POLYNOMIAL = 1423202, 10385230, 59601040, 257936752, 744260860, ONE


class Simulated:
    """A program in fixed point.

    Raises:
        KernelError: an operation that has no such form.
    """

    def __init__(self, program: Program, numbers: Fixed) -> None:
        for node in program.nodes:
            if node.op in ELEMENTWISE:
                numbers.operation(node.op)
            elif node.op in REDUCTIONS:
                numbers.reduction(node.op)
        constants = {name: _wide(numbers.array(array)) for name, array in program.constants.items()}
        self._program, self._point = replace(program, constants=constants), numbers.fraction
        self._functions: dict[str, Callable[..., Whole]] = {
            "Add": lambda a, b: _fit(a + b),
            "Subtract": lambda a, b: _fit(a - b),
            "Multiply": lambda a, b: _fit(self._product(a, b)),
            "Divide": self._divide,
            "Sigmoid": self._sigmoid,
            "Tanh": self._tanh,
            "Exp": self._exp,
            "Sqrt": self._sqrt,
            "Normal": partial(normal, of=_wide(numbers.array(table()))),
            "Number": lambda x: x.astype(np.int64) << self._point,
        }

    def run(self, *given: Array) -> list[Array]:
        """The outputs as floats and the new states as they are kept, from a sample and a time span that are
        floats, and such states."""
        sample, span, *states = given
        values: dict[str, Array] = dict(self._program.constants)
        values |= zip(
            self._program.inputs, (self._fixed(sample), self._fixed(span), *map(_wide, states)), strict=True
        )
        for node in self._program.nodes:
            values[node.name] = self._computed(node, [values[name] for name in node.inputs])
        output = values[self._program.output].astype(np.float32) / np.float32(1 << self._point)
        return [output, *self._program.after(values)]

    def _computed(self, node: Node, given: Sequence[Array]) -> Array:
        if node.op in self._functions:
            return self._functions[node.op](*given)
        if node.op == "Matmul":
            a, b = given
            return _fit(self._product(a[..., :, :, None], b[..., None, :, :]).sum(axis=-2))
        found = computed(node, list(given))  # comparisons, sums, what only moves numbers
        return _fit(found) if node.op == "Sum" else found

    def _fixed(self, x: Array) -> Whole:
        """The nearest number that 32 bits hold; what is no number counts as 0."""
        scaled = np.nan_to_num(x.astype(np.float32) * np.float32(1 << self._point), nan=0.0)
        rounded = np.trunc(scaled + np.copysign(np.float32(0.5), scaled))
        found: Whole = np.clip(rounded.astype(np.float64), -LARGEST, LARGEST).astype(np.int64)
        return found

    def _product(self, a: Whole, b: Whole) -> Whole:
        found: Whole = (a * b + (1 << (self._point - 1))) >> self._point
        return found

    def _divide(self, a: Whole, b: Whole) -> Whole:
        numerator, other = np.broadcast_arrays(a << self._point, b)
        whole = np.abs(numerator) // np.maximum(np.abs(other), 1) * np.sign(numerator) * np.sign(other)
        return np.where(other == 0, np.where(numerator < 0, -LARGEST, LARGEST), _fit(whole))

    def _halved(self, z: Whole) -> Whole:
        whole = (z + (1 << (self._point - 1))) >> self._point
        f = ((whole << self._point) - z) << (30 - self._point)
        p: Any = POLYNOMIAL[0]
        for term in POLYNOMIAL[1:]:
            p = ((f * p) >> 30) + term
        shift = np.minimum(whole, 32)
        half = np.where(shift > 0, np.int64(1) << np.maximum(shift - 1, 0), 0)
        return np.where(whole > 31, 0, (p + half) >> shift)

    def _decay(self, x: Whole) -> Whole:
        return self._halved((x * 1549082005) >> 30)

    def _sigmoid(self, x: Whole) -> Whole:
        opened = ONE * ONE // (ONE + self._decay(np.abs(x)))
        return np.where(x < 0, ONE - opened, opened) >> (30 - self._point)

    def _tanh(self, x: Whole) -> Whole:
        fallen = self._decay(np.abs(x) * 2)
        found: Whole = np.sign(x) * (((ONE - fallen) * ONE // (ONE + fallen)) >> (30 - self._point))
        return found

    def _sqrt(self, x: Whole) -> Whole:
        square = np.maximum(x, 0) << self._point
        root = np.sqrt(square.astype(np.float64)).astype(np.int64)
        root -= root * root > square  # as float64 rounds
        return root + ((root + 1) * (root + 1) <= square)

    def _exp(self, x: Whole) -> Whole:
        fallen = self._decay(np.abs(x))
        grown = (1 << (30 + self._point)) // np.maximum(fallen, 1)
        grown = np.where(fallen > 0, _fit(grown), LARGEST)
        return np.where(x <= 0, fallen >> (30 - self._point), grown)


def _fit(x: Whole) -> Whole:
    return np.clip(x, -LARGEST, LARGEST)


def _wide(array: Array) -> Array:
    return array if array.dtype.kind == "b" else array.astype(np.int64)


def largest_differences(program: Program, numbers: Fixed, samples: Array, timespans: Array) -> Array:
    """(M,) how far outputs in fixed point are from those of floats at most, in the units of the network.

    Args:
        program: the step.
        numbers: the form.
        samples: (T, I) in the units of the network.
        timespans: (T,) likewise.
    """
    simulated, most = Simulated(program, numbers), np.zeros(program.n_outputs)
    exact, near = program.begin, [numbers.array(state) for state in program.begin]
    for sample, span in zip(samples, timespans, strict=True):
        given = sample.reshape(1, 1, -1), span.reshape(1, 1)
        expected, *exact = program.run(*given, *exact)
        found, *near = simulated.run(*given, *near)
        most = np.maximum(most, np.abs(expected - found).reshape(-1).astype(np.float64))
    return most
