"""Equations as mathematics: states and their new values, sums over synapses, and what these are of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..parameters import Parameter
from .algebra import growth, linear_in
from .declaration import Declaration
from .expression import HELD, ZERO, Expression, add, call, divide, in_order, multiply, name, number

SPAN, STEP, SAMPLE = name("span", "timespan"), name("step", "dt"), name("input", "x")


@dataclass(frozen=True)
class Total:
    """One sum over the synapses onto each neuron.

    Attributes:
        kind: which synapses: "recurrent", "sensory" or "electrical".
        name: of the symbol that stands for it.
        of: what is summed, of parameters of the synapses and what their sources show.
        constant: whether it does not change within a sample.
    """

    kind: str
    name: str
    of: Expression
    constant: bool = False

    @property
    def symbol(self) -> Expression:
        """What stands for it in equations: a "drive" if it is constant, else a "total"."""
        return name("drive" if self.constant else "total", self.name)


@dataclass(frozen=True)
class Side:
    """An equation for a state: m and f of m dv/dt = f; m is 1 and f the new value in an update."""

    mass: Expression
    right: Expression


@dataclass(frozen=True, eq=False)
class Model:
    """The equations of a class.

    Attributes:
        declaration: what they were read from.
        states: names; the first one is what neurons show.
        parameters: by name, those of sensory synapses included.
        totals: sums over synapses, by the name of their symbol.
        sources: what neurons show besides states, by name: parts that synapses read.
        masses, rights: for each state, m and f of m dv/dt = f; no masses for updates.
        noise: for each state, how strong its noise is.
        synaptic: names of the states that each synapse has.
        synapses: their equations, by the kind of synapse.
        encoded: what a sensor makes of a sample; None if nothing.
        decoded: what a motor neuron makes of its state; None if nothing.
    """

    declaration: Declaration
    states: tuple[str, ...]
    parameters: dict[str, Parameter]
    totals: dict[str, Total]
    sources: dict[str, Expression]
    masses: tuple[Expression, ...]
    rights: tuple[Expression, ...]
    noise: tuple[Expression, ...]
    synaptic: tuple[str, ...]
    synapses: dict[str, tuple[Side, ...]]
    encoded: Expression | None
    decoded: Expression | None

    @property
    def continuous(self) -> bool:
        """Whether states follow differential equations, and are not updated once per sample."""
        return bool(self.masses)

    @property
    def timed(self) -> bool:
        """Whether a sample's time span changes anything."""
        return self.continuous or SPAN in in_order(self.expressions())

    def expressions(self) -> list[Expression]:
        """All expressions of the model."""
        mapped = [part for part in (self.encoded, self.decoded) if part is not None]
        sums = [total.of for total in self.totals.values()]
        own = [part for kind in self.synapses.values() for side in kind for part in (side.mass, side.right)]
        return [*sums, *self.sources.values(), *self.masses, *self.rights, *self.noise, *own, *mapped]

    def rates(self) -> tuple[Expression, ...]:
        """The derivative of each state."""
        return tuple(divide(right, mass) for mass, right in zip(self.masses, self.rights, strict=True))

    def step(self, solver: str) -> tuple[Expression, ...]:
        """The new value of each state after one step of a solver that asks for sums once."""
        kicks = self.kicks()
        if not self.continuous:
            new = [add(right, kick) for right, kick in zip(self.rights, kicks, strict=True)]
        else:
            parts = zip(self.states, self.masses, self.rights, kicks, strict=True)
            new = [_stepped(solver, name("state", v), *rest) for v, *rest in parts]
        return tuple(map(self.clipped, new))

    def clipped(self, value: Expression) -> Expression:
        """A state within its limit."""
        most = self.declaration.clip
        return value if most is None else call("max", call("min", value, number(most)), number(-most))

    def synapse_step(self, kind: str, solver: str) -> tuple[Expression, ...]:
        """The same for each state of a synapse."""
        sides = self.synapses.get(kind, ())
        if not self.continuous or not sides:
            return tuple(side.right for side in sides)
        return tuple(
            _stepped(solver, name(HELD[kind], key), side.mass, side.right, ZERO)
            for key, side in zip(self.synaptic, sides, strict=True)
        )

    def synapse_rates(self, kind: str) -> tuple[Expression, ...]:
        """The derivative of each state of a synapse."""
        return tuple(divide(side.right, side.mass) for side in self.synapses.get(kind, ()))

    def kicks(self) -> tuple[Expression, ...]:
        """What the noise of a step adds to each state, where nothing pulls it back meanwhile."""
        wide = call("sqrt", STEP) if self.continuous else number(1.0)
        return tuple(
            multiply(strength, wide, name("noise", state))
            for state, strength in zip(self.states, self.noise, strict=True)
        )

    @cached_property
    def noisy(self) -> tuple[str, ...]:
        """The states that have noise."""
        return tuple(v for v, strength in zip(self.states, self.noise, strict=True) if strength is not ZERO)


def _stepped(solver: str, v: Expression, mass: Expression, right: Expression, kick: Expression) -> Expression:
    if solver == "euler":
        return add(v, divide(multiply(STEP, right), mass), kick)
    linear = linear_in(right, v)
    if solver == "semi_implicit":
        above = add(multiply(mass, v), multiply(STEP, linear.rest), multiply(mass, kick))
        return divide(above, add(mass, -multiply(STEP, linear.slope)))
    z = divide(multiply(STEP, linear.slope), mass)
    if kick is not ZERO:  # the deviation of what a leak has left of it at the end of the step
        kick = multiply(kick, call("sqrt", growth(multiply(number(2.0), z))))
    return add(v, multiply(divide(multiply(STEP, right), mass), growth(z)), kick)
