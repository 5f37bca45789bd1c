"""Equations in float64 NumPy, straight from their text: the reference for every engine.

Nothing here is shared with the engines but Python's parser: sums go over lists of synapses, and what is
linear in a state comes from arithmetic with numbers ``a + b v``, see `lines.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mlx.core as mx
import numpy as np

from ...compile import Plan
from ..calls import step_call
from ..overlay import overlay_of
from ..strengths import as_floats
from ..timing import parts_of
from .declaration import Declaration
from .delays import Delays
from .lines import Floats, Line, Names, growth, in_floats, known, plus, total_of, value_of
from .noise import counted, numbered, numbers, places
from .parsing import Sides, Text, sides, tree


def spans_of(given: Any, shape: tuple[int, int]) -> Floats:
    """(B, T) time spans of a scalar, (T,) or (B, T).

    Raises:
        ValueError: another shape, or a time span that is negative or not finite.
    """
    spans = np.asarray(given, np.float64)
    if spans.shape not in ((), shape[1:], shape):
        raise ValueError(f"timespans have shape {spans.shape}: expected a number, {shape[1:]} or {shape}")
    if not (np.isfinite(spans).all() and (spans >= 0).all()):
        raise ValueError("a time span is negative or not finite: expected finite numbers of at least 0")
    return np.broadcast_to(spans, shape)


def referred(cell: Any, x: Any, state: Any, timespans: Any) -> tuple[Floats, Any]:
    """What `Reference` makes of a cell's sequences, as the cell's `reference` says."""
    if overlay_of(cell) is not None:
        raise ValueError(
            f"this {type(cell).__name__} is perturbed: the reference has its equations alone, and no "
            "neurons that are held or inputs that are changed"
        )
    values = np.asarray(x, np.float64)
    if values.ndim != 3 or values.shape[-1] != cell.n_inputs:
        raise ValueError(f"x has shape {values.shape}: expected (batch, time, {cell.n_inputs}) inputs")
    step_call(mx.array(values[:, 0].astype(np.float32)), state, 1.0, cell.n_inputs, cell.state_shapes)
    given = state if isinstance(state, tuple) else (state,) * len(cell.state_shapes)
    pairs = zip(given, cell.state_shapes, strict=True)
    states = [np.zeros((len(values), *s)) if v is None else np.asarray(v, np.float64) for v, s in pairs]
    scale = cell.time_scale or 1.0
    spans = spans_of(scale if timespans is None else timespans, values.shape[:2]) / scale
    longest = cell.longest_part
    parts = np.ones(spans.shape, np.int32) if longest is None else parts_of(spans, longest)
    p = {key: as_floats(value) for key, value in cell.effective().items()}
    solver, unfolds = cell.steps_with
    reference = Reference(cell.model.declaration, cell.compiled.plan, p, cell.seed or 0, cell._delays)
    outputs, last = reference.run(values, spans, states, solver, unfolds, parts)
    return outputs, last[0] if len(last) == 1 else tuple(last)


class Reference:
    """The equations of a declaration over a plan, with parameters as they use them, (E,), (S,) and so on."""

    def __init__(
        self,
        declaration: Declaration,
        plan: Plan,
        parameters: Mapping[str, Floats],
        seed: int = 0,
        delays: Delays | None = None,
    ) -> None:
        self.declaration, self.plan, self.parameters, self.seed = declaration, plan, parameters, seed
        self.delays, self.past = delays, list[Floats]()
        self.continuous = bool(declaration.dynamics)
        word = "dynamics" if self.continuous else "update"
        texts = [declaration.text(word, k) for k in range(len(getattr(declaration, word)))]
        self.sides = [sides(text, derivative=self.continuous) for text in texts]
        self.synapses = {kind: self._synapse_sides(kind) for kind in ("recurrent", "sensory")}

    def _synapse_sides(self, kind: str) -> list[tuple[Sides, bool]]:
        """The equations of the states of synapses, and whether they are of sensory ones alone."""
        d, found = self.declaration, dict[str, tuple[Sides, bool]]()
        for word in ("synapse_states", *(["sensory_states"] if kind == "sensory" else [])):
            for k in range(len(getattr(d, word))):
                side = sides(d.text(word, k), derivative=self.continuous)
                found[side.state] = side, word == "sensory_states"
        return list(found.values())

    def run(
        self, x: Floats, spans: Floats, states: list[Floats], solver: str, unfolds: int, parts: Any
    ) -> tuple[Floats, list[Floats]]:
        """Outputs (B, T, M) and the last states, of inputs (B, T, I) and time spans (B, T) of some parts."""
        outputs, noisy = [], bool(self.declaration.noise)
        states = [*states[:-1], numbered(states[-1])] if noisy else states
        for t in range(x.shape[1]):
            shown, each = self.encoded(x[:, t]), parts[:, t, None]
            for p in range(int(each.max())):
                new = self.part(shown, states, spans[:, t, None] / each, solver, unfolds)
                states = [np.where(p < each, after, old) for after, old in zip(new, states, strict=True)]
            outputs.append(self.decoded(states[0]))
        return np.stack(outputs, axis=1), states

    def part(
        self, shown: Floats, states: list[Floats], span: Floats, solver: str, unfolds: int
    ) -> list[Floats]:
        """All states after a part of a sample's time span; the whole span for most."""
        many = len(self.sides) + sum(map(len, self.synapses.values()))
        noise = states[-1] if self.declaration.noise else None
        own = states if noise is None else states[:-1]
        own, self.past = own[:many], own[many:]
        past = self.shifted(own, shown)
        found = [*self.sample(shown, own, span, solver, unfolds, noise), *past]
        return found if noise is None else [*found, counted(noise)]

    def shifted(self, states: list[Floats], x: Floats) -> list[Floats]:
        """What delays keep, after one more sample."""
        if self.delays is None:
            return []
        now = [*(states[: len(self.sides)] if self.delays.depth("recurrent") else []), x]
        found = []
        for source, past in zip(now, self.past, strict=False):
            before = past.reshape(*source.shape, -1)[..., :-1]
            found.append(np.concatenate([source[..., None], before], axis=-1).reshape(len(x), -1))
        return found

    def sample(
        self, x: Floats, states: list[Floats], span: Floats, solver: str, unfolds: int, noise: Floats | None
    ) -> list[Floats]:
        """The states (B, N), and those of synapses, after one sample."""
        if not self.continuous:
            kicks = self.kicks(x, states, span, noise, 0, 1)
            new = [*map(total_of, self.rights(x, states, span), kicks), *self.of_synapses(x, states, span)]
            found = [np.broadcast_to(f, state.shape) for f, state in zip(new, states, strict=True)]
            return self.clipped(found)
        before, dt = states, span / unfolds
        for u in range(unfolds):
            kicks = [np.sqrt(dt) * kick for kick in self.kicks(x, states, 0.0, noise, u, unfolds)]
            if solver == "rk4":
                new = self.rk4(x, states, dt)
                states = [*map(total_of, new, kicks), *new[len(kicks) :]]
            else:
                states = self.one(x, states, dt, solver, kicks)
            states = self.clipped(states)
        return [np.where(span < 1e-30, old, new) for old, new in zip(before, states, strict=True)]

    def clipped(self, states: list[Floats]) -> list[Floats]:
        """States of which those of neurons are within their limit."""
        most, many = self.declaration.clip, len(self.sides)
        if most is None:
            return states
        return [*(np.clip(state, -most, most) for state in states[:many]), *states[many:]]

    def kicks(
        self, x: Floats, states: list[Floats], span: Any, noise: Floats | None, unfold: int, unfolds: int
    ) -> list[Any]:
        """The strength of each state's noise times a normal number."""
        d, found, many = self.declaration, list[Any](), len(self.sides)
        names = self.names(x, states, span, None)
        for k, side in enumerate(self.sides):
            if side.state in d.noise and noise is not None:
                strength = known(value_of(tree(d.text("noise", side.state)), names))
                own, draw = places(self.plan.neurons), unfold * many + k
                found.append(strength * numbers(self.seed, noise, own, draw, unfolds * many).astype(float))
            else:
                found.append(0.0)
        return found

    def one(self, x: Floats, states: list[Floats], dt: Floats, solver: str, kicks: list[Any]) -> list[Floats]:
        """One step of a solver that looks at the derivative once."""
        masses, many = self.masses(x, states), len(self.sides)
        rights = [self.rights(x, states, 0.0, linear=k)[k] for k in range(many)]
        rights += self.of_synapses(x, states, 0.0, linear=True)
        found, kicks = [], kicks + [0.0] * (len(states) - many)
        for v, right, mass, kick in zip(states, rights, masses, kicks, strict=True):
            line = right if isinstance(right, Line) else Line(right, 0.0, v)
            z = dt * line.b / mass
            if solver == "semi_implicit":
                found.append((mass * (v + kick) + dt * line.a) / (mass - dt * line.b))
            elif solver == "exponential":
                spread = np.sqrt(growth(2.0 * z))
                found.append(v + dt * line.value / mass * growth(z) + kick * spread)
            else:
                found.append(v + dt * line.value / mass + kick)
        return found

    def rk4(self, x: Floats, states: list[Floats], dt: Floats) -> list[Floats]:
        """One step of the classical method of Runge and Kutta."""

        def rates(by: float, slopes: list[Floats] | None) -> list[Floats]:
            there = states if slopes is None else [
                v + by * dt * k for v, k in zip(states, slopes, strict=True)
            ]  # fmt: skip
            rights = [*self.rights(x, there, 0.0), *self.of_synapses(x, there, 0.0)]
            return [right / mass for right, mass in zip(rights, self.masses(x, there), strict=True)]

        k1 = rates(0.0, None)
        k2 = rates(0.5, k1)
        k3 = rates(0.5, k2)
        k4 = rates(1.0, k3)
        return [
            v + dt / 6 * (a + 2 * b + 2 * c + d) for v, a, b, c, d in zip(states, k1, k2, k3, k4, strict=True)
        ]

    def rights(self, x: Floats, states: list[Floats], span: Any, linear: int | None = None) -> list[Any]:
        """The right-hand sides; with `linear`, as lines in the new value of that state."""
        names = self.names(x, states, span, linear)
        return [value_of(tree(side.right), names) for side in self.sides]

    def masses(self, x: Floats, states: list[Floats]) -> list[Any]:
        """What stands before the derivatives."""
        names = self.names(x, states, 0.0, None)
        found = [1.0 if s.mass is None else known(value_of(tree(s.mass), names)) for s in self.sides]
        for kind, given in self.synapses.items():
            at = self.at_synapses(kind, names, x, states)
            found += [1.0 if s.mass is None else known(value_of(tree(s.mass), at)) for s, _ in given]
        return found

    def of_synapses(self, x: Floats, states: list[Floats], span: Any, *, linear: bool = False) -> list[Any]:
        """The right-hand sides of the states of synapses; with `linear`, as lines in their new values."""
        names, found = self.names(x, states, span, None), list[Any]()
        for kind, given in self.synapses.items():
            for side, _ in given:
                at = self.at_synapses(kind, names, x, states, side.state if linear else None)
                found.append(value_of(tree(side.right), at))
        return found

    def at_synapses(
        self, kind: str, named: Names, x: Floats, states: list[Floats], linear: str | None = None
    ) -> Names:
        """What names stand for at the synapses of a kind, (E,) or (B, E)."""
        ends, many = getattr(self.plan, kind), len(self.sides)
        pre, post, prefix = ends.pre, ends.post, "sensory_" if kind == "sensory" else ""
        home = "electrical" if kind == "electrical" else "synapse"
        where = np.arange(len(pre))
        if kind == "electrical":  # both ways
            pre, post = np.concatenate([pre, post]), np.concatenate([post, pre])
            where = np.concatenate([where, where])
        own = {key for key, q in self.declaration.parameters.items() if q.home == home}
        start = many + len(self.synapses["recurrent"]) * (kind == "sensory")
        held = {side.state: states[start + k] for k, (side, _) in enumerate(self.synapses.get(kind, []))}

        def onto(value: Any) -> Any:
            return np.broadcast_to(value, (len(x), ends.n_post))[:, post]

        def at(key: str) -> Any:
            if key in self.declaration.functions:
                return named(key)
            if key in own:
                return self.parameters[prefix + key][where]
            if key in held:
                return Line(0.0, 1.0, held[key]) if key == linear else held[key]
            shown = x if kind == "sensory" and (key == "x" or key.endswith("_pre")) else None
            if shown is not None or key.endswith("_pre"):
                delays = None if self.delays is None else self.delays.of(kind)
                if delays is not None:
                    return self.delayed(kind, key.removesuffix("_pre"), named, x, delays)[
                        np.arange(len(x))[:, None], delays, pre
                    ]
            if shown is not None:
                return shown[:, pre]
            if key.endswith("_pre"):
                return np.broadcast_to(known(named(key[:-4])), (len(x), ends.n_post))[:, pre]
            value = named(key)
            if isinstance(value, Line):
                return Line(onto(value.a), onto(value.b), onto(value.at))
            return value if key == "timespan" else onto(value)

        return at

    def names(self, x: Floats, states: list[Floats], span: Any, linear: int | None) -> Names:
        """What names of neurons stand for."""
        d = self.declaration
        values: dict[str, Any] = {side.state: v for side, v in zip(self.sides, states, strict=False)}
        if linear is not None:
            v = states[linear]
            values[self.sides[linear].state] = Line(0.0, 1.0, v)
        values["timespan"] = span

        def named(key: str) -> Any:
            if key in d.functions:
                return in_floats(d.functions[key])
            if key not in values:
                if key in d.let:
                    values[key] = value_of(tree(d.text("let", key)), named)
                elif key in d.synapse:
                    own = "sensory" if key in d.sensory else "synapse"
                    recurrent = self.total("recurrent", d.synapse[key], named, x, states, linear)
                    values[key] = plus(
                        recurrent, self.total("sensory", getattr(d, own)[key], named, x, states, linear)
                    )
                elif key in d.electrical:
                    values[key] = self.total("electrical", d.electrical[key], named, x, states, linear)
                else:
                    values[key] = self.parameters[key]
            return values[key]

        return named

    def delayed(self, kind: str, key: str, named: Names, x: Floats, delays: Any) -> Floats:
        """(B, 1 + depth, n) what sources show now, and 1, 2 and so on samples ago."""
        many, depth = len(self.sides), int(delays.max())
        if kind == "sensory":
            before = self.past[-1].reshape(*x.shape, depth)
            return np.concatenate([x[:, None], before.transpose(0, 2, 1)], axis=1)
        shape = len(x), self.plan.n_neurons
        found = [np.broadcast_to(known(named(key)), shape)]
        for d in range(depth):
            then = [past.reshape(*shape, depth)[..., d] for past in self.past[:many]]
            found.append(np.broadcast_to(self.names(x, then, 0.0, None)(key), shape))
        return np.stack(found, axis=1)

    def total(
        self, kind: str, text: str, named: Names, x: Floats, states: list[Floats], linear: int | None
    ) -> Any:
        """A sum over the synapses of a kind onto each neuron (B, N)."""
        ends = getattr(self.plan, kind)
        if not len(ends):  # there may be no parameters of such synapses
            return np.zeros((len(x), ends.n_post))
        post = ends.post if kind != "electrical" else np.concatenate([ends.post, ends.pre])
        brought = value_of(tree(Text(kind, text)), self.at_synapses(kind, named, x, states))

        def summed(values: Any) -> Floats:
            total = np.zeros((len(x), ends.n_post))
            np.add.at(total.T, post, np.broadcast_to(values, (len(x), len(post))).T)
            return total

        if isinstance(brought, Line):
            assert linear is not None
            return Line(summed(brought.a), summed(brought.b), states[linear])
        return summed(brought)

    def encoded(self, x: Floats) -> Floats:
        """What sensors make of samples."""
        if self.declaration.inputs is None:
            return x
        text = tree(self.declaration.text("inputs"))
        found = value_of(text, lambda key: x if key == "x" else self.parameters[key])
        return np.asarray(np.broadcast_to(found, x.shape))

    def decoded(self, v: Floats) -> Floats:
        """What motor neurons make of states."""
        motors = self.plan.n_outputs
        if self.declaration.outputs is None:
            return v[..., :motors]
        names = self.names(v, [v] * len(self.sides), 0.0, None)
        found = value_of(
            tree(self.declaration.text("outputs")), lambda key: np.asarray(names(key))[..., :motors]
        )
        return np.asarray(np.broadcast_to(found, (*v.shape[:-1], motors)))
