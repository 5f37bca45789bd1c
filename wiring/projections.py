"""Projections: a rule between two groups of neurons, kept in the circuit, so that it can be drawn again.

A group is a text in the attribute `group` of its neurons. A projection is kept in the circuit's own attribute
`projections`, and each synapse it drew bears its name in the attribute `projection`. The synapses are the
truth: `changed` says in words where they are no longer what the rule draws.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from ..arguments import flag, fraction, whole
from ..errors import CircuitError
from .guards import require_neuron, require_receiver
from .roles import is_role, label, require_digraph, synapse_label, with_role
from .rules import RULES, Groups, Seed, draw

KEY = "projections"
ARGUMENTS = ("indegree", "outdegree", "p", "total")
_FLAGS = ("self_synapses", "skip_existing")
OPTIONS = {"self_synapses": True, "inhibitory": 0.0, "skip_existing": False, "seed": None}
Synapse = tuple[Hashable, Hashable, int]
Population = str | Sequence[Hashable]


@dataclass(frozen=True)
class Projection:
    """A rule between two groups of neurons.

    Attributes:
        pre, post: a role, the name of a group, or names of neurons.
        rule: one of the rules of `Circuit.connect`.
        arguments: the rule's own, and `self_synapses`, `inhibitory`, `skip_existing` and `seed` as there.
    """

    pre: Population
    post: Population
    rule: str
    arguments: Mapping[str, Any]

    @classmethod
    def read(cls, owner: str, data: Any) -> Projection:
        """The projection that an object of JSON holds, or a `CircuitError`."""
        if not isinstance(data, Mapping) or not {"pre", "post", "rule"} <= set(data):
            raise CircuitError(f"{owner} must be an object with pre, post and rule, got {label(data, 60)}")
        unknown = set(data) - {"pre", "post", "rule", *ARGUMENTS, *OPTIONS}
        if unknown:
            raise CircuitError(f"{owner} has the unknown field {min(map(str, unknown))!r}")
        if not isinstance(data["rule"], str) or data["rule"] not in RULES:
            expected = ", ".join(RULES)
            raise CircuitError(f"{owner} has the unknown rule {label(data['rule'])}; expected {expected}")
        groups = []
        for side in ("pre", "post"):
            group = data[side]
            if not isinstance(group, str | list | tuple):
                raise CircuitError(f"{owner}: {side} is a role, a group or a list, got {label(group, 60)}")
            groups.append(group if isinstance(group, str) else tuple(map(_name, group)))
        given = {key: value for key, value in data.items() if key in ARGUMENTS or key in OPTIONS}
        given = {
            key: _argument(owner, key, value)
            for key, value in given.items()
            if value is not None or key in _FLAGS
        }
        held = {k: v for k, v in given.items() if k not in OPTIONS or v != OPTIONS[k]}
        return cls(groups[0], groups[1], data["rule"], held)

    def to_json(self) -> dict[str, Any]:
        """The projection as an object of JSON."""
        sides = {"pre": self.pre, "post": self.post}
        return {
            **{side: group if isinstance(group, str) else _listed(group) for side, group in sides.items()},
            "rule": self.rule,
            **self.arguments,
        }

    def renamed(self, names: Mapping[Any, Hashable]) -> Projection:
        """The projection after neurons were renamed."""
        pre, post = (
            g if isinstance(g, str) else tuple(names.get(n, n) for n in g) for g in (self.pre, self.post)
        )
        return Projection(pre, post, self.rule, self.arguments)

    def draw(self, circuit: nx.DiGraph[Any]) -> list[Synapse]:
        """The synapses that the rule makes in this circuit, whether or not there are some already.

        Raises:
            CircuitError: an unknown or empty group, a sensory post neuron, or arguments that do not fit.
        """
        sources, targets = population(circuit, self.pre), population(circuit, self.post)
        for group, names in ((self.pre, sources), (self.post, targets)):
            if not names:
                raise CircuitError(f"the group {label(group)} has no neurons")
        given = dict(self.arguments)
        arguments = {key: given[key] for key in ARGUMENTS if key in given}
        options = {key: given[key] for key in ("self_synapses", "inhibitory", "seed") if key in given}
        try:
            return drawn(circuit, sources, targets, self.rule, arguments, **options)
        except (TypeError, ValueError) as error:
            raise CircuitError(str(error)) from None


def _argument(owner: str, name: str, value: Any) -> Any:
    """An argument of a rule as JSON holds it."""
    try:
        if name in ("p", "inhibitory"):
            return fraction(name, value)
        return flag(name, value) if name in _FLAGS else whole(name, value, 0, 2**63)
    except (TypeError, ValueError) as error:
        raise CircuitError(f"{owner}: {error}") from None


def projections(circuit: nx.DiGraph[Any]) -> dict[str, Projection]:
    """The projections that a circuit keeps, by name.

    Raises:
        CircuitError: the circuit's attribute `projections` is none.

    Example:
        >>> for name, projection in gl.wiring.projections(circuit).items():
        ...     print(name, gl.wiring.changed(circuit, name) or "as drawn")
    """
    require_digraph(circuit, "projections()")
    return read_projections(circuit.graph.get(KEY, {}))


def read_projections(held: Any) -> dict[str, Projection]:
    """The projections in the circuit's attribute."""
    if not isinstance(held, Mapping) or not all(isinstance(name, str) and name for name in held):
        raise CircuitError(f"projections must be an object of projections by name, got {label(held, 60)}")
    return {name: Projection.read(f"projection {name!r}", data) for name, data in held.items()}


def renamed_projections(circuit: nx.DiGraph[Any], names: Mapping[Any, Hashable]) -> dict[str, Any]:
    """The circuit's attribute as it must be after neurons were renamed; nothing if it can stay as it is."""
    held = circuit.graph.get(KEY)
    if not held:
        return {}
    new = {name: projection.renamed(names).to_json() for name, projection in read_projections(held).items()}
    return {} if new == held else {KEY: new}


def changed(circuit: nx.DiGraph[Any], name: str) -> str | None:
    """How the synapses of a projection differ from what its rule draws now; None if they do not.

    Raises:
        CircuitError: no projection of this name.
    """
    projection = require_projection(circuit, name)
    held = {(u, v): sign for u, v, sign in drawn_by(circuit, name)}
    try:
        new = {(u, v): sign for u, v, sign in projection.draw(circuit)}
    except CircuitError as error:
        return f"cannot be drawn again: {error}"
    if projection.arguments.get("skip_existing"):  # what stood there before belongs to nobody
        others = {(u, v) for u, v, data in circuit.edges(data=True) if data.get("projection") != name}
        new = {pair: sign for pair, sign in new.items() if pair not in others}
    counts = {
        "removed": len(new.keys() - held.keys()),
        "added": len(held.keys() - new.keys()),
        "flipped": sum(held[pair] != sign for pair, sign in new.items() if pair in held),
    }
    words = [f"{number} {what}" for what, number in counts.items() if number]
    return f"{', '.join(words)} by hand" if words else None


def drawn_by(circuit: nx.DiGraph[Any], name: str) -> list[Synapse]:
    """The synapses that bear the name of a projection, in the order of the graph."""
    edges = circuit.edges(data=True)
    return [(u, v, data.get("polarity")) for u, v, data in edges if data.get("projection") == name]  # type: ignore[misc]


def require_projection(circuit: nx.DiGraph[Any], name: Any) -> Projection:
    """The projection of this name, or a `CircuitError`."""
    held = projections(circuit)
    if not isinstance(name, str) or name not in held:
        raise CircuitError(f"there is no projection {label(name)}; there are {', '.join(held) or 'none'}")
    return held[name]


def population(circuit: nx.DiGraph[Any], group: Population) -> list[Hashable]:
    """The neurons of a role, of a group, or of a list of names, in the order of the graph or the list."""
    if not isinstance(group, str):
        for name in group:
            require_neuron(circuit, name)
        return list(group)
    if is_role(group):
        return with_role(circuit, group)
    return [name for name, data in circuit.nodes(data=True) if data.get("group") == group]


def drawn(
    circuit: nx.DiGraph[Any],
    sources: Sequence[Hashable],
    targets: Sequence[Hashable],
    rule: str,
    arguments: Mapping[str, Any],
    self_synapses: bool = True,
    inhibitory: float = 0.0,
    seed: Seed = None,
) -> list[Synapse]:
    """The synapses that a rule makes between neurons that exist, as (pre, post, polarity).

    Raises:
        CircuitError: a sensory post neuron.
        ValueError, TypeError: an unknown rule, or arguments that do not fit the rule or the groups.
    """
    flag("self_synapses", self_synapses)
    for name in targets:
        require_receiver(circuit, sources[0], name)
    position = {} if self_synapses else {name: k for k, name in enumerate(sources)}
    twin = np.array([position.get(name, -1) for name in targets])
    made = draw(rule, Groups(len(sources), len(targets), twin), dict(arguments), inhibitory, seed)
    pre, post, signs = (part.tolist() for part in made)
    return [(sources[i], targets[j], sign) for i, j, sign in zip(pre, post, signs, strict=True)]


def only_new(circuit: nx.DiGraph[Any], made: Sequence[Synapse], skip_existing: bool) -> list[Synapse]:
    """Those of the synapses that are not there yet; if one is and may not be skipped, a `CircuitError`."""
    flag("skip_existing", skip_existing)
    new = [synapse for synapse in made if not circuit.has_edge(*synapse[:2])]
    if len(new) < len(made) and not skip_existing:
        u, v = next((u, v) for u, v, _ in made if circuit.has_edge(u, v))
        raise CircuitError(f"{synapse_label(u, v)} exists already; skip_existing=True leaves it as it is")
    return new


def _name(name: Any) -> Hashable:
    try:
        return tuple(map(_name, name)) if isinstance(name, list) else name
    except RecursionError:  # a list that holds itself
        raise TypeError(f"the name of a neuron must be a text or a number, got {label(name)}") from None


def _listed(names: Sequence[Hashable]) -> list[Any]:
    return [_listed(name) if isinstance(name, tuple) else name for name in names]
