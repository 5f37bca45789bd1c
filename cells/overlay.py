"""What a question changes of a network while it is asked, laid over what it has learnt.

A perturbation does not touch parameters. It says, of some of them, what they are multiplied with and what is
added, where the equation uses them (`ParameterHolder.effective`): so it goes wherever they do, through
kernels, ties and softplus, and away again without a trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from numpy.typing import NDArray

from ..compile.synapses import Index, Synapses
from .ops.state_ops import State
from .parameters import Axis, Parameter, Repeated, axis_length
from .running import Call
from .strengths import Floats, as_floats

Single = NDArray[np.float32]
Places = NDArray[np.intp]
"""Numbers of neurons or sensors, as NumPy takes them for indices without a copy."""

Values: TypeAlias = NDArray[Any] | mx.array
"""NumPy's of one network, which kernels of many take; MLX's of many that run together."""

KEY, WHOLE, ONLY = "_overlay", "_whole", "_only"
"""Where a cell has its overlay, what it is without, and the synapses that are left with it."""


class Noise(NamedTuple):
    """A sensor that shows random numbers instead of what it is given."""

    sensor: int
    mean: float
    spread: float
    seed: int


@dataclass(frozen=True, eq=False)
class Overlay:
    """What is laid over a cell.

    Attributes:
        factors: parameter -> what it is multiplied with where the equation uses it.
        shifts: parameter -> what is added behind that; of the same names.
        held: (N,) which neurons' states are held, and (N,) at what; None for none.
        inputs: (I,) what inputs are multiplied with, and (I,) what is added; None for nothing. An input that
            is multiplied with 0 is not read at all.
        noise: sensors that show random numbers.
        starts_elsewhere: whether a state is held at another value than 0.
        stays: (N,) which neurons' states the equation leaves as they are; None for none.
        conducting: (part, side) -> the parameters without which the synapses there do nothing.
    """

    factors: Mapping[str, Values] = field(default_factory=dict)
    shifts: Mapping[str, Values] = field(default_factory=dict)
    held: tuple[Values, Values] | None = None
    inputs: tuple[Values, Values] | None = None
    noise: tuple[Noise, ...] = ()
    starts_elsewhere: bool = False
    stays: mx.array | None = None
    conducting: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def kept(self) -> dict[tuple[str, str], Index]:
        """The numbers of the synapses that are still there, of each part and side where some are removed.

        What is multiplied with 0 is not there: a NaN would pass through it otherwise.
        """
        found = {}
        for where, names in self.conducting.items():
            if all(name in self.factors for name in names):
                gone = [(self.factors[name] == 0) & (self.shifts[name] == 0) for name in names]
                there = ~np.logical_and.reduce([np.array(each) for each in gone])
                if not there.all():
                    found[where] = np.flatnonzero(there).astype(np.int32)
        return found

    @cached_property
    def _arrays(self) -> dict[str, tuple[mx.array, mx.array]]:
        """Factors and shifts for MLX; what kernels of many networks take are NumPy's."""
        return {name: (_array(factor), _array(self.shifts[name])) for name, factor in self.factors.items()}

    def over(self, name: str, value: mx.array) -> mx.array:
        """A parameter, as the equation uses it, with the overlay."""
        if name not in self.factors:
            return value
        factor, shift = self._arrays[name]
        return value * factor + shift

    def put(self, state: State) -> State:
        """A state in which the held neurons have their values."""
        if self.held is None:
            return state
        first, *others = state if isinstance(state, tuple) else (state,)
        here, values = map(_array, self.held)
        if first.ndim > 2:  # several traces of a neuron, which can be held at 0 only
            here, values = here[:, None], values[:, None]
        first = mx.where(here, values, first)
        return (first, *others) if isinstance(state, tuple) else first

    def seen(self, x: mx.array) -> mx.array:
        """(..., I) inputs as the sensors show them, but for noise."""
        if self.inputs is None:
            return x
        factor, shift = map(_array, self.inputs)
        return mx.where(factor == 0.0, shift, x * factor + shift)

    def applied(self, call: Call) -> Call:
        """A call with this overlay over its inputs and its first state."""
        x = self.seen(call.x)
        for noise in self.noise:
            drawn = mx.random.normal(x.shape[:2], key=mx.random.key(noise.seed))
            here = mx.array(np.arange(x.shape[2]) == noise.sensor)
            x = mx.where(here, (noise.mean + noise.spread * drawn)[..., None], x)
        return replace(call, x=x, state=self.put(call.state), held=None if self.held is None else self)


def overlay_of(cell: Any) -> Overlay | None:
    """What is laid over a cell."""
    found: Overlay | None = cell.__dict__.get(KEY)
    return found


def lay_over(cell: Any, overlay: Overlay | None) -> None:
    """Lay something over a cell instead of what is there now; nothing if there is none."""
    for name, value in cell.__dict__.pop(WHOLE, {}).items():
        setattr(cell, name, value)
    object.__setattr__(cell, ONLY, {})
    object.__setattr__(cell, KEY, overlay)  # nn.Module would take it for parameters
    if overlay is not None and overlay.kept:
        new = cell.rewired(overlay.kept)
        if new:
            object.__setattr__(cell, WHOLE, {name: getattr(cell, name) for name in new})
            only = {where: mx.array(numbers) for where, numbers in overlay.kept.items()}
            object.__setattr__(cell, ONLY, only)
            for name, value in new.items():
                setattr(cell, name, value)


@contextmanager
def laid_over(overlays: Iterable[tuple[Any, Overlay | None]]) -> Iterator[None]:
    """Lay something over cells, and what was there before again at the end."""
    overlays = list(overlays)
    before = [(cell, overlay_of(cell)) for cell, _ in overlays]
    try:
        for cell, overlay in overlays:
            lay_over(cell, overlay)
        yield
    finally:
        for cell, overlay in before:
            lay_over(cell, overlay)


def refuse_perturbed(network: nn.Module, what: str) -> None:
    """Raise ValueError for a network that a perturbation is laid over, which would be lost."""
    if any(overlay_of(module) is not None for module in network.modules()):
        raise ValueError(
            f"the {type(network).__name__} is perturbed, and {what} would hold only what it has learnt: "
            "leave the perturbation before, and perturb what comes of it"
        )


class Known(NamedTuple):
    """What is known of a cell, whatever is laid over it.

    Attributes:
        declared: its parameters.
        matrices: those of more than one axis.
        plans: the plans they lie on.
        conducting: side -> the parameters without which a synapse does nothing, with their synapses.
        neutral: parameter -> ones of the shape that the equation uses.
    """

    declared: dict[str, Parameter]
    matrices: dict[str, Parameter]
    plans: Any
    conducting: dict[str, list[tuple[str, Synapses]]]
    neutral: dict[str, Floats]


def _known(cell: Any) -> Known:
    with laid_over([(cell, None)]):
        declared = cell.declared()
        matrices = {name: p for name, p in declared.items() if len(p.axes) > 1}
        return Known(declared, matrices, cell.plans, {}, {})


class Changes:
    """An overlay of one cell while it is written.

    Attributes:
        known: what does not change from one overlay to the next.
        declared: the cell's parameters.
        plans: the plans they lie on.
    """

    def __init__(self, cell: Any, known: Known | None = None) -> None:
        self.cell = cell
        self.known = _known(cell) if known is None else known
        self.declared, self.plans = self.known.declared, self.known.plans
        before = overlay_of(cell) or Overlay()
        self._factors = {name: np.array(values, np.float64) for name, values in before.factors.items()}
        self._shifts = {name: np.array(values, np.float64) for name, values in before.shifts.items()}
        n, i = cell.n_neurons, cell.n_inputs
        self.held, self.values = np.zeros(n, bool), np.zeros(n)
        self.stays = np.zeros(n, bool) if before.stays is None else np.array(before.stays)
        if before.held is not None:
            self.held, self.values = np.array(before.held[0]), as_floats(_array(before.held[1]))
        self.input_factor, self.input_shift = np.ones(i), np.zeros(i)
        if before.inputs is not None:
            self.input_factor, self.input_shift = (as_floats(_array(values)) for values in before.inputs)
        self.noise = {noise.sensor: noise for noise in before.noise}

    def scale(self, name: str, where: Any, factor: float) -> None:
        """Multiply entries of a parameter."""
        factors, shifts = self._of(name)
        if isinstance(where, np.ndarray) and where.dtype == bool:
            np.multiply(factors, factor, out=factors, where=where)  # a third of an indexed product's time
            np.multiply(shifts, factor, out=shifts, where=where)
        else:
            factors[where] *= factor
            shifts[where] *= factor

    def put(self, name: str, where: Any, values: Any) -> None:
        """Let entries of a parameter be something."""
        factors, shifts = self._of(name)
        factors[where], shifts[where] = 0.0, values

    def add(self, name: str, where: Any, values: Any) -> None:
        """Add to entries of a parameter."""
        self._of(name)[1][where] += values

    def value(self, name: str) -> Floats:
        """A parameter as the equation uses it with these changes."""
        with laid_over([(self.cell, None)]):
            used = as_floats(self.cell.effective()[name])
        if name not in self._factors:
            return used
        found: Floats = used * self._factors[name] + self._shifts[name]
        return found

    def current_units(self) -> Floats:
        """What a current of 1 is in the unit of each neuron, whatever is laid over it."""
        with laid_over([(self.cell, None)]):
            found: Floats = self.cell.current_units()
        return found

    def synaptic(self, side: str) -> dict[str, Parameter]:
        """The parameters that lie on the recurrent, sensory or electrical synapses."""
        return {name: p for name, p in self.declared.items() if len(p.axes) == 1 and p.lies_on == side}

    def stay(self, neurons: Places) -> None:
        """Let the equation leave the states of neurons as they are; its class says that it can."""
        self.stays[neurons] = True

    def conducting(self, side: str) -> list[tuple[str, Synapses]]:
        """The parameters without which synapses of a side do nothing, and these synapses."""
        if side not in self.known.conducting:
            self.known.conducting[side] = [
                (name, self.declared[name].synapses(self.plans[self.declared[name].part]))
                for name in self.cell.conducting_parameters(side)
            ]
        return self.known.conducting[side]

    def cut_into(self, neurons: Places) -> None:
        """Cut what reaches neurons by chemical synapses."""
        for side in ("recurrent", "sensory"):
            for name, synapses in self.conducting(side):
                self.scale(name, among(synapses.post, neurons, synapses.n_post), 0.0)

    def sever(self, axis: str, numbers: Places) -> None:
        """Cut what matrices beside the circuit bring to and from neurons or sensors, such as a memory's."""
        for name, p in self.known.matrices.items():
            plan = self.plans[p.part]
            for k, home in enumerate(p.axes):
                places = _places(home, axis, numbers, plan)
                if len(places):
                    self.scale(name, (slice(None),) * k + (places,), 0.0)

    def done(self) -> Overlay | None:
        """What was written; None if that is nothing."""
        held = None
        if self.held.any():
            held = self.held, _narrow(self.values)
        inputs = None
        if (self.input_factor != 1.0).any() or self.input_shift.any():
            inputs = _narrow(self.input_factor), _narrow(self.input_shift)
        if not (self._factors or held or inputs or self.noise):
            return None
        return Overlay(
            {name: _narrow(values) for name, values in self._factors.items()},
            {name: _narrow(values) for name, values in self._shifts.items()},
            held,
            inputs,
            tuple(self.noise.values()),
            bool(self.values[self.held].any()),
            mx.array(self.stays) if self.stays.any() else None,
            self._conducting(),
        )

    def _conducting(self) -> dict[tuple[str, str], tuple[str, ...]]:
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for side, conducting in self.known.conducting.items():  # those that somebody asked for
            for name, _ in conducting:
                where = self.declared[name].part, side
                found[where] = (*found.get(where, ()), name)
        return found

    def _of(self, name: str) -> tuple[Floats, Floats]:
        if name not in self._factors:
            if name not in self.known.neutral:
                self.known.neutral[name] = np.ones(self._shape(name))
            self._factors[name] = self.known.neutral[name].copy()  # faster than to make one
            self._shifts[name] = np.zeros(self._factors[name].shape)
        return self._factors[name], self._shifts[name]

    def _shape(self, name: str) -> tuple[int, ...]:
        p = self.declared[name]
        plan = self.plans[p.part]
        free = tuple(self.cell[name].shape)  # which a plan does not say
        return tuple(free[k] if axis == "free" else axis_length(axis, plan) for k, axis in enumerate(p.axes))


def among(ids: Index, chosen: Places, n: int) -> Any:
    """Which ids, all below n, are among some; `np.isin` takes ten times as long for a few hundred."""
    if len(chosen) == 1:
        return ids == chosen[0]
    found = np.zeros(n, bool)
    found[chosen] = True
    return found[ids]


def _places(home: Axis, axis: str, numbers: Places, plan: Any) -> Places:
    """Where neurons or sensors stand on an axis of a parameter."""
    times = home.times if isinstance(home, Repeated) else 1
    bare = home if isinstance(home, str) else home.home
    if bare == "motor" and axis == "neuron":
        return numbers[numbers < int(plan.n_outputs)]
    if bare != axis:
        return np.zeros(0, np.intp)
    copies = np.concatenate([numbers + k * axis_length(bare, plan) for k in range(times)])
    found: Places = np.asarray(copies, np.intp)
    return found


def _narrow(values: Floats) -> Single:
    return values.astype(np.float32)


def _array(values: Values) -> mx.array:
    return values if isinstance(values, mx.array) else mx.array(values)
