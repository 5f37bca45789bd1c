"""What a fused kernel of a model computes, cut into what synapses, neurons, sensors and motor neurons do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from ...errors import KernelError
from .emission import lowered
from .expression import HELD, SOURCES, ZERO, Expression, Symbol, in_order, name, rebuilt, substituted
from .folding import LINEAR, Folded, folded
from .functions import ALL
from .model import SAMPLE, Model, Total

HOMES = frozenset({"recurrent", "sensory", "electrical", "neuron", "sensor", "motor"})
KINDS = ("recurrent", "electrical", "sensory")
NEURONS = frozenset({"neuron", "state", "step", "span"})


@dataclass
class Synapses:
    """The sums over the synapses of one kind.

    Attributes:
        kind: which synapses.
        totals: the symbols of the sums.
        folded: what each synapse brings, and behind that what its states become.
        shown: the names of what its source shows, and how that follows from the source's state or sample.
        states: the symbols of states that each synapse has.
        posts: the names of what its neuron has by itself, and how that follows from the neuron's states.
    """

    kind: str
    totals: list[Expression]
    folded: Folded
    shown: dict[Expression, Expression] = field(default_factory=dict)
    states: list[Expression] = field(default_factory=list)
    posts: dict[Expression, Expression] = field(default_factory=dict)

    @property
    def product(self) -> tuple[int, Expression] | None:
        """Which folded weight its synapses multiply by what their source shows, if that is all they do."""
        brings = self.folded.of[0]
        weight = [k for k in range(len(self.folded.parts)) if Folded.symbol(k) in brings.inputs]
        shown = [part for part in brings.inputs if part in self.shown]
        whole = brings.op == "*" and len(brings.inputs) == 2 and weight and shown
        return (weight[0], shown[0]) if whole else None


@dataclass
class Shape:
    """The parts of a kernel.

    Attributes:
        model: the equations.
        new: the new value of each state.
        synapses: the sums by kind, for the kinds that there are.
        decoded: what a motor neuron shows; None for its state.
        encoded: what a sensor makes of a sample.
        given: costly parts of parameters alone, by name, which a kernel takes as it takes parameters.
    """

    model: Model
    new: list[Expression]
    synapses: dict[str, Synapses]
    decoded: Expression | None
    encoded: Expression
    given: dict[str, Expression]

    @classmethod
    def of(cls, model: Model, solver: str, *, coupled: bool, all_states: bool) -> Shape:
        """The parts of a model's kernel, for circuits that have electrical synapses or have none.

        Raises:
            KernelError: there is none for the solver, or for sums of sums.
        """
        if solver == "rk4":
            raise KernelError(f"the fused kernel has no solver {solver!r}")
        own = {part.value for part in in_order(model.expressions()) if part.op == "own"}
        if own:
            keys = [key for key, function in model.declaration.functions.items() if function in own]
            raise KernelError(f"the fused kernel has no function {keys[0]!r} of {model.declaration.owner}")
        for key, source in model.sources.items():
            if source.kinds & {"total", "drive", "span"}:
                raise KernelError(
                    f"the fused kernel has no sums of sums, and {key}_pre of {model.declaration.owner} is one"
                )
        given = _Given()
        synapses: dict[str, Synapses] = {}
        nothing: dict[Expression, Expression] = {}
        for kind in KINDS:
            totals = [total for total in model.totals.values() if total.kind == kind]
            if kind == "electrical" and not coupled:
                nothing = {total.symbol: ZERO for total in totals}
            elif totals or kind in model.synapses:
                synapses[kind] = _synapses(model, kind, totals, solver, given)
        decoded = None if all_states or model.decoded is None else given.lowered(model.decoded)
        encoded = SAMPLE if model.encoded is None else given.lowered(model.encoded)
        new = [given.lowered(substituted(part, nothing)) for part in model.step(solver)]
        return cls(model, new, synapses, decoded, encoded, given.parts)

    def used(self, kind: str) -> list[str]:
        """The parameters of a kind that the kernel reads, in the order of their declaration."""
        return [key for key in (*self.model.parameters, *self.given) if (kind, key) in self._read]

    def home(self, key: str) -> str:
        """What a value that the kernel takes lies on."""
        if key in self.given:
            (kind,) = self.given[key].kinds
            return kind
        return self.model.parameters[key].lies_on

    @property
    def linear(self) -> bool:
        """Whether what a synapse costs is a product, or some, as what its source shows is computed once."""
        parts = [of for kind in self.synapses if kind != "sensory" for of in self.synapses[kind].folded.of]
        return all(part.op in LINEAR for part in in_order(parts))

    @cached_property
    def _read(self) -> set[Symbol]:
        """All names in the kernel."""
        parts = [*self.new, self.encoded, *([] if self.decoded is None else [self.decoded])]
        for each in self.synapses.values():
            parts += [*each.folded.parts, *each.folded.of, *each.shown.values(), *each.posts.values()]
        return {part.symbol for part in in_order(parts) if part.op == "name"}

    def values(self) -> list[str]:
        """All parameters, and parts of them, that the kernel reads, in its order."""
        kinds = ("recurrent", "sensory", "electrical", "neuron", "sensor", "motor")
        return [key for kind in kinds for key in self.used(kind)]


class _Given:
    """What kernels take for costly parts of parameters, which are computed once for all steps and rows."""

    def __init__(self) -> None:
        self.parts: dict[str, Expression] = {}

    def lowered(self, expression: Expression) -> Expression:
        """An expression as kernels have it, in which such parts are names."""

        def of(part: Expression) -> Expression:
            if len(part.kinds) == 1 and part.kinds <= HOMES and _costly(part):
                (kind,) = part.kinds
                key = next((key for key, known in self.parts.items() if known is part), None)
                # A name that no parameter can have.
                key = key or f"of{len(self.parts)}_pre"
                self.parts[key] = part
                return name(kind, key)
            return rebuilt(part, (of(inner) for inner in part.inputs))

        return lowered(of(expression))


def _costly(expression: Expression) -> bool:
    return any(part.op in ALL and ALL[part.op].costly for part in in_order([expression]))


def _synapses(model: Model, kind: str, totals: list[Total], solver: str, given: _Given) -> Synapses:
    states = [name(HELD[kind], key) for key in model.synaptic] if kind in model.synapses else []
    of = [given.lowered(part) for part in (*(t.of for t in totals), *model.synapse_step(kind, solver))]
    shown = {}
    for part in _parts(of, SOURCES):
        key = part.symbol.name
        if part is not SAMPLE:
            state = key in model.states
            shown[part] = name("state", key) if state else given.lowered(model.sources[key])
    of = [_hoisted(part, shown, kind) for part in of]
    symbol = [total.symbol for total in totals]
    kept = _parts(of, SOURCES)
    shown = {part: SAMPLE if part is SAMPLE else shown[part] for part in kept}
    posts: dict[Expression, Expression] = {}
    of = [_of_neurons(part, posts, kind) for part in of]
    return Synapses(kind, symbol, folded(of, kind, numbers=True), shown, states, posts)


def _of_neurons(expression: Expression, posts: dict[Expression, Expression], of_kind: str) -> Expression:
    """An expression in which parts of the neuron that a synapse leads to are names: once per neuron."""

    def of(part: Expression) -> Expression:
        if part.kinds and part.kinds <= NEURONS:
            for known, other in posts.items():
                if other is part:
                    return known
            made = name("post", f"{of_kind} {len(posts)}")
            posts[made] = part
            return made
        return rebuilt(part, (of(inner) for inner in part.inputs))

    return of(expression)


def _parts(wanted: Iterable[Expression], kinds: frozenset[str]) -> list[Expression]:
    return [part for part in in_order(wanted) if part.op == "name" and part.symbol.kind in kinds]


def _hoisted(expression: Expression, shown: dict[Expression, Expression], of_kind: str) -> Expression:
    """An expression in which costly parts of a source alone are names: once per source, not per synapse."""

    def of(part: Expression) -> Expression:
        if part.kinds and part.kinds <= SOURCES and _costly(part):
            (kind,) = part.kinds
            value = substituted(part, shown)
            for known, other in shown.items():
                if other is value:
                    return known
            made = name(kind, f"{of_kind} {len(shown)}")
            shown[made] = value
            return made
        return rebuilt(part, (of(inner) for inner in part.inputs))

    return of(expression)
