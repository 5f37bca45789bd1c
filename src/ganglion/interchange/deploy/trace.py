"""A step of a network as MLX records it, in the few operations of a program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten

from ...arguments import instance
from ...cells import CellWrapper, NCPLayer, NCPRNNCell
from ...cells.equations.noise import BYTES
from ...cells.timed import in_own_time, usual_span
from ...compile.layouts.select import whole_products
from ...errors import KernelError
from ..plain import plainly
from .noise import QUIET, ROW, SAMPLES, SEEDS, Drawn, Noise, draws_of, given, silence
from .operations import ELEMENTWISE
from .program import NOISE, Array, Node, Program, Shape, folded, owned

REDUCED = (None, None, "Sum", "Prod", "Min", "Max")  # as MLX counts them; the first ones are of booleans
BITWISE = ("LogicalAnd", "LogicalOr")
SAME = ("Squeeze", "ExpandDims", "Flatten", "Unflatten", "Reshape", "Full", "Contiguous", "StopGradient")


def traced(model: NCPLayer, *, sparse: bool, noise: bool = True) -> Program:
    """One step of a network.

    Args:
        model: the network; it reads forwards and is built.
        sparse: whether who prints the products leaves out what is zero, so that no NaN crosses it.
        noise: whether it has the noise that the network has.

    Raises:
        TypeError: no network.
        ValueError: the network cannot be fed one sample at a time, or a number in it is not finite.
        KernelError: an operation that is not known here, or `max_step` of one cell among several.
    """
    expected = "a network over sequences, such as gl.LTC(circuit)"
    if not instance("model", model, NCPLayer, expected).recurrent:
        raise TypeError(f"model must be {expected}, got {type(model).__name__}")
    units = model.data_units() if hasattr(model, "data_units") else None
    inner: Any = model if units is None else model.model
    inner.require_built("cannot be exported")
    _require_finite(inner)
    scale, longest = usual_span(inner), _longest_part(inner)
    outer = 1.0 if units is None else units.time_unit
    unit = (1.0 if scale is None else scale) * outer
    timed = nullcontext() if scale is None else in_own_time(inner)
    with plainly(inner), timed, _states_returned(inner), whole_products(not sparse):
        with whole_products(False):  # the others have no gradients here
            inner.stream()  # which refuses what needs more than the sample
        step = _Step(inner, noise)
        recorder = _Recorder()
        mx.export_function(recorder, step.told, *step.example())
        program = owned(folded(recorder.program(step.draws)))
        program = replace(program, units=units, time_unit=unit, noise=step.noise)
        names = _names(inner)
        program = replace(program, needs_timespans=scale is None, missing=_takes_nan(program), names=names)
        program = program if longest is None else replace(program, max_step=longest * outer)
        _require_same(program, step)
    return program


class _Step:
    """A step of a network as a function of arrays.

    Attributes:
        draws: the normal numbers that it draws.
        noise: what these go on from.
    """

    def __init__(self, network: Any, noise: bool) -> None:
        self._network = network
        self._begin()
        self.draws = draws_of(lambda *states: self(*self._sample(), *states), self._arrays)
        self.noise = Noise.of(self.draws)
        if self.draws and not noise:
            silence(network)
            self._begin()
            self.draws, self.noise = [], Noise(leaves=self.noise.leaves)

    def _begin(self) -> None:
        self._first = self._network.get_initial_state(batch_size=1)
        self._arrays = list(_leaves(self._first))

    def _sample(self) -> list[mx.array]:
        return [mx.zeros((1, 1, self._network.input_size)), mx.ones((1, 1))]

    def __call__(self, x: mx.array, timespan: mx.array, *states: mx.array) -> list[mx.array]:
        """The outputs and all arrays of the new state, from all of the state."""
        outputs, last = self._network(x, _like(self._first, iter(states)), timespan)
        return [outputs, *_leaves(last)]

    def example(self) -> list[mx.array]:
        """What it is told with: a sample, a time span, states but those of noise, and the numbers drawn."""
        return [
            *self._sample(),
            *self.without([mx.array(0.0), *self._arrays])[1:],
            *(mx.zeros((1, len(d.places))) for d in self.draws),
        ]

    def told(self, x: mx.array, timespan: mx.array, *rest: mx.array) -> list[mx.array]:
        """The same of these."""
        many = len(rest) - len(self.draws)
        with given(iter(rest[many:])) if self.draws else nullcontext():
            return self.without(self(x, timespan, *self.whole(list(rest[:many]))))

    def without(self, results: Sequence[mx.array]) -> list[mx.array]:
        """The outputs, and the arrays of a state but those that noise goes on from."""
        leaves = self.noise.leaves if self.noise else ()
        return [found for k, found in enumerate(results) if k - 1 not in leaves]

    def whole(self, states: list[mx.array], noise: mx.array | None = None) -> list[mx.array]:
        """All arrays of a state."""
        found = list(states)
        for leaf in self.noise.leaves if self.noise else ():
            found.insert(leaf, self._arrays[leaf] if noise is None else noise)
        return found


def _longest_part(network: nn.Module) -> float | None:
    """The longest time span that is solved in one go, in the unit of the network's data.

    Raises:
        KernelError: parts of a span are no steps of the network as a whole.
    """
    cells = [part for part in network.modules() if isinstance(part, NCPRNNCell)]
    found = [cell.max_step for cell in cells if cell.max_step is not None]
    around = next((cell for cell in cells if isinstance(cell, CellWrapper)), None)
    if found and around is not None:
        raise KernelError(
            f"a {type(around).__name__} acts once per sample, of which max_step makes several in C: export "
            "it without max_step"
        )
    if found and len(cells) > 1:
        raise KernelError("max_step is exported of a network with one cell, and this one has several")
    return found[0] if found else None


class _Recorder:
    """What MLX tells of a function, operation by operation."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.constants: dict[str, Array] = {}
        self.shapes: dict[str, Shape] = {}
        self.inputs: list[str] = []
        self.outputs: list[str] = []

    def __call__(self, told: dict[str, Any]) -> None:
        kind = told["type"]
        if kind == "inputs":
            self.inputs = self._known(told["inputs"])
        elif kind == "outputs":
            self.outputs = self._known(told["outputs"])
        elif kind == "constants":
            for name, array in told["constants"]:
                self.constants[name] = _numpy(array)
                self.shapes[name] = self.constants[name].shape
        elif kind == "primitive":
            given, results = self._known(told["inputs"]), self._known(told["outputs"])
            boolean = told["outputs"][0][2] == mx.bool_
            if told["name"] == "Arange":
                self.constants[results[0]] = np.arange(*told["arguments"])
                return
            of_boolean = told["inputs"][0][2] == mx.bool_ if given else False
            self._operation(told["name"], told["arguments"], given, results, boolean, of_boolean)

    def _known(self, described: list[tuple[str, Shape, Any]]) -> list[str]:
        for name, shape, _ in described:
            self.shapes[name] = tuple(shape)
        return [name for name, _, _ in described]

    def add(self, op: str, inputs: list[str], name: str, *arguments: Any, boolean: bool = False) -> str:
        """Note an operation whose result has a known shape."""
        self.nodes.append(Node(op, tuple(inputs), name, self.shapes[name], boolean, arguments))
        return name

    def _made(self, op: str, inputs: list[str], shape: Shape, *arguments: Any) -> str:
        """Note an operation that MLX has inside another one."""
        name = f"{len(self.nodes)}_"
        self.shapes[name] = shape
        return self.add(op, inputs, name, *arguments)

    def _constant(self, value: float, shape: Shape) -> str:
        name = f"{len(self.nodes)}_{len(self.constants)}"
        self.constants[name] = np.full(shape, value, np.float32)
        self.shapes[name] = shape
        return name

    def _operation(
        self,
        op: str,
        given: list[Any],
        inputs: list[str],
        results: list[str],
        boolean: bool,
        of_boolean: bool,
    ) -> None:
        name = results[0]
        shape = self.shapes[inputs[0]] if inputs else ()
        if op in SAME:
            self.add("Reshape", inputs, name, boolean=boolean)
        elif op == "AsType":
            kind = "Copy" if boolean == of_boolean else "Truth" if boolean else "Number"
            self.add(kind, inputs, name, boolean=boolean)
        elif op == "Square":
            self.add("Multiply", inputs * 2, name)
        elif op == "Sqrt" and given[0]:
            root = self._made("Sqrt", inputs, shape)
            self.add("Divide", [self._constant(1.0, shape), root], name)
        elif op == "Reduce" and REDUCED[given[0]]:
            self.add(str(REDUCED[given[0]]), inputs, name, tuple(given[1]))
        elif op == "LogAddExp":
            self._log_add_exp(inputs, name, shape)
        elif op == "Softmax":
            exponents, total, _ = self._exponents(inputs[0], shape)
            self.add("Divide", [exponents, self._made("Broadcast", [total], shape)], name)
        elif op == "LogSumExp":
            _, total, most = self._exponents(inputs[0], shape)
            self.add("Add", [self._made("Log", [total], self.shapes[name]), most], name)
        elif op == "AddMM":
            if list(given) != [1.0, 1.0]:
                raise KernelError("a sum with factors, which no layer of this package has, is not exported")
            product = self._made("Matmul", inputs[:2], self.shapes[name])
            self.add("Add", [product, inputs[2]], name)
        elif op == "Split":
            self._split(given, inputs, results, boolean)
        elif op == "ScatterAxis" and given[0] == 1:
            self.add("Scatter", inputs, name, given[1])
        elif op in ("Scan", "GatherAxis") and self.shapes[name] == shape and shape[_axis(op, given)] == 1:
            self.add("Reshape", inputs[:1], name, boolean=boolean)  # along the samples, of which there is one
        elif op == "BitwiseInvert" and boolean:
            self.add("LogicalNot", inputs, name, boolean=True)
        elif op == "BitwiseBinary" and boolean and given[0] < len(BITWISE):
            self.add(BITWISE[given[0]], inputs, name, boolean=True)
        elif op in ("Broadcast", "Matmul") or op in ELEMENTWISE:
            self.add(op, inputs, name, boolean=boolean)
        elif op == "Transpose":
            self.add(op, inputs, name, tuple(given[0]), boolean=boolean)
        elif op == "Slice":
            self.add(op, inputs, name, *(tuple(part) for part in given), boolean=boolean)
        elif op == "Concatenate":
            self.add(op, inputs, name, int(given[0]), boolean=boolean)
        else:
            raise KernelError(f"a network with the MLX operation {op} cannot be exported")

    def _split(self, given: list[Any], inputs: list[str], results: list[str], boolean: bool) -> None:
        places, axis = given
        shape = self.shapes[inputs[0]]
        for name, start in zip(results, (0, *places), strict=True):
            starts = tuple(start if a == axis else 0 for a in range(len(shape)))
            stops = tuple(a + b for a, b in zip(starts, self.shapes[name], strict=True))
            self.add("Slice", inputs, name, starts, stops, (1,) * len(shape), boolean=boolean)

    def _exponents(self, x: str, shape: Shape) -> tuple[str, str, str]:
        """exp(x - most) over the last axis, their sum, and most."""
        axis, one = len(shape) - 1, (*shape[:-1], 1)
        most = self._made("Max", [x], one, (axis,))
        less = self._made("Subtract", [x, self._made("Broadcast", [most], shape)], shape)
        exponents = self._made("Exp", [less], shape)
        return exponents, self._made("Sum", [exponents], one, (axis,)), most

    def _log_add_exp(self, inputs: list[str], name: str, shape: Shape) -> None:
        """max + log(1 + exp(-|a - b|))."""
        most = self._made("Maximum", inputs, shape)
        apart = self._made("Abs", [self._made("Subtract", inputs, shape)], shape)
        small = self._made("Exp", [self._made("Negative", [apart], shape)], shape)
        self.add("Add", [most, self._made("Log1p", [small], shape)], name)

    def program(self, draws: Sequence[Drawn]) -> Program:
        """What was told, whole, in which the last inputs are numbers that are drawn."""
        (sample, timespan, *rest), (output, *new) = self.inputs, self.outputs
        many = len(rest) - len(draws)
        states = rest[:many]
        return Program(
            (*self._drawn(draws, rest[many:]), *self.nodes),
            self.constants,
            self.shapes,
            sample,
            timespan,
            tuple(states),
            output,
            tuple(new),
        )

    def _drawn(self, draws: Sequence[Drawn], names: Sequence[str]) -> Iterator[Node]:
        """The operations that draw numbers."""
        seeds = Noise.of(draws).seeds
        self.shapes[NOISE] = (SEEDS + len(seeds),)
        for k in range(SEEDS + len(seeds)) if draws else ():
            self.shapes[f"{NOISE}{k}"] = (1,)
            yield Node("Slice", (NOISE,), f"{NOISE}{k}", (1,), arguments=((k,), (k + 1,), (1,)))
        for name, drawn in zip(names, draws, strict=True):
            words = [f"{NOISE}{k}" for k in (ROW, SAMPLES, QUIET, SEEDS + seeds.index(drawn.seed))]
            for word, value in (("draws", [drawn.draws]), ("draw", [drawn.draw]), ("places", drawn.places)):
                words.append(f"{name}.{word}")
                self.constants[words[-1]] = np.array(value, np.uint32)
                self.shapes[words[-1]] = self.constants[words[-1]].shape
            yield Node("Normal", tuple(words), name, self.shapes[name])


def _names(model: NCPLayer) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the inputs and of the outputs that are neurons of a circuit."""
    cell = getattr(model, "cell", None)
    if not isinstance(cell, NCPRNNCell) or cell.wiring is None:
        return (), ()
    outputs = cell.neurons[: cell.n_outputs] if getattr(model, "proj_size", None) is None else ()
    return (tuple(cell.sensors) if len(cell.sensors) == cell.input_size else ()), tuple(outputs)


def _axis(op: str, given: list[Any]) -> int:
    """The axis along which an operation goes."""
    axis: int = given[1] if op == "Scan" else given[0]
    return axis


def _numpy(array: mx.array) -> Array:
    whole = array.dtype == mx.bool_ or mx.issubdtype(array.dtype, mx.integer)
    found: Array = np.array(array if whole else array.astype(mx.float32))
    return found


def _leaves(state: Any) -> Iterator[mx.array]:
    """The arrays of a state, which may be tuples in tuples."""
    if isinstance(state, mx.array):
        yield state
    else:
        for part in state:
            yield from _leaves(part)


def _like(state: Any, arrays: Iterator[mx.array]) -> Any:
    """Arrays in the place of those of a state."""
    return next(arrays) if isinstance(state, mx.array) else tuple(_like(part, arrays) for part in state)


@contextmanager
def _states_returned(model: nn.Module) -> Iterator[None]:
    """Let all networks return their states, whatever they were told."""
    silent = [module for module in model.modules() if getattr(module, "return_state", None) is False]
    try:
        for module in silent:
            module.return_state = True
        yield
    finally:
        for module in silent:
            module.return_state = False


def _takes_nan(program: Program) -> bool:
    """Whether a sample of which nothing was observed leaves every number finite."""
    given: list[Array] = [np.zeros(program.shapes[name], np.float32) for name in program.inputs]
    given[0], given[1] = np.full_like(given[0], np.nan), np.ones_like(given[1])
    if program.noise:
        given[-1] = program.noise.words
    return all(bool(np.isfinite(array).all()) for array in program.run(*given))


def _require_finite(model: nn.Module) -> None:
    named: list[tuple[str, mx.array]] = tree_flatten(model.parameters())  # type: ignore[assignment]
    for name, array in named:
        if not mx.isfinite(array).all().item():
            raise ValueError(f"the parameter {name} is not finite: nothing to export")


def _require_same(program: Program, step: _Step) -> None:
    """Recording is young in MLX and errs in silence."""
    rng = np.random.default_rng(0)
    names = (program.sample, program.timespan, *program.states)
    given = [rng.normal(size=program.shapes[name]).astype(np.float32) for name in names]
    given[1] = np.abs(given[1])
    sample, timespan, *states = (mx.array(array) for array in given)
    bytes_ = rng.integers(0, 256, (1, BYTES)).astype(np.float32)
    words = [program.noise.begun([bytes_]).words] if program.noise else []
    expected = step.without(step(sample, timespan, *step.whole(states, mx.array(bytes_))))
    for ours, theirs in zip(program.run(*given, *words), expected, strict=not program.noise):
        if not np.allclose(ours, np.array(theirs.astype(mx.float32)), rtol=1e-3, atol=1e-4):
            raise RuntimeError(
                "what was recorded does not compute what the network does: nothing was written"
            )
