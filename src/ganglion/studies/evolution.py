"""Circuits that evolve: a factor whose values are a start and edits of it, and generations of settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arguments import counted, fraction, label, mapping_of, whole
from ..wiring import Circuit, edits
from .ranges import Range, brief

REDRAWN, TRIES = 0.25, 100
"""How often a circuit that a generator made is made anew with another argument; how often that may fail."""


@dataclass(frozen=True)
class Generator:
    """Circuits that a function makes of numbers.

    Attributes:
        function: makes a circuit of keywords.
        ranges: keyword -> (low, high), whole numbers if both are.

    Example:
        >>> make = partial(gl.random, inputs=8, outputs=2)
        >>> gl.studies.Generator(make, {"units": (8, 64), "sparsity": (0.5, 0.9)})
    """

    function: Callable[..., Circuit]
    ranges: Mapping[str, tuple[float, float]]

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TypeError(f"a generator is a function that makes circuits, got {label(self.function)}")
        for name, limits in mapping_of("ranges", self.ranges, "keywords to (low, high)").items():
            Range.of(name, limits)

    def drawn(self, rng: np.random.Generator, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Arguments at random: all of them, or those of a circuit before with one of them drawn anew."""
        for _ in range(TRIES):
            names = list(self.ranges)
            if before is not None:
                names = [names[int(rng.integers(len(names)))]]
            drawn = {name: Range.of(name, self.ranges[name]).drawn(rng) for name in names}
            try:
                self.function(**{**(before or {}), **drawn})
            except ValueError:  # arguments that do not go together; CircuitError is one
                continue
            return {**(before or {}), **drawn}
        raise ValueError(f"{TRIES} draws of {', '.join(self.ranges)} gave no circuit: give narrower ranges")


@dataclass(frozen=True)
class Evolving:
    """A factor whose values are circuits that come from each other by edits, for search="evolutionary".

    A mutation removes synapses, adds some, does both, or turns signs. Of a circuit that a generator made, it
    may also draw one of the arguments anew.

    Attributes:
        starts: label -> circuit, or a `Generator`.
        most_synapses: how many synapses a circuit may have; more are pruned at random.
        share: the largest share of the synapses that one mutation touches.

    Example:
        >>> gl.experiment(train, {"circuit": gl.studies.Evolving({"ncp": circuit}, most_synapses=200)},
        ...     search="evolutionary", trials=200)
    """

    starts: Mapping[str, Circuit] | Generator
    most_synapses: int | None = None
    share: float = 0.1
    _made: dict[str, Circuit] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.starts, Generator):
            for name, circuit in mapping_of("starts", self.starts, "labels to circuits").items():
                if not isinstance(name, str) or not isinstance(circuit, Circuit):
                    raise TypeError(
                        f"starts must be labels and circuits, got {label(name)}: {label(circuit, 60)}"
                    )
            if not self.starts:
                raise ValueError("starts is empty: expected labels and circuits")
        if self.most_synapses is not None:
            whole("most_synapses", self.most_synapses)
        fraction("share", self.share)

    def drawn(self, rng: np.random.Generator) -> str:
        """A start, cut down to size."""
        if isinstance(self.starts, Generator):
            genome: dict[str, Any] = {"made": self.starts.drawn(rng)}
        else:
            names = list(self.starts)
            genome = {"start": names[int(rng.integers(len(names)))]}
        return self._told({**genome, "edits": []}, [], rng)

    def mutated(self, told: str, rng: np.random.Generator) -> str:
        """A child of a circuit."""
        genome = json.loads(told)
        if isinstance(self.starts, Generator) and rng.random() < REDRAWN:
            return self._told({"made": self.starts.drawn(rng, genome["made"]), "edits": []}, [], rng)
        circuit = self.value(told)
        kind = ("prune", "grow", "move", "flip")[int(rng.integers(4))]
        count = int(rng.integers(1, max(1, round(self.share * circuit.number_of_edges())) + 1))
        made: list[Any] = []
        if kind in ("prune", "move"):
            made += _pruned(circuit, count, rng)
        if kind in ("grow", "move"):
            made += _grown(circuit, count, rng)
        if kind == "flip":
            made += _flipped(circuit, count, rng)
        return self._told(genome, made, rng)

    def value(self, told: str) -> Circuit:
        """The circuit of a label; a copy."""
        if told not in self._made:
            genome = json.loads(told)
            if isinstance(self.starts, Generator):
                circuit = self.starts.function(**genome["made"])
            else:
                circuit = self.starts[genome["start"]].copy()
            for edit in genome["edits"]:
                edits.from_json(edit).apply(circuit)
            self._made[told] = circuit
        return self._made[told].copy()

    def distribution(self, optuna: Any) -> Any:
        """Optuna has none: there is no end of circuits, and its categories are a list."""
        raise TypeError("circuits that evolve have no distribution of Optuna's")

    def shown(self, told: str) -> str:
        """A label in a few words."""
        genome = json.loads(told)
        start = genome.get("start") or ", ".join(f"{k}={brief(v)}" for k, v in genome["made"].items())
        count, synapses = len(genome["edits"]), self.value(told).number_of_edges()
        return f"{counted(synapses, 'synapse')}, {counted(count, 'edit')} of {start}"

    def _told(self, genome: dict[str, Any], made: list[Any], rng: np.random.Generator) -> str:
        """The label of a circuit with some more edits, and with as many synapses as it may have."""
        new = {**genome, "edits": [*genome["edits"], *(edit.to_json() for edit in made)]}
        told = json.dumps(new, separators=(",", ":"))
        over = self.value(told).number_of_edges() - (self.most_synapses or np.inf)
        return told if over <= 0 else self._told(new, _pruned(self.value(told), int(over), rng), rng)


def bred(
    space: Mapping[str, Any], known: Sequence[tuple[dict[str, Any], float]], count: int, seed: int
) -> list[dict[str, Any]]:
    """The next `count` settings: drawn if nothing is known, else children of the best.

    Args:
        space: the factors.
        known: the settings there are, in their order, with what is to be small.
        count: how many.
        seed: of the draws, which are functions of it, of the settings' numbers and of what is known.
    """
    first, made = len(known), []
    ranked = sorted(known, key=lambda each: each[1])
    parents = ranked[: max(1, len(ranked) // 4)]
    for number in range(first, first + count):
        rng = np.random.default_rng([seed, number, 2])
        if not known:
            made.append({name: factor.drawn(rng) for name, factor in space.items()})
            continue
        parent, _ = parents[int(rng.integers(len(parents)))]
        child = {}
        for name, factor in space.items():
            if isinstance(factor, Evolving):
                child[name] = factor.mutated(parent[name], rng)
            else:
                anew = rng.random() < 1 / (1 + len(space))
                child[name] = factor.drawn(rng) if anew else parent[name]
        made.append(child)
    return made


def _pruned(circuit: Circuit, count: int, rng: np.random.Generator) -> list[Any]:
    synapses = list(circuit.edges)
    chosen = rng.permutation(len(synapses))[: min(count, len(synapses) - 1)]
    return [edits.Remove(synapses=[synapses[k] for k in sorted(chosen.tolist())])] if len(chosen) else []


def _grown(circuit: Circuit, count: int, rng: np.random.Generator) -> list[Any]:
    states = [name for name, data in circuit.nodes(data=True) if data["role"] != "sensory"]
    absent = [(pre, post) for pre in circuit for post in states if not circuit.has_edge(pre, post)]
    chosen = sorted(rng.permutation(len(absent))[:count].tolist())
    added = [(*absent[k], {"polarity": int(rng.choice([-1, 1]))}) for k in chosen]
    return [edits.Add(synapses=added)] if added else []


def _flipped(circuit: Circuit, count: int, rng: np.random.Generator) -> list[Any]:
    signed = [(pre, post) for pre, post, data in circuit.edges(data=True) if "polarity" in data]
    chosen = sorted(rng.permutation(len(signed))[:count].tolist())
    return [
        edits.Set(synapses=[(*signed[k], "polarity", -circuit.edges[signed[k]]["polarity"]) for k in chosen])
    ]
