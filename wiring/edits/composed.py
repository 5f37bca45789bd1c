"""Edits made of others: a batch, synapses drawn by a rule, a projection, the circuit of a generator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx

from ...arguments import counted
from ...errors import CircuitError
from ..files.plain import plain
from ..generators import auto_ncp, fully_connected, layered, ncp, random
from ..projections import (
    ARGUMENTS,
    KEY,
    OPTIONS,
    Population,
    Projection,
    drawn_by,
    only_new,
    projections,
    require_projection,
)
from ..roles import label
from .edit import Done, Edit, Graph, entries
from .primitives import Add, Remove, Set

GENERATORS: dict[str, Callable[..., nx.DiGraph[Any]]] = {
    "auto_ncp": auto_ncp,
    "ncp": ncp,
    "fully_connected": fully_connected,
    "layered": layered,
    "random": random,
}
"""The generators of whole circuits that an edit can apply, by name."""


@dataclass(frozen=True)
class Batch(Edit):
    """Several edits as one: all of them, or none.

    Attributes:
        edits: in the order in which they are done.
        label: what they do together, in a few words.
    """

    kind = "batch"
    edits: Sequence[Edit] = ()
    label: str = ""

    def __post_init__(self) -> None:
        edits = entries("edits", self.edits)
        for edit in edits:
            if not isinstance(edit, Edit):
                raise CircuitError(f"a batch is made of edits, got {label(edit, 60)}")
        if not isinstance(self.label, str):
            raise CircuitError(f"the label of a batch must be a text, got {label(self.label, 60)}")
        self._put("edits", tuple(edits))

    def __str__(self) -> str:
        return self.label or "; ".join(map(str, self.edits[:3])) + ("; ..." if len(self.edits) > 3 else "")

    def to_json(self) -> dict[str, Any]:
        named = {"label": self.label} if self.label else {}
        return {"kind": self.kind, "edits": [edit.to_json() for edit in self.edits], **named}

    def run(self, circuit: Graph) -> Done:
        return _all(circuit, self.edits, self.label)


@dataclass(frozen=True)
class Connect(Edit):
    """Synapses that a rule makes between two groups.

    Attributes:
        pre, post: a role, the name of a group (the neurons' attribute `group`), or a list of names.
        rule: and its argument `indegree`, `outdegree`, `p` or `total`, `self_synapses`, `inhibitory`,
            `skip_existing` and `seed`: as of `Circuit.connect`.
        projection: a name under which the circuit keeps the rule, so that it can be drawn again.

    Example:
        >>> edits.Connect("inter", "command", "fixed_indegree", indegree=4, seed=7, projection="up")
    """

    kind = "connect"
    pre: Population = ()
    post: Population = ()
    rule: str = "all_to_all"
    indegree: int | None = None
    outdegree: int | None = None
    p: float | None = None
    total: int | None = None
    self_synapses: bool = True
    inhibitory: float = 0.0
    skip_existing: bool = False
    seed: int | None = None
    projection: str | None = None

    def __post_init__(self) -> None:
        if self.projection is not None and not (isinstance(self.projection, str) and self.projection):
            raise CircuitError(f"a projection is called by a text, got {label(self.projection, 60)}")
        read = self._projection()
        for field, value in {"pre": read.pre, "post": read.post, **read.arguments}.items():
            self._put(field, value)

    def __str__(self) -> str:
        return f"connect {_group(self.pre)} to {_group(self.post)}"

    def run(self, circuit: Graph) -> Done:
        return _all(circuit, self._steps(circuit), str(self))

    def _projection(self) -> Projection:
        fields = ("pre", "post", "rule", *ARGUMENTS, *OPTIONS)
        return Projection.read("a connection", {field: getattr(self, field) for field in fields})

    def _steps(self, circuit: Graph) -> Iterator[Edit]:
        new = self._projection()
        if self.projection is None:
            yield _synapses(circuit, new, {})
            return
        held = projections(circuit)
        if self.projection in held:
            raise CircuitError(f"there is a projection {self.projection!r} already")
        yield _kept(held | {self.projection: new})
        yield _synapses(circuit, new, {"projection": self.projection})


@dataclass(frozen=True)
class Redraw(Edit):
    """Draw a projection again, by its own rule or another; or remove it.

    Attributes:
        name: the projection.
        fields: those of `Connect` that are new; a new rule brings its own argument.
        remove: take the projection and its synapses away.

    Example:
        >>> edits.Redraw("up", {"indegree": 6, "seed": 8})
    """

    kind = "projection"
    name: str = ""
    fields: Mapping[str, Any] | None = None
    remove: bool = False

    def __post_init__(self) -> None:
        fields = {} if self.fields is None else self.fields
        if not isinstance(fields, Mapping):
            raise CircuitError(f"the fields of a projection must be an object, got {label(fields, 60)}")
        unknown = set(fields) - {"pre", "post", "rule", *ARGUMENTS, *OPTIONS}
        if unknown or not isinstance(self.name, str) or not isinstance(self.remove, bool):
            raise CircuitError(
                f"a projection takes its name, the fields of connect and remove; got {label(fields, 60)}"
            )
        self._put("fields", plain(dict(fields)))

    def __str__(self) -> str:
        return f"{'remove' if self.remove else 'draw'} projection {label(self.name, 40)}"

    def to_json(self) -> dict[str, Any]:
        removed = {"remove": True} if self.remove else {}
        return {"kind": self.kind, "name": self.name, **(self.fields or {}), **removed}

    def run(self, circuit: Graph) -> Done:
        return _all(circuit, self._steps(circuit), str(self))

    def _steps(self, circuit: Graph) -> Iterator[Edit]:
        held = projections(circuit)
        data = require_projection(circuit, self.name).to_json()
        given = dict(self.fields or {})
        if given.get("rule", data["rule"]) != data["rule"]:
            data = {key: value for key, value in data.items() if key not in ARGUMENTS}
        new = Projection.read(f"projection {self.name!r}", data | given)
        yield Remove(synapses=[synapse[:2] for synapse in drawn_by(circuit, self.name)])
        if self.remove:
            yield _kept({name: other for name, other in held.items() if name != self.name})
            return
        yield _kept(held | {self.name: new})
        yield _synapses(circuit, new, {"projection": self.name})


@dataclass(frozen=True)
class Generate(Edit):
    """The circuit of a generator, beside the circuit or instead of it.

    Attributes:
        generator: one of `GENERATORS`.
        arguments: of the generator, by name.
        prefix: a text before the names of its neurons.
        replace: remove all neurons and projections first.

    Example:
        >>> edits.Generate("auto_ncp", {"units": 16, "outputs": 2, "inputs": 4, "seed": 1}, prefix="left ")
    """

    kind = "generate"
    generator: str = ""
    arguments: Mapping[str, Any] | None = None
    prefix: str = ""
    replace: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.generator, str) or self.generator not in GENERATORS:
            known = ", ".join(GENERATORS)
            raise CircuitError(f"unknown generator {label(self.generator, 60)}; expected one of {known}")
        arguments = {} if self.arguments is None else self.arguments
        if not isinstance(arguments, Mapping) or not isinstance(self.prefix, str):
            raise CircuitError("a generator takes an object of arguments and a text as prefix")
        if not isinstance(self.replace, bool):
            raise CircuitError(f"replace must be true or false, got {label(self.replace, 60)}")
        self._put("arguments", plain(dict(arguments)))

    def __str__(self) -> str:
        return f"{'replace by' if self.replace else 'add'} {self.generator}"

    def run(self, circuit: Graph) -> Done:
        return _all(circuit, self._steps(circuit), str(self))

    def _steps(self, circuit: Graph) -> Iterator[Edit]:
        try:
            made = GENERATORS[self.generator](**(self.arguments or {}))
        except (TypeError, ValueError) as error:
            raise CircuitError(f"{self.generator}: {str(error)[:300]}") from None
        if self.replace:
            yield Remove(list(circuit))
            yield _kept({}) if KEY in circuit.graph else Batch()
        prefix = self.prefix
        yield Add(
            [(f"{prefix}{name}" if prefix else name, data) for name, data in made.nodes(data=True)],
            [
                (f"{prefix}{u}" if prefix else u, f"{prefix}{v}" if prefix else v, data)
                for u, v, data in made.edges(data=True)
            ],
        )


def _all(circuit: Graph, steps: Iterable[Edit], words: str) -> Done:
    """Do the steps, each computed when the ones before it are done; if one is refused, take all back."""
    changes: list[Edit] = []
    inverses: list[Edit] = []
    try:
        for step in steps:
            done = step.run(circuit)
            changes += done.changes
            inverses.insert(0, done.inverse)
    except BaseException:
        for inverse in inverses:
            inverse.run(circuit)
        raise
    inverse = inverses[0] if len(inverses) == 1 else Batch(inverses, words)
    return Done(tuple(changes), inverse)


def _kept(held: Mapping[str, Projection]) -> Set:
    """The projections in the circuit's attribute."""
    data = {name: projection.to_json() for name, projection in held.items()}
    return Set(circuit=[(KEY, data) if data else (KEY,)])


def _synapses(circuit: Graph, new: Projection, attributes: dict[str, Any]) -> Add:
    """The synapses of a projection, with these attributes."""
    made = only_new(circuit, new.draw(circuit), bool(new.arguments.get("skip_existing")))
    return Add(synapses=[(u, v, {"polarity": sign, **attributes}) for u, v, sign in made])


def _group(group: Population) -> str:
    return group if isinstance(group, str) else counted(len(group), "neuron")
