"""A step of a network as a list of array operations, whatever computes them later.

`trace.py` makes it of what MLX records, C and ONNX are printed from it, and `Program.run` computes it in
NumPy: the reference for both, and what folds the parts that depend on parameters alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .noise import NO_NOISE, Noise, counted
from .operations import ELEMENTWISE, REDUCTIONS, VIEWS

Array = NDArray[Any]
Shape = tuple[int, ...]
NOISE = "noise"
"""The name of what noise goes on from, among the values of a step."""


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
        op: its name, one of `operations.py`, or "Matmul", "Concatenate", "Scatter".
        inputs: the names of what it reads.
        name: the name of what it gives.
        shape: the shape of that.
        boolean: whether it gives booleans instead of numbers.
        arguments: what else it needs: axes, starts and so on.
    """

    op: str
    inputs: tuple[str, ...]
    name: str
    shape: Shape
    boolean: bool = False
    arguments: tuple[Any, ...] = ()

    @property
    def is_view(self) -> bool:
        """Whether it only says where to read."""
        return self.op in VIEWS


@dataclass(frozen=True)
class Units:
    """The units of the data around a network: see `Scaled`.

    Attributes:
        inputs, outputs: names.
        mean, spread: (I,) what is subtracted from inputs and divided out of them.
        offset, scale: (M,) zero and unit of outputs.
        time_unit: the time span that the network sees as 1.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    offset: NDArray[np.float64]
    scale: NDArray[np.float64]
    time_unit: float


@dataclass(frozen=True)
class Program:
    """One step: from a sample, the time span and the states to the outputs and the new states.

    Attributes:
        nodes: the operations, each behind those it reads.
        constants: float32, boolean or whole values by name.
        shapes: the shapes of all values by name.
        sample, timespan: the names of the inputs, (1, 1, I) and (1, 1).
        states: the names of the states, each (1, ...).
        output: the name of the outputs, (1, 1, M).
        new: the names of the new states.
        units: the units of the data, for who prints them around the step.
        time_unit: the time of the data that is 1 in the step, and that samples are usually apart.
        needs_timespans: whether samples are usually any time apart, since layers differ in their time scales.
        max_step: the longest time span that is solved in one go, in the unit of the data; None for any.
        missing: whether a sample may hold NaN, for what was not observed.
        start: the states before the first sample; empty if they are zeros.
        names: those of the sensory and of the motor neurons; empty where an input or output is no neuron.
        noise: what the noise of its cells begins with. If there is some, its words are one more state.
    """

    nodes: tuple[Node, ...]
    constants: dict[str, Array] = field(repr=False)
    shapes: dict[str, Shape] = field(repr=False)
    sample: str
    timespan: str
    states: tuple[str, ...]
    output: str
    new: tuple[str, ...]
    units: Units | None = None
    time_unit: float = 1.0
    needs_timespans: bool = False
    max_step: float | None = None
    missing: bool = False
    start: tuple[Array, ...] = field(default=(), repr=False)
    names: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    noise: Noise = NO_NOISE

    @property
    def begin(self) -> list[Array]:
        """The states before the first sample."""
        states = list(self.start) or [np.zeros(self.shapes[name], np.float32) for name in self.states]
        return [*states, self.noise.words] if self.noise else states

    @property
    def n_inputs(self) -> int:
        """I: how many features a sample has."""
        return self.shapes[self.sample][-1]

    @property
    def n_outputs(self) -> int:
        """M: how many numbers come out."""
        return int(np.prod(self.shapes[self.output]))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of all that is given at a step."""
        return (self.sample, self.timespan, *self.states, *((NOISE,) if self.noise else ()))

    @property
    def results(self) -> tuple[str, ...]:
        """The names of all that a step computes."""
        return (self.output, *self.new)

    def run(self, *given: Array) -> list[Array]:
        """The outputs and new states, from a sample, the time span and the states."""
        values = self.values(dict(zip(self.inputs, given, strict=True)))
        return [values[self.output], *self.after(values)]

    def after(self, values: Mapping[str, Array]) -> list[Array]:
        """The new states, from all values of a step."""
        states = [values[name] for name in self.new]
        return [*states, counted(values[NOISE])] if self.noise else states

    def values(self, given: Mapping[str, Array]) -> dict[str, Array]:
        """All values of a step, by name."""
        values: dict[str, Array] = {**self.constants, **given}
        for node in self.nodes:
            values[node.name] = computed(node, [values[name] for name in node.inputs])
        return values


def computed(node: Node, given: list[Array]) -> Array:
    """What an operation gives, in NumPy."""
    with np.errstate(all="ignore"):
        found = _computed(node, given)
    return found if node.boolean or found.dtype.kind in "iu" else found.astype(np.float32)


def _computed(node: Node, given: list[Array]) -> Array:
    first, arguments = given[0], node.arguments
    if node.op in ELEMENTWISE:
        found: Array = np.asarray(ELEMENTWISE[node.op].numpy(*given))
        return found
    if node.op in REDUCTIONS:
        reduced: Array = np.asarray(REDUCTIONS[node.op].numpy(first, axis=arguments[0], keepdims=True))
        return reduced
    if node.op == "Reshape":
        return first.reshape(node.shape)
    if node.op == "Broadcast":
        return np.broadcast_to(first, node.shape)
    if node.op == "Transpose":
        return first.transpose(arguments[0])
    if node.op == "Slice":
        return first[tuple(slice(start, stop, step) for start, stop, step in zip(*arguments, strict=True))]
    if node.op == "Concatenate":
        return np.concatenate(given, axis=arguments[0])
    if node.op == "Take":
        return np.take(first, given[1].astype(np.int64), axis=arguments[0])
    if node.op == "Scatter":
        scattered = np.array(first)
        np.put_along_axis(scattered, given[1].astype(np.int64), given[2], axis=arguments[0])
        return scattered
    assert node.op == "Matmul"
    product: Array = np.matmul(first, given[1])
    return product


def folded(program: Program) -> Program:
    """The same without what depends on parameters alone, and without what nothing needs."""
    constants, nodes = dict(program.constants), []
    same: dict[str, str] = {}
    for given in program.nodes:
        node = replace(given, inputs=tuple(same.get(name, name) for name in given.inputs))
        if all(name in constants for name in node.inputs):
            constants[node.name] = computed(node, [constants[name] for name in node.inputs])
        elif (source := _unchanged(node, constants)) is not None and node.name not in program.results:
            same[node.name] = source
        else:
            nodes.append(node)
    needed = set(program.results)
    kept = []
    for node in reversed(nodes):
        if node.name in needed:
            kept.append(node)
            needed.update(node.inputs)
    return replace(
        program,
        nodes=tuple(reversed(kept)),
        constants={name: array for name, array in constants.items() if name in needed},
    )


def _unchanged(node: Node, constants: Mapping[str, Array]) -> str | None:
    """What an operation gives back as it is: nothing is added to it, or it is multiplied by one."""
    neutral = {"Add": 0.0, "Multiply": 1.0}.get(node.op)
    for one, other in (node.inputs, node.inputs[::-1]) if neutral is not None else ():
        if other in constants and (constants[other] == neutral).all():
            return one
    return None


def owned(program: Program) -> Program:
    """The same with results that are computed, each once, and not only read from somewhere."""
    nodes, shapes = list(program.nodes), dict(program.shapes)
    computes = {node.name for node in nodes if not node.is_view}
    results: list[str] = []
    for name in program.results:
        if name not in computes or name in results:
            copied = f"{name}_{len(results)}"
            shapes[copied] = shapes[name]
            nodes.append(Node("Copy", (name,), copied, shapes[name]))
            name = copied
        results.append(name)
    return replace(program, nodes=tuple(nodes), shapes=shapes, output=results[0], new=tuple(results[1:]))


def readers(nodes: Iterable[Node]) -> dict[str, list[Node]]:
    """The operations that read each value."""
    found: dict[str, list[Node]] = {}
    for node in nodes:
        for name in dict.fromkeys(node.inputs):
            found.setdefault(name, []).append(node)
    return found
