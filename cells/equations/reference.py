"""Equations in float64 NumPy, straight from their text: the reference for every engine.

Nothing here is shared with the engines but Python's parser: sums go over lists of synapses, and what is
linear in a state comes from arithmetic with numbers ``a + b v``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ...compile import Plan
from .declaration import Declaration
from .functions import SPIKE_SHARPNESS
from .noise import counted, numbers, places
from .parsing import Sides, Text, sides, tree

Floats: TypeAlias = "NDArray[np.float64]"
Names: TypeAlias = "Callable[[str], Any]"


@dataclass(frozen=True)
class Line:
    """A number ``a + b v``, where v is a new value that is not known yet, and `at` the old one."""

    a: Any
    b: Any
    at: Any

    @property
    def value(self) -> Any:
        """The number where v is the old value."""
        return self.a + self.b * self.at


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos, "tanh": np.tanh,
    "sigmoid": expit, "softplus": lambda x: np.logaddexp(0.0, x), "relu": lambda x: np.maximum(x, 0.0),
    "abs": np.abs, "min": np.minimum, "max": np.maximum,
    "spike": lambda x, sharpness=SPIKE_SHARPNESS: np.where(x > 0, 1.0, 0.0),
}  # fmt: skip
COMPARISONS = {ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal}


def value_of(node: ast.expr, names: Names) -> Any:
    """The value of an equation's tree."""
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return names(node.id)
    if isinstance(node, ast.UnaryOp):
        inner = value_of(node.operand, names)
        return _times(-1.0, inner) if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp):
        return _operation(node, value_of(node.left, names), value_of(node.right, names))
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    if node.func.id == "where":
        test = node.args[0]
        assert isinstance(test, ast.Compare)
        a, b = (_known(value_of(side, names)) for side in (test.left, test.comparators[0]))
        yes, no = (_known(value_of(side, names)) for side in node.args[1:])
        return np.where(COMPARISONS[type(test.ops[0])](a, b), yes, no)
    function = FUNCTIONS.get(node.func.id) or names(node.func.id)
    return function(*(_known(value_of(part, names)) for part in node.args))


def _in_floats(function: Callable[..., mx.array]) -> Callable[..., Floats]:
    """A function of MLX's arrays, of NumPy's; it is computed in float32."""

    def found(*values: Any) -> Floats:
        return np.asarray(function(*(mx.array(np.asarray(v, np.float32)) for v in values)), np.float64)

    return found


def _operation(node: ast.BinOp, left: Any, right: Any) -> Any:
    if isinstance(node.op, ast.Add):
        return _plus(left, right)
    if isinstance(node.op, ast.Sub):
        return _plus(left, _times(-1.0, right))
    if isinstance(node.op, ast.Mult):
        return _times(left, right)
    if isinstance(node.op, ast.Div):
        return _times(_known(left) if isinstance(right, Line) else left, 1.0 / _known(right))
    whole = int(_known(right))
    found: Any = 1.0
    for _ in range(abs(whole)):
        found = _times(found, left)
    return found if whole >= 0 else 1.0 / _known(found)


def _plus(left: Any, right: Any) -> Any:
    if isinstance(left, Line) and isinstance(right, Line):
        return Line(left.a + right.a, left.b + right.b, left.at)
    if isinstance(right, Line):
        left, right = right, left
    return Line(left.a + right, left.b, left.at) if isinstance(left, Line) else left + right


def _times(left: Any, right: Any) -> Any:
    if isinstance(left, Line) and isinstance(right, Line):
        known = left.b * right.b * left.at**2  # a square is no line: it counts as known
        return Line(left.a * right.a + known, left.a * right.b + left.b * right.a, left.at)
    if isinstance(right, Line):
        left, right = right, left
    return Line(left.a * right, left.b * right, left.at) if isinstance(left, Line) else left * right


def _known(value: Any) -> Any:
    return value.value if isinstance(value, Line) else value


def _sum(one: Any, other: Any) -> Any:
    return one + other


def _growth(z: Floats) -> Floats:
    safe = np.where(np.abs(z) < 1e-12, 1.0, z)
    return np.where(np.abs(z) < 1e-12, 1.0, np.expm1(safe) / safe)


class Reference:
    """The equations of a declaration over a plan, with parameters as they use them, (E,), (S,) and so on."""

    def __init__(
        self, declaration: Declaration, plan: Plan, parameters: Mapping[str, Floats], seed: int = 0
    ) -> None:
        self.declaration, self.plan, self.parameters, self.seed = declaration, plan, parameters, seed
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
        self, x: Floats, spans: Floats, states: list[Floats], solver: str, unfolds: int
    ) -> tuple[Floats, list[Floats]]:
        """Outputs (B, T, M) and the last states, of inputs (B, T, I) and time spans (B, T)."""
        outputs, noisy = [], bool(self.declaration.noise)
        for t in range(x.shape[1]):
            noise = states[-1] if noisy else None
            own = states[:-1] if noisy else states
            states = self.sample(self.encoded(x[:, t]), own, spans[:, t, None], solver, unfolds, noise)
            if noise is not None:
                states = [*states, counted(noise)]
            outputs.append(self.decoded(states[0]))
        return np.stack(outputs, axis=1), states

    def sample(
        self, x: Floats, states: list[Floats], span: Floats, solver: str, unfolds: int, noise: Floats | None
    ) -> list[Floats]:
        """The states (B, N), and those of synapses, after one sample."""
        if not self.continuous:
            kicks = self.kicks(x, states, span, noise, 0, 1)
            new = [*map(_sum, self.rights(x, states, span), kicks), *self.of_synapses(x, states, span)]
            found = [np.broadcast_to(f, state.shape) for f, state in zip(new, states, strict=True)]
            return self.clipped(found)
        before, dt = states, span / unfolds
        for u in range(unfolds):
            kicks = [np.sqrt(dt) * kick for kick in self.kicks(x, states, 0.0, noise, u, unfolds)]
            if solver == "rk4":
                new = self.rk4(x, states, dt)
                states = [*map(_sum, new, kicks), *new[len(kicks) :]]
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
                strength = _known(value_of(tree(d.text("noise", side.state)), names))
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
                spread = np.sqrt(_growth(2.0 * z))
                found.append(v + dt * line.value / mass * _growth(z) + kick * spread)
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
        found = [1.0 if s.mass is None else _known(value_of(tree(s.mass), names)) for s in self.sides]
        for kind, given in self.synapses.items():
            at = self.at_synapses(kind, names, x, states)
            found += [1.0 if s.mass is None else _known(value_of(tree(s.mass), at)) for s, _ in given]
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
            if kind == "sensory" and (key == "x" or key.endswith("_pre")):
                return x[:, pre]
            if key.endswith("_pre"):
                return np.broadcast_to(_known(named(key[:-4])), (len(x), ends.n_post))[:, pre]
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
                return _in_floats(d.functions[key])
            if key not in values:
                if key in d.let:
                    values[key] = value_of(tree(d.text("let", key)), named)
                elif key in d.synapse:
                    own = "sensory" if key in d.sensory else "synapse"
                    recurrent = self.total("recurrent", d.synapse[key], named, x, states, linear)
                    values[key] = _plus(
                        recurrent, self.total("sensory", getattr(d, own)[key], named, x, states, linear)
                    )
                elif key in d.electrical:
                    values[key] = self.total("electrical", d.electrical[key], named, x, states, linear)
                else:
                    values[key] = self.parameters[key]
            return values[key]

        return named

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
