"""An equation cell's time step in plain MLX operations, on any layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any, TypeAlias

import mlx.core as mx

from ...compile import CompiledCircuit
from .delays import Delays
from .expression import Expression, in_order, name
from .model import SAMPLE, SPAN, STEP, Model, Total
from .noise import numbers, places
from .summing import Known, Sum, as_array, computed, evaluate, sums_of
from .synaptic import AtSynapses, Kept, Value, Wires

TINY = 1e-30
"""Time spans below it count as 0, in which a state goes nowhere; kernels have the same."""
Arrays: TypeAlias = "tuple[mx.array, ...]"


@dataclass(frozen=True)
class Prepared:
    """What a step needs that depends on parameters alone.

    Attributes:
        known: values of quantities of neurons, and of what is of them alone.
        sums: for each sum over synapses, what computes it, and the names of those it computes at once.
        stays: (N,) which neurons are held; None for none.
        seed: of the noise.
        neurons: their names, by which they have noise.
        wires: the synapses that have states, by their kind.
        delays: of synapses; None for none.
    """

    known: Known
    sums: Mapping[str, tuple[Sum, tuple[str, ...]]]
    stays: mx.array | None
    seed: int
    neurons: tuple[str, ...]
    wires: Mapping[str, Wires]
    delays: Delays | None = None


@dataclass(frozen=True)
class Asked:
    """What is asked for at some states: of neurons, and of synapses by their kind."""

    neurons: tuple[Expression, ...]
    synapses: Mapping[str, tuple[Expression, ...]] = field(default_factory=dict)


def prepared(
    model: Model,
    compiled: CompiledCircuit,
    p: Mapping[str, mx.array],
    stays: mx.array | None,
    seed: int,
    delays: Delays | None,
    kept: Kept,
) -> Prepared:
    """Lay the parameters of a model out over a compiled circuit."""
    known: Known = {}
    for key, parameter in model.parameters.items():
        if parameter.home == "neuron":
            known[name("neuron", key)] = p[key]
    evaluate((part for part in in_order(model.expressions()) if part.kinds == {"neuron"}), known)
    sums: dict[str, tuple[Sum, tuple[str, ...]]] = {}
    wires: dict[str, Wires] = {}
    for kind in model.synapses:
        own = {key: p[key] for key, parameter in model.parameters.items() if parameter.home == kind}
        synapses = getattr(compiled, kind).synapses
        wires[kind] = Wires.of(kind, delays.delayed(kind, synapses) if delays else synapses, own, kept)
    for kind in ("recurrent", "sensory", "electrical"):
        totals = [total for total in model.totals.values() if total.kind == kind]
        if totals and kind not in wires:
            sums |= sums_of(compiled, kind, totals, p, delays)
    return Prepared(known, sums, stays, seed, compiled.plan.neurons, wires, delays)


def step_ops(
    model: Model,
    terms: Prepared,
    x: mx.array,
    states: Arrays,
    timespan: mx.array,
    unfolds: int,
    solver: str,
    noise: mx.array | None = None,
) -> Arrays:
    """One time step of states with encoded inputs (B, I) and a time span (B, 1) or (1, 1).

    `states` are those of neurons (B, N), then those of recurrent synapses (B, E) and of sensory ones (B, S),
    then what delays keep of states of neurons and of sensors, see `Delays`; `noise` is what the noise of each
    row goes on from (B, 8).
    """
    if terms.delays is None:
        return _stepped(model, terms, x, states, timespan, unfolds, solver, noise)
    own = len(model.states) + len(model.synapses) * len(model.synaptic)
    states, past = states[:own], states[own:]
    states_read = model.states if terms.delays.depth("recurrent") else ()
    sources = [name("state", key) for key in states_read]
    now = [*states[: len(sources)], *([x] if len(past) > len(sources) else [])]
    kept = dict(zip([*map(_before, sources), _before(SAMPLE)], past, strict=False))
    later = tuple(map(Delays.shifted, now, past))
    terms = replace(terms, known=terms.known | kept)
    return (*_stepped(model, terms, x, states, timespan, unfolds, solver, noise), *later)


def _before(source: Expression) -> Expression:
    """The name of what a source showed before."""
    return name("past", source.symbol.name)


def _stepped(
    model: Model,
    terms: Prepared,
    x: mx.array,
    states: Arrays,
    timespan: mx.array,
    unfolds: int,
    solver: str,
    noise: mx.array | None,
) -> Arrays:
    """The states of neurons and synapses after a sample."""
    before, states = states, _across(model, terms, states, Wires.entered)
    if not model.continuous:
        known = {**terms.known, SPAN: timespan, SAMPLE: x, **_noise(model, terms, noise, 0, 1)}
        new = _Values(model, terms, known).new(_asked(model, solver), states)
        return _across(model, terms, _held(model, terms, new, states), Wires.left)
    stays = timespan < TINY
    constant = {**terms.known, SAMPLE: x, STEP: mx.where(stays, 1.0, timespan) / unfolds}
    drives = [total.symbol for total in model.totals.values()]
    _Values(model, terms, constant).all(symbol for symbol in drives if "drive" in symbol.kinds)
    wanted = _asked(model, solver)

    def found(v: Arrays) -> Arrays:
        return _Values(model, terms, dict(constant)).new(wanted, v)

    def rates(v: Arrays) -> Arrays:
        return _held(
            model, terms, found(v), (mx.zeros_like(v[0]),) * len(v)
        )  # what is held has none at any stage

    for u in range(unfolds):
        constant |= _noise(model, terms, noise, u, unfolds)
        if solver == "rk4":
            new = _rk4(rates, constant[STEP], states, len(model.states))
            kicks = _Values(model, terms, dict(constant)).new(Asked(model.kicks()), states)
            new = _clipped(model, (*map(mx.add, new, kicks), *new[len(kicks) :]))
        else:
            new = found(states)
        states = _held(model, terms, new, states)
    after = _across(model, terms, states, Wires.left)
    return tuple(mx.where(stays, old, new) for old, new in zip(before, after, strict=True))


def _across(
    model: Model, terms: Prepared, states: Arrays, way: Callable[[Wires, mx.array], mx.array]
) -> Arrays:
    """States of which those of synapses go from the order of the plan to that of wires, or back."""
    many, kinds = len(model.states), [kind for kind in model.synapses for _ in model.synaptic]
    rows = zip(kinds, states[many:], strict=True)
    return (*states[:many], *(way(terms.wires[kind], state) for kind, state in rows))


def _noise(model: Model, terms: Prepared, noise: mx.array | None, unfold: int, unfolds: int) -> Known:
    """The noise of one step of the solver, of those states that have some."""
    if noise is None:
        return {}
    many, own = len(model.states), places(terms.neurons)
    return {
        name("noise", key): numbers(terms.seed, noise, own, unfold * many + k, unfolds * many)
        for k, key in enumerate(model.states)
        if key in model.noisy
    }


@lru_cache(maxsize=64)
def _asked(model: Model, solver: str) -> Asked:
    """What a solver asks for at some states: their derivatives, or what they are after a step."""
    if solver == "rk4":
        return Asked(model.rates(), {kind: model.synapse_rates(kind) for kind in model.synapses})
    return Asked(model.step(solver), {kind: model.synapse_step(kind, solver) for kind in model.synapses})


def _rk4(rates_at: Callable[[Arrays], Arrays], span: mx.array, states: Arrays, neurons: int) -> Arrays:
    """One step of the classical method of Runge and Kutta; the first `neurons` states are of neurons."""
    steps = [span if k < neurons else span.T for k in range(len(states))]  # where the batch comes last

    def rates(by: float, slopes: Arrays) -> Arrays:
        return rates_at(tuple(v + by * dt * k for v, dt, k in zip(states, steps, slopes, strict=True)))

    k1 = rates_at(states)
    k2 = rates(0.5, k1)
    k3 = rates(0.5, k2)
    k4 = rates(1.0, k3)
    return tuple(
        v + dt / 6.0 * (a + 2.0 * (b + c) + d)
        for v, dt, a, b, c, d in zip(states, steps, k1, k2, k3, k4, strict=True)
    )


def _clipped(model: Model, states: Arrays) -> Arrays:
    """States of which those of neurons are within their limit."""
    most, many = model.declaration.clip, len(model.states)
    if most is None:
        return states
    return (*(mx.clip(state, -most, most) for state in states[:many]), *states[many:])


def _held(model: Model, terms: Prepared, new: Arrays, old: Arrays) -> Arrays:
    if terms.stays is None:
        return new
    many = len(model.states)
    pairs = zip(old[:many], new[:many], strict=True)
    return (*(mx.where(terms.stays, before, after) for before, after in pairs), *new[many:])


class _Values:
    """The values of a model's expressions at one time, each computed once."""

    def __init__(self, model: Model, terms: Prepared, known: Known) -> None:
        self.model, self.terms, self.known = model, terms, known
        self.synapses: dict[str, AtSynapses] = {}
        self._extended: dict[Expression, Any] = {}

    def new(self, wanted: Asked, states: Arrays) -> Arrays:
        """Values at some states: (B, N) of neurons, (K, B) of synapses."""
        left = iter(states)
        for key in self.model.states:
            self.known[name("state", key)] = self.known[name("pre", key)] = next(left)
        for kind in self.model.synapses:
            own = {key: next(left) for key in self.model.synaptic}
            self.synapses[kind] = AtSynapses(self.terms.wires[kind], self.shown(kind), self, own)
        found = self.all(wanted.neurons)
        for kind, parts in wanted.synapses.items():
            found += [self.synapses[kind](part, computed) for part in parts]
        return tuple(
            mx.broadcast_to(as_array(value), state.shape)
            for value, state in zip(found, states[: len(found)], strict=True)
        )

    def all(self, wanted: Iterable[Expression]) -> list[Any]:
        return [self(part) for part in wanted]

    def __call__(self, part: Expression) -> Any:
        if part not in self.known:
            if part.op == "number":
                self.known[part] = part.number
            elif part.op == "name":
                self._name(part)
            else:
                self.known[part] = computed(part, map(self, part.inputs))
        return self.known[part]

    def _name(self, part: Expression) -> None:
        key = part.symbol.name
        if part.symbol.kind == "pre":
            self.known[part] = self(self.model.sources[key])
            return
        total = self.model.totals[key]
        if total.kind in self.terms.wires:
            self.known[part] = self._total(total)
            return
        compute, together = self.terms.sums[key]
        for other, value in zip(together, compute(self.shown(total.kind)), strict=True):
            self.known[self.model.totals[other].symbol] = value

    def shown(self, kind: str) -> Value:
        """What gives values of the sources of a kind of synapses: at several times, if these have delays."""
        delays = self.terms.delays
        return self if delays is None or delays.of(kind) is None else partial(self._at_times, kind)

    def _at_times(self, kind: str, part: Expression) -> Any:
        if part not in self._extended:
            self._extended[part] = self._over_time(kind, part)
        return self._extended[part]

    def _over_time(self, kind: str, part: Expression) -> Any:
        if part.op == "number":
            return part.number
        if part.kinds == {"neuron"}:  # which is the same at all times
            value, delays = self(part), self.terms.delays
            assert delays is not None
            return mx.repeat(value, 1 + delays.depth(kind)) if isinstance(value, mx.array) else value
        if part.op != "name":
            return computed(part, [self._at_times(kind, inner) for inner in part.inputs])
        key = part.symbol.name
        if part.symbol.kind == "pre" and key not in self.model.states:
            return self._at_times(kind, self.model.sources[key])
        return Delays.extended(self(part), self.known[_before(part)])

    def _total(self, total: Total) -> Any:
        """A sum over synapses that have states."""
        wires = self.terms.wires[total.kind]
        at = self.synapses.get(total.kind) or AtSynapses(wires, self.shown(total.kind), self, {})
        rows = as_array(at(total.of, computed))
        batch = rows.shape[-1] if rows.ndim else 1
        return wires.summed(mx.broadcast_to(rows, (wires.count, batch)))
