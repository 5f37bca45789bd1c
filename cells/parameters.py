"""What the parameters of a layer lie on and what its equation needs of them: declared once, read by all.

A cell's declaration is a table of name and `Parameter`. Whatever is done with parameters follows from it:
fresh values (`fresh`), values as the equation uses them and constraints (`Rule`), and what becomes of them
when the circuit changes (`networks/carrying.py`). Nothing is read off a parameter's name or shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any, NamedTuple, TypeAlias

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from numpy.typing import NDArray

from ..compile import Plan, Synapses
from .groups import Groups
from .keys import Words, between, grid, numbered, of_either_order, words_of
from .ops.random_ops import Draws
from .signs import beyond, held, signs

HOMES = ("recurrent", "sensory", "electrical", "neuron", "sensor", "motor", "free")
SYNAPTIC = ("recurrent", "sensory", "electrical")
SIGNS = ("free", "synapse", "positive")
POSITIVE = ("clip", "softplus")


class Repeated(NamedTuple):
    """An axis that holds the entries of a home several times, one copy behind the other, as gates do."""

    home: str
    times: int


class Grouped(NamedTuple):
    """An axis that holds one entry for each group of the entries of a home: the values that are shared."""

    home: str
    groups: Groups


Axis: TypeAlias = "str | Repeated | Grouped"


class Factor(NamedTuple):
    """How a parameter goes with a factor that each neuron or sensor may choose, and no output tells.

    Attributes:
        kind: which factor, such as "conductance", the unit in which a neuron counts its conductances.
        power: the parameter is multiplied with the factor to the power of this.
        of: whose factor, for one that lies on synapses: the "target" that they lead to, their "source", or
            "both", which then have one and the same.
        added: whether it is a shift, which is added, and not a factor.
    """

    kind: str
    power: int | Fraction
    of: str = "target"
    added: bool = False


class Place(NamedTuple):
    """What the start of a parameter may depend on.

    Attributes:
        shape: the parameter's shape.
        plan: the plan whose synapses and neurons it lies on.
        home: the home of its first axis.
    """

    shape: tuple[int, ...]
    plan: Plan
    home: str

    @property
    def synapses(self) -> Synapses:
        """The synapses that it lies on."""
        found: Synapses = getattr(self.plan, self.home if self.home in SYNAPTIC else "recurrent")
        return found


Start: TypeAlias = Callable[[Draws, Place], mx.array]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a layer.

    Attributes:
        home: what each of its axes lies on: "recurrent", "sensory" or "electrical" (one entry per synapse),
            "neuron" (with state), "sensor", "motor", or "free" (nothing of the circuit); one axis alone needs
            no tuple.
        start: how fresh values are made; None for a parameter that its layer makes itself.
        sign: what its sign has to do with those of synapses: "synapse" if it carries them, at the start and,
            where polarity is fixed, for good; "positive" if a negative one would turn its synapse round, so
            that where polarity is fixed it is not used; "free" if nothing.
        non_negative: whether the equation needs it to be at least 0.
        strength: whether it says how strongly a synapse acts, so that a factor such as a count belongs to it.
        part: which of the layer's plans, see `NCPRNNCell.plans`, has the synapses it lies on.
        factors: the factors of neurons and sensors that leave outputs as they are, and how it goes with them.

    Example:
        >>> Parameter("recurrent", uniform(0.001, 1.0), non_negative=True)
    """

    home: Axis | tuple[Axis, ...]
    start: Start | None = None
    sign: str = "free"
    non_negative: bool = False
    strength: bool = False
    part: str = "circuit"
    factors: tuple[Factor, ...] = ()

    def __post_init__(self) -> None:
        for axis in self.axes:
            home = _bare(axis)
            if home not in HOMES:
                raise ValueError(f"unknown home {home!r} of a parameter: expected one of {', '.join(HOMES)}")
        if self.sign not in SIGNS:
            raise ValueError(f"unknown sign {self.sign!r} of a parameter: expected one of {', '.join(SIGNS)}")

    @property
    def signed(self) -> bool:
        """Whether it carries the signs of synapses."""
        return self.sign == "synapse"

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The home of each axis."""
        if isinstance(self.home, str | Repeated | Grouped):
            return (self.home,)
        return self.home

    @property
    def lies_on(self) -> str:
        """The home of its first axis."""
        return _bare(self.axes[0])

    def synapses(self, plan: Plan) -> Synapses:
        """The synapses of a plan that it lies on."""
        found: Synapses = getattr(plan, self.lies_on if self.lies_on in SYNAPTIC else "recurrent")
        return found

    def shape(self, plan: Plan) -> tuple[int, ...]:
        """Its shape over a plan.

        Raises:
            ValueError: an axis is free: the plan does not say how long it is.
        """
        return tuple(axis_length(axis, plan) for axis in self.axes)


Declared: TypeAlias = "Mapping[str, Parameter | Axis | tuple[Axis, ...]]"


def as_parameters(given: Declared) -> dict[str, Parameter]:
    """A declaration in which homes stand for parameters that need nothing else."""
    return {name: p if isinstance(p, Parameter) else Parameter(p) for name, p in given.items()}


def _bare(axis: Axis) -> str:
    return axis if isinstance(axis, str) else axis.home


def axis_length(axis: Axis, plan: Plan) -> int:
    """How many entries an axis has over a plan."""
    if isinstance(axis, Repeated):
        return axis.times * axis_length(axis.home, plan)
    if isinstance(axis, Grouped):
        return len(axis.groups)
    lengths = {
        "recurrent": len(plan.recurrent),
        "sensory": len(plan.sensory),
        "electrical": len(plan.electrical),
        "neuron": plan.n_neurons,
        "sensor": plan.n_inputs,
        "motor": plan.n_outputs,
    }
    if axis not in lengths:
        raise ValueError("a plan does not say how long an axis is that is free")
    return lengths[axis]


# Where parameters start.


def uniform(low: float, high: float) -> Start:
    """Numbers uniform in [low, high)."""
    return lambda draws, place: draws.uniform(low, high, *place.shape)


def constant(value: float) -> Start:
    """The same number everywhere."""
    return lambda _, place: mx.full(place.shape, value)


def from_polarity(_: Draws, place: Place) -> mx.array:
    """+1 or -1, as the synapses are."""
    return signs(place.synapses.polarity)


def glorot(draws: Draws, place: Place) -> mx.array:
    """Numbers uniform in +-sqrt(3 / k), where k is what the synapses of a neuron are rounded up to.

    It is Glorot's range where all neurons have k synapses in and out. In a circuit, k is 2^4.5, about 23, or,
    where its neurons have more than that on average, 2^6.5, 2^8.5 and so on; of a neuron with more than 2 k
    synapses, it is its own number that is rounded up so. Currents start at about the same scale whatever the
    circuit's density, and activity does not grow by itself in a cell without limits. An edit hardly moves
    the average, and leaves the range of all other synapses as it was. By exact numbers, those that a new
    neuron reaches would start with other weights.

    Source: after Glorot and Bengio, AISTATS 2010, equation 16.
    """
    plan, post = place.plan, place.synapses.post
    own = np.diff(plan.recurrent.ptr) + np.diff(plan.sensory.ptr)
    usual = _coarse(own.mean())
    if (own <= 2 * usual).all():
        limit = np.sqrt(3.0 / usual)
    else:
        limit = np.sqrt(3.0 / np.where(own > 2 * usual, _coarse(own), usual))[post]
    ends: NDArray[np.float32] = np.asarray(limit, np.float32)
    return draws.uniform(-ends, ends, *place.shape)


def _coarse(count: Any) -> Any:
    """Numbers of synapses, rounded up to 2^4.5, 2^6.5, 2^8.5 and so on."""
    steps = np.ceil((np.log2(np.maximum(count, 1.0)) - 4.5) / 2)
    return 2.0 ** (4.5 + 2 * np.maximum(steps, 0))


def signed_glorot(draws: Draws, place: Place) -> mx.array:
    """The same, with the signs of the synapses."""
    return mx.abs(glorot(draws, place)) * signs(place.synapses.polarity)


# What follows from a declaration.


def fresh(
    declared: Mapping[str, Parameter], plans: Mapping[str, Plan], streams: Streams
) -> dict[str, mx.array]:
    """Fresh values of all parameters that say where they start."""
    found = {}
    for name, p in declared.items():
        if p.start is not None:
            plan = plans[p.part]
            place = Place(p.shape(plan), plan, p.lies_on)
            found[name] = p.start(streams.of(name, p), place)
    return found


class Streams:
    """The draws of each parameter, by its name and the names of what it lies on.

    Those of `groups`, by parameter, are drawn by what their entries have in common.
    """

    def __init__(
        self, plans: Mapping[str, Plan], draws: Draws, groups: Mapping[str, Groups] | None = None
    ) -> None:
        self._entries, self._draws, self._groups = Entries(plans), draws, groups or {}

    def of(self, name: str, p: Parameter) -> Draws:
        """Those of one parameter, from the first on."""
        own = self._groups.get(name)
        return self._draws.of(name, self._entries.words(p) if own is None else own.words[own.owner])


class Entries:
    """The words of what parameters lie on, made once for all of them; see `keys`.

    A neuron's are of its name, a synapse's of the names of pre and post, those of an electrical synapse in
    either order.
    """

    def __init__(self, plans: Mapping[str, Plan]) -> None:
        self._plans, self._known = plans, dict[tuple[str, str], Words]()

    def words(self, p: Parameter) -> Words:
        """The words of a parameter's entries, in its shape."""
        axes = [self._axis(axis, p.part) for axis in p.axes]
        return reduce(grid, axes[1:], axes[0])

    def _axis(self, axis: Axis, part: str) -> Words:
        if isinstance(axis, Repeated):
            inner = self._axis(axis.home, part)
            return grid(numbered(axis.times), inner).reshape(-1)
        if isinstance(axis, Grouped):
            return axis.groups.words
        if (part, axis) not in self._known:
            self._known[part, axis] = _words(axis, self._plans[part])
        return self._known[part, axis]


def _words(home: str, plan: Plan) -> Words:
    neurons, sensors = words_of(plan.neurons), words_of(plan.sensors)
    if home in SYNAPTIC:
        synapses: Synapses = getattr(plan, home)
        if home == "electrical":
            return of_either_order(neurons[synapses.pre], neurons[synapses.post])
        return between(sensors if home == "sensory" else neurons, synapses.pre, neurons, synapses.post)
    return {"neuron": neurons, "sensor": sensors, "motor": neurons[: plan.n_outputs]}[home]


@dataclass(frozen=True)
class Rule:
    """What a parameter has to keep.

    Attributes:
        sign: +1, -1 or 0 (any) for each of its entries, or None for any sign.
        softened: whether the equation uses its softplus.
        clipped: whether it is put back to zero when it is negative.
    """

    sign: mx.array | None
    softened: bool
    clipped: bool

    @property
    def shapes(self) -> bool:
        """Whether the equation uses something else than the parameter's values."""
        return self.softened or self.sign is not None

    def effective(self, value: mx.array) -> mx.array:
        """The parameter as the equation uses it."""
        if self.softened:
            found: mx.array = nn.softplus(value)
            return found
        return value if self.sign is None else held(value, self.sign)

    def constrained(self, value: mx.array) -> mx.array:
        """A parameter that an optimizer has moved, back in its range and on its side of zero."""
        if self.sign is not None:
            value = value - beyond(value, self.sign)
        return mx.maximum(value, 0.0) if self.clipped else value


def rule_of(p: Parameter, sign: mx.array | None, positive: str) -> Rule | None:
    """What a parameter has to keep, if it is anything, with the sign that it is held to."""
    if sign is None and not p.non_negative:
        return None
    softened = p.non_negative and positive == "softplus"
    return Rule(sign, softened, p.non_negative and not softened)
