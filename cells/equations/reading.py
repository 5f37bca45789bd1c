"""From a declaration to its mathematics: names are checked, equations read, and sums taken apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from ...arguments import label
from ..parameters import Parameter
from .algebra import separated
from .checking import check_units
from .declaration import Declaration
from .expression import HELD, ONE, SOURCES, SYNAPTIC, ZERO, Expression, add, multiply, name, symbols
from .model import SAMPLE, SPAN, Model, Side, Total
from .parsing import EquationError, Sides, parsed, sides, sound_name

RESERVED = {
    "timespan": "the time span of the sample",
    "x": "what a sensor shows",
    "dt": "the time of derivatives",
}


class Scope(Mapping[str, Expression]):
    """Names that are read when they are first asked for, so that equations may stand in any order."""

    def __init__(self) -> None:
        self._entries: dict[str, Expression | Callable[[], Expression]] = {}
        self._reading: list[str] = []

    def put(self, key: str, value: Expression | Callable[[], Expression]) -> None:
        self._entries[key] = value

    def __getitem__(self, key: str) -> Expression:
        value = self._entries[key]
        if not isinstance(value, Expression):
            if key in self._reading:
                circle = " -> ".join([*self._reading[self._reading.index(key) :], key])
                raise EquationError(f"these equations are of each other: {circle}")
            self._reading.append(key)
            value = self._entries[key] = value()
            self._reading.pop()
        return value

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def model_of(declaration: Declaration) -> Model:
    """The mathematics of a declaration.

    Raises:
        EquationError: an equation that is wrong, with the name and column at fault.
    """
    model = _Reading(declaration).model()
    check_units(declaration)
    return model


class _Reading:
    """Reads one declaration."""

    def __init__(self, declaration: Declaration) -> None:
        self.declaration = d = declaration
        if bool(d.dynamics) == bool(d.update):
            raise EquationError(
                f"{d.owner} has {'both dynamics and' if d.dynamics else 'neither dynamics nor'} update: "
                "expected dynamics = 'dv/dt = ...' or update = 'v = ...'"
            )
        self.word = "dynamics" if d.dynamics else "update"
        texts = [d.text(self.word, k) for k in range(len(getattr(d, self.word)))]
        self.sides = [sides(text, derivative=self.word == "dynamics") for text in texts]
        self.states = tuple(side.state for side in self.sides)
        self.synaptic = self._synaptic()
        self.totals: dict[str, Total] = {}
        self.sources: dict[str, Expression] = {}
        self.parameters = self._parameters()
        self._check_names()
        self.scope = self._scope()

    def model(self) -> Model:
        d = self.declaration
        for key in (*d.synapse, *d.electrical, *d.let):  # all are read, whether or not they are used
            self.scope[key]
        rights = tuple(parsed(side.right, self.scope, self._hints()) for side in self.sides)
        masses = tuple(self._mass(side) for side in self.sides) if self.word == "dynamics" else ()
        return Model(
            d, self.states, self.parameters, self.totals, self.sources, masses, rights,
            self._noise(), tuple(self.synaptic["recurrent"]), self._synapses(), self._encoded(),
            self._decoded(),
        )  # fmt: skip

    def _synaptic(self) -> dict[str, dict[str, tuple[str, Sides]]]:
        """The equations of the states of synapses, with the word of each, by kind of synapse and name."""
        d, found = self.declaration, dict[str, dict[str, tuple[str, Sides]]]()
        for kind, word in (("recurrent", "synapse_states"), ("sensory", "sensory_states")):
            given = found[kind] = dict(found.get("recurrent", {}))
            own = set[str]()
            for k in range(len(getattr(d, word))):
                text = d.text(word, k)
                side = sides(text, derivative=self.word == "dynamics")
                if kind == "sensory" and side.state not in given:
                    names = ", ".join(given) or "none"
                    raise text.error(f"there is no {side.state!r} in synapse_states: there are {names}")
                if side.state in own:
                    raise text.error(f"there are two equations of {side.state!r}")
                own.add(side.state)
                given[side.state] = word, side
        return found

    def _synapses(self) -> dict[str, tuple[Side, ...]]:
        """What the states of synapses become."""
        found = {}
        for kind, given in self.synaptic.items():
            if given:
                found[kind] = tuple(self._synapse_state(kind, word, side) for word, side in given.values())
        return found

    def _synapse_state(self, kind: str, word: str, side: Sides) -> Side:
        scope = self._at_synapses(kind, "sensory" if word == "sensory_states" else "synapse")
        parts = [ONE]
        for text in (side.mass, side.right):
            if text is None:
                continue
            read = parsed(text, scope, self._hints(kind))
            if read.kinds & {"total", "drive"}:
                raise text.error(
                    f"the state {side.state!r} of a synapse is of its source, its neuron and itself, and not "
                    "of sums over synapses"
                )
            parts.append(read)
        if side.mass is not None and parts[1] is ZERO:
            raise side.mass.error("0 times a derivative")
        return Side(parts[-2], parts[-1])

    def _parameters(self) -> dict[str, Parameter]:
        d, found = self.declaration, dict[str, Parameter]()
        for key, quantity in d.parameters.items():
            for each, parameter in quantity.parameters(key).items():
                if each in found:
                    raise EquationError(f"{d.owner}.parameters: there are two of {each!r}")
                found[each] = parameter
        return found

    def _check_names(self) -> None:
        d, taken = self.declaration, dict[str, str]()
        declared = dict.fromkeys(self.parameters, "parameters")
        entries = [*declared.items(), *((state, self.word) for state in self.states)]
        entries += [(key, word) for word in ("synapse", "electrical", "let") for key in getattr(d, word)]
        entries += [(key, "synapse_states") for key in self.synaptic["recurrent"]]
        for key, word in entries:
            sound_name(f"what {d.owner}.{word} declares", key)
            if key in RESERVED:
                raise EquationError(f"{d.owner}.{word}: {key!r} is {RESERVED[key]}: choose another name")
            if key.endswith("_pre"):
                raise EquationError(
                    f"{d.owner}.{word}: {key!r} would be what the source of a synapse has: choose another "
                    "name"
                )
            if key in taken:
                raise EquationError(
                    f"{d.owner}.{word}: {key!r} is declared in {taken[key]} already: choose another name"
                )
            taken[key] = word
            if key in d.functions:
                raise EquationError(
                    f"{d.owner}.{word}: {key!r} is declared in functions already: choose another name"
                )
        for key in d.sensory.keys() - d.synapse.keys():
            raise EquationError(
                f"{d.owner}.sensory: there is no {key!r} in synapse: expected one of {', '.join(d.synapse)}"
            )

    def _scope(self) -> Scope:
        d, scope = self.declaration, Scope()
        for key, quantity in d.parameters.items():
            if quantity.home == "neuron":
                scope.put(key, name("neuron", key))
        for state in self.states:
            scope.put(state, name("state", state))
        if self.word == "update":
            scope.put("timespan", SPAN)
        for key in d.synapse:
            scope.put(key, partial(self._sum, key))
        for key in d.electrical:
            scope.put(key, partial(self._side, "electrical", "electrical", key))
        for key in d.let:
            scope.put(key, partial(self._let, key))
        return scope

    def _let(self, key: str) -> Expression:
        return parsed(self.declaration.text("let", key), self.scope, self._hints())

    def _sum(self, key: str) -> Expression:
        """A sum over recurrent and sensory synapses; with a `sensory` entry, these have one of their own."""
        own = key in self.declaration.sensory
        sensory = self._side("sensory", "sensory" if own else "synapse", key)
        return add(self._side("recurrent", "synapse", key), sensory)

    def _side(self, kind: str, word: str, key: str) -> Expression:
        """A sum over the synapses of a kind, as sums of what only synapses know times what neurons know."""
        text = self.declaration.text(word, key)
        read = parsed(text, self._at_synapses(kind, word), self._hints(kind))
        of_synapses = SYNAPTIC | SOURCES | {*HELD.values()}
        # Synapses that have states are computed one by one, and know the time.
        time = set() if self.synaptic["recurrent"] else {"span"}
        of_neurons = frozenset({"neuron", "state", "total", "drive"} | time)
        products = separated(read, of_synapses, of_neurons)
        if products is None:
            raise text.error(
                "a function of both sides of a synapse: what synapses bring is summed before the neuron has "
                "it, so that its own values stand outside of functions: f(a) * b can be summed, not f(a * b)"
            )
        terms = []
        for of, times in products:
            known = next((t for t in self.totals.values() if (t.kind, t.of) == (kind, of)), None)
            constant = kind == "sensory" and not self.synaptic[kind]
            total = known or Total(kind, f"{kind}_{len(self.totals)}", of, constant)
            self.totals[total.name] = total
            terms.append(multiply(total.symbol, times))
        return add(*terms)

    def _at_synapses(self, kind: str, word: str) -> Scope:
        """The names at a synapse: its own, what its source shows, and what its neuron has."""
        d, scope = self.declaration, Scope()
        for key in self.scope:
            scope.put(key, partial(self.scope.__getitem__, key))
        home = "electrical" if kind == "electrical" else "synapse"
        for key, quantity in d.parameters.items():
            if quantity.home == home:
                scope.put(key, name(kind, f"sensory_{key}" if kind == "sensory" else key))
        if kind in HELD:
            for key in self.synaptic[kind]:
                scope.put(key, name(HELD[kind], key))
        if kind == "sensory":
            scope.put("x" if word == "sensory" else f"{self.states[0]}_pre", SAMPLE)
            return scope
        for state in self.states:
            scope.put(f"{state}_pre", name("pre", state))
        for key in d.let:
            scope.put(f"{key}_pre", partial(self._source, key))
        return scope

    def _source(self, key: str) -> Expression:
        self.sources[key] = self.scope[key]
        return name("pre", key)

    def _mass(self, side: Sides) -> Expression:
        if side.mass is None:
            return ONE
        mass = parsed(side.mass, self.scope, self._hints())
        if mass is ZERO:
            raise side.mass.error("0 times a derivative")
        return mass

    def _noise(self) -> tuple[Expression, ...]:
        """How strong the noise of each state is."""
        d = self.declaration
        for key in d.noise.keys() - set(self.states):
            raise EquationError(
                f"{d.owner}.noise: there is no state {key!r}: expected one of {', '.join(self.states)}"
            )
        return tuple(
            parsed(d.text("noise", state), self.scope, self._hints()) if state in d.noise else ZERO
            for state in self.states
        )

    def _encoded(self) -> Expression | None:
        d = self.declaration
        if d.inputs is None:
            self._refuse_unused("sensor", "inputs")
            return None
        names = {key: name("sensor", key) for key, q in d.parameters.items() if q.home == "sensor"}
        return parsed(d.text("inputs"), {**names, "x": SAMPLE}, self._hints("sensor"))

    def _decoded(self) -> Expression | None:
        d = self.declaration
        if d.outputs is None:
            self._refuse_unused("motor", "outputs")
            return None
        names = {key: name("motor", key) for key, q in d.parameters.items() if q.home == "motor"}
        text = d.text("outputs")
        read = parsed(text, {**self.scope, **names}, self._hints("motor"))
        others = {s for s in symbols([read], "state") if s != self.states[0]}
        if others or read.kinds & {"total", "drive", "span"}:
            raise text.error(
                f"outputs are of {self.states[0]!r}, quantities of neurons and of motor neurons alone, and "
                f"not of {label(min(others)) if others else 'sums over synapses'}"
            )
        return read

    def _refuse_unused(self, home: str, word: str) -> None:
        for key, quantity in self.declaration.parameters.items():
            if quantity.home == home:
                raise EquationError(
                    f"{self.declaration.owner}.parameters: {key!r} is of every {home}, and there is no "
                    f"{word} = ..."
                )

    def _hints(self, kind: str = "neuron") -> dict[str, str]:
        """Why names that there are cannot be read here."""
        d, found = self.declaration, dict[str, str]()
        for key, quantity in d.parameters.items():
            found[key] = (
                f"{key!r} is of every {_PLACES[quantity.home]}, which is not known here{_SUMS[quantity.home]}"
            )
        for key in self.synaptic["recurrent"]:
            found[key] = f"{key!r} is a state of every synapse, which is not known here{_SUMS['synapse']}"
        for key in (*self.states, *d.let):
            found[f"{key}_pre"] = f"{key}_pre is known at a synapse alone"
        if kind == "sensory":
            for key in (*self.states[1:], *d.let):
                found[f"{key}_pre"] = (
                    f"a sensor has no {key!r}: say in sensory = {{...}} what synapses from sensors bring, "
                    "with x for what the sensor shows"
                )
            found[f"{self.states[0]}_pre"] = "a sensor shows x"
        if self.word == "dynamics":
            found["timespan"] = "timespan is for updates: the time of dynamics is that of d/dt"
        found["x"] = "x is what a sensor shows: expected in inputs or sensory alone"
        return found


_PLACES: dict[str, str] = {
    "synapse": "synapse", "electrical": "electrical synapse", "neuron": "neuron", "sensor": "sensor",
    "motor": "motor neuron",
}  # fmt: skip
_SUMS: dict[str, str] = {
    "synapse": ": sum over synapses in synapse = {...}",
    "electrical": ": sum over electrical synapses in electrical = {...}",
    "neuron": "",
    "sensor": ": expected in inputs",
    "motor": ": expected in outputs",
}
